"""Which proxy leads to Telegram, as the settings and the usual variables of the environment say."""

from pathlib import Path

import pytest

from bot.proxies import Proxy, is_bypassed, parse_proxy
from bot.settings import load

TELEGRAM = "https://api.telegram.org"


@pytest.mark.parametrize(
    ("written", "proxy"),
    [
        ("http://proxy.example.org:3128", Proxy("proxy.example.org", 3128)),
        ("HTTP://Proxy.example.org/", Proxy("proxy.example.org", 80)),
        ("http://[fd00::1]:3128", Proxy("fd00::1", 3128)),
        ("http://me:secret@10.0.0.1:3128", Proxy("10.0.0.1", 3128, "me", "secret")),
        ("http://me:p%40ss@10.0.0.1:3128", Proxy("10.0.0.1", 3128, "me", "p@ss")),
        ("http://me@10.0.0.1:3128", Proxy("10.0.0.1", 3128, "me")),
        ("socks5://me:secret@10.0.0.1", Proxy("10.0.0.1", 1080, "me", "secret", is_socks=True)),
        ("socks5h://[fd00::1]:1081", Proxy("fd00::1", 1081, is_socks=True)),
        ("socks://10.0.0.1:1080/", Proxy("10.0.0.1", 1080, is_socks=True)),
    ],
)
def test_a_proxy_is_read_from_its_address(written: str, proxy: Proxy) -> None:
    assert parse_proxy(written) == proxy


@pytest.mark.parametrize(
    "written",
    [
        "proxy.example.org:3128",
        "https://me:secret@proxy.example.org",
        "socks4://me:secret@proxy.example.org:1080",
        "http://",
        "http://me:secret@:3128",
        "http://me:secret@proxy.example.org:port",
        "http://me:secret@proxy.example.org:99999",
        "http://me:12/secret@proxy.example.org:3128",
        "http://me:12?secret@proxy.example.org:3128",
        "http://me:12#secret@proxy.example.org:3128",
        "http://proxy.example.org:3128/path",
        "http://[::1",
    ],
)
def test_another_address_is_refused_and_its_password_never_quoted(written: str) -> None:
    with pytest.raises(ValueError, match="http://host:port") as caught:
        parse_proxy(written)

    assert "secret" not in str(caught.value)


def test_a_proxy_shows_where_it_is_and_no_password() -> None:
    proxy = parse_proxy("http://me:secret@[fd00::1]:3128")

    assert str(proxy) == "[fd00::1]:3128"
    assert proxy.authorization == "Basic bWU6c2VjcmV0"
    assert "secret" not in repr(proxy)


def test_a_password_that_socks_cannot_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 255 bytes"):
        parse_proxy(f"socks5://me:{'x' * 256}@10.0.0.1:1080")


@pytest.mark.parametrize(
    ("no_proxy", "bypassed"),
    [
        ("", False),
        ("*", True),
        ("telegram.org", True),
        (".telegram.org", True),
        ("localhost, API.telegram.org", True),
        ("gram.org", False),
        ("org.telegram", False),
        (",", False),
        ("*.telegram.org", True),
        ("api.telegram.org:443", True),
        ("api.telegram.org:8443", False),
        ("10.0.0.0/8", False),
    ],
)
def test_no_proxy_lists_hosts_and_domains(no_proxy: str, bypassed: bool) -> None:
    assert is_bypassed(TELEGRAM, no_proxy) == bypassed


@pytest.mark.parametrize(
    ("url", "no_proxy", "bypassed"),
    [
        ("http://10.1.2.3:8081", "10.0.0.0/8", True),
        ("http://10.1.2.3:8081", "192.168.0.0/16,10.1.2.3", True),
        ("http://10.1.2.3:8081", "10.1.2.3:8081", True),
        ("http://10.1.2.3:8081", "10.1.2.3:80", False),
        ("http://[fd00::1]:8081", "fd00::/8", True),
        ("http://[fd00::1]:8081", "[fd00::1]:8081", True),
        ("http://[fd00::1]:8081", "::1", False),
    ],
)
def test_no_proxy_lists_addresses_and_networks(url: str, no_proxy: str, bypassed: bool) -> None:
    assert is_bypassed(url, no_proxy) == bypassed


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081", "http://localhost:8081", "http://[::1]:8081"])
def test_this_machine_is_never_reached_through_a_proxy_of_the_environment(url: str) -> None:
    assert is_bypassed(url, "")


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://a:1"}, "a:1"),
        ({"https_proxy": "http://a:1"}, "a:1"),
        ({"HTTP_PROXY": "http://a:1"}, None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "telegram.org"}, None),
        ({"HTTPS_PROXY": "http://a:1", "TELEGRAM_PROXY": "http://b:2"}, "b:2"),
        ({"NO_PROXY": "*", "TELEGRAM_PROXY": "http://b:2"}, "b:2"),
        ({"HTTPS_PROXY": "socks4://a:1", "TELEGRAM_PROXY": "http://b:2"}, "b:2"),
        ({"HTTPS_PROXY": "socks4://a:1", "NO_PROXY": "telegram.org"}, None),
        ({"HTTP_PROXY": "socks4://a:1"}, None),
        ({"ALL_PROXY": "socks5://a:1"}, "a:1"),
        ({"all_proxy": "socks://a:1/", "HTTP_PROXY": "http://b:2"}, "a:1"),
        ({"ALL_PROXY": "socks5://a:1", "HTTPS_PROXY": "http://b:2"}, "b:2"),
        ({"ALL_PROXY": "socks5://a:1", "NO_PROXY": "telegram.org"}, None),
        ({"ALL_PROXY": "socks5://a:1", "BOT_API_URL": "http://127.0.0.1:8081"}, None),
        ({"HTTP_PROXY": "http://a:1", "BOT_API_URL": "http://bots.example.org"}, "a:1"),
        ({"HTTPS_PROXY": "http://a:1", "BOT_API_URL": "http://bots.example.org"}, None),
        ({"HTTP_PROXY": "http://a:1", "BOT_API_URL": "http://127.0.0.1:8081"}, None),
        ({"TELEGRAM_PROXY": "http://b:2", "BOT_API_URL": "http://127.0.0.1:8081"}, "b:2"),
    ],
)
def test_the_setting_wins_over_the_variables_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], proxy: str | None
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "TELEGRAM_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.chdir(tmp_path)  # without a file of settings
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = load().proxy

    assert (None if found is None else str(found)) == proxy
