"""Every scheme and port of a base address, on this machine and elsewhere."""

import pytest

from verification.providers.addresses import parse_base_url

LOCAL, PUBLIC, PRIVATE = (
    ("127.0.0.1", "localhost", "[::1]"),
    ("verify.example.com", "8.8.8.8"),
    ("10.0.0.1", "[fd00::1]"),
)


@pytest.mark.parametrize(
    ("scheme", "local", "public"),
    [("http", True, False), ("https", True, True), ("ftp", False, False), ("", False, False)],
)
def test_each_scheme_is_for_this_machine_the_internet_or_nothing(scheme: str, local: bool, public: bool) -> None:
    hosts = {**dict.fromkeys(LOCAL, local), **dict.fromkeys(PUBLIC, public), **dict.fromkeys(PRIVATE, False)}
    for host, accepted in hosts.items():
        url = f"{scheme}://{host}/base"
        if accepted:
            assert parse_base_url(url).geturl() == url
        else:
            with pytest.raises(ValueError, match=r"^(write an https://|this address is not)"):
                parse_base_url(url)


@pytest.mark.parametrize(
    ("port", "good"), [("", True), (":1", True), (":65535", True), (":0", False), (":65536", False)]
)
def test_a_port_is_from_1_to_65535(port: str, good: bool) -> None:
    url = f"https://verify.example.com{port}/base"
    if good:
        assert parse_base_url(url).geturl() == url
    else:
        with pytest.raises(ValueError, match="port"):
            parse_base_url(url)


@pytest.mark.parametrize("url", ["https://a b.example.com", "https://a.example.com\\b", "https://a.example.com/\n"])
def test_spaces_and_backslashes_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="without spaces"):
        parse_base_url(url)


@pytest.mark.parametrize("extra", ["https://me@a.example.com", "https://a.example.com?b", "https://a.example.com#b"])
def test_a_user_a_query_and_a_fragment_are_refused(extra: str) -> None:
    with pytest.raises(ValueError, match="without user"):
        parse_base_url(extra)
