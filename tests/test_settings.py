"""A wrong setting: one line on stderr that names it, exit code 2, and nothing started or left behind."""

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.env_file import read_names
from bot.settings import SECRET_FILES, BadSetting, Settings, load, setting_for_telegram
from chatscript.runner.bot_process import base_environment
from command_line import app
from tests.alipay_server import key_pair, private_text, public_text
from tests.crash.crashing_bot import ERROR_FILE
from tests.crash.process import ROOT, RUN_BOT, fork_client
from tests.provider_server import OTHER_SECRET, SECRET
from tests.simulator_fixture import TOKEN
from verification.attempts import TYPED_METHODS, Method

LOOPBACK = "http://127.0.0.1:9"
KEY, OTHER_KEY = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"i"))
HTTP = {"PROVIDER_WECHAT": "http", "PROVIDER_URL": "https://verify.example.org", "PROVIDER_SECRET": SECRET}
TENCENT = {
    "PROVIDER_WECHAT": "off",
    "PROVIDER_QQ": "off",
    "PROVIDER_FACE": "tencent",
    "TENCENT_SECRET_ID": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
    "TENCENT_SECRET_KEY": "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
    "TENCENT_RULE_ID": "7",
    "PUBLIC_URL": "https://bot.example.org",
}
ALIPAY = {
    "PROVIDER_WECHAT": "off",
    "PROVIDER_QQ": "off",
    "PROVIDER_FACE": "alipay",
    "ALIPAY_APP_ID": "2021000000000000",
    "ALIPAY_PRIVATE_KEY": private_text(key_pair("merchant")),
    "ALIPAY_PUBLIC_KEY": public_text(key_pair("platform")),
    "PUBLIC_URL": "https://bot.example.org",
}
OTHERS_OFF = {"PROVIDER_QQ": "off", "PROVIDER_FACE": "off"}
REAL = {"BOT_API_URL": "https://api.telegram.org", "ALLOW_SIMULATED": "1"}
UNREACHABLE = {
    "localhost:8080": "localhost",
    "127.0.0.1": "127.0.0.1",
    "0.0.0.0": "0.0.0.0",
    "[::1]": "::1",
    "bot": "bot",
}
GOOD = {"BOT_TOKEN": TOKEN, "BOT_API_URL": LOOPBACK, "PORT": "0"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a start ended."""

    code: int
    lines: list[str]
    said: str


def start(folder: Path, settings: Mapping[str, str]) -> Ended:
    """Start the program in a folder with exactly these settings, forked from a process that has imported it."""
    return asyncio.run(_fork(folder, settings))


async def _fork(folder: Path, settings: Mapping[str, str]) -> Ended:
    with tempfile.TemporaryDirectory() as outside:
        out, err = Path(outside) / "out", Path(outside) / "err"
        env = base_environment(os.environ) | {"PYTHONPATH": str(ROOT), ERROR_FILE: str(err), **settings}
        program = await fork_client().start(env, out, folder)
        async with asyncio.timeout(30):
            code = await program.wait()
        return Ended(code, err.read_text("utf-8").splitlines(), out.read_text("utf-8"))


def start_plainly(folder: Path, settings: Mapping[str, str]) -> Ended:
    """Start the program as people do."""
    ended = subprocess.run(
        [sys.executable, str(RUN_BOT)],
        cwd=folder,
        env=base_environment(os.environ) | dict(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Ended(ended.returncode, ended.stderr.splitlines(), ended.stdout)


def refused(folder: Path, settings: Mapping[str, str], name: str) -> str:
    """The one line of a program about a wrong setting; nothing else may have happened."""
    return the_line(start(folder, settings), folder, name)


def the_line(ended: Ended, folder: Path, name: str) -> str:
    assert (ended.code, len(ended.lines), ended.said) == (2, 1, ""), ended
    [line] = ended.lines
    assert name in line
    assert not list(folder.iterdir()), "something was left behind"
    return line


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Mapping[str, str]], Ended]:
    """Give the program's command in this process, for what is refused before anything is started."""

    def begin(settings: Mapping[str, str]) -> Ended:
        only(monkeypatch, tmp_path, settings)
        ended = CliRunner().invoke(app, [])
        return Ended(ended.exit_code, ended.stderr.splitlines(), ended.stdout)

    return begin


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_TOKEN", "not-a-token"),
        ("BOT_TOKEN", "12:short"),
        ("BOT_TOKEN", f"{TOKEN} "),
        ("BOT_API_URL", "localhost:8081"),
        ("BOT_API_URL", "ftp://127.0.0.1"),
        ("BOT_API_URL", "http://[::1"),
        ("TELEGRAM_PROXY", "proxy.example.org:3128"),
        ("TELEGRAM_PROXY", "socks4://me:secret@proxy.example.org:1080"),
        ("TELEGRAM_PROXY", "http://me:se/cret@proxy.example.org:3128"),
        ("PUBLIC_URL", "bot.example.org"),
        ("PUBLIC_URL", "https://bot.example.org:0"),
        ("PUBLIC_URL", "https://bot.example.org:99999"),
        ("PUBLIC_URL", "https://me:word@bot.example.org"),
        ("WEBHOOK_URL", "https://bot.example.org/?key=secret"),
        ("WEBHOOK_URL", "https://bot.example.org/#top"),
        ("LANGUAGE", "fr"),
        ("LANGUAGE", "English"),
        ("STAFF_IDS", "200012345,200054321,200012345"),
        ("API_KEYS", "a-key-of-a-program-0123456,a-key-of-a-program-0123456"),
        ("PROVIDER_REDIRECT_HOSTS", "a.example.org,A.example.org"),
        ("PORT", "abc"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("QR_TTL", "5"),
        ("QR_TTL", "0s"),
        ("QR_TTL", "3h"),
        ("QR_TTL", "ten minutes"),
        ("LINK_TTL", "soon"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "for ever"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("PROVIDER_WECHAT", "wechat-realname"),
        ("PROVIDER_QQ", "foo"),
        ("PROVIDER_FACE", "tencent-faceid"),
        ("PROVIDER_NETID", "http"),
        ("PROVIDER_WECHAT", "tencent"),
        ("PROVIDER_QQ", "tencent"),
        ("TENCENT_SECRET_ID", "secret in words"),
        ("TENCENT_SECRET_KEY", "secret\nX-Header: a"),
        ("TENCENT_RULE_ID", "rule 7"),
        ("TENCENT_ENDPOINT", "http://faceid.tencentcloudapi.com"),
        ("TENCENT_ENDPOINT", "https://faceid.tencentcloudapi.com/v1"),
        ("TENCENT_ENDPOINT", "https://10.0.0.1"),
        ("PROVIDER_WECHAT", "alipay"),
        ("ALIPAY_APP_ID", "an app"),
        ("ALIPAY_PRIVATE_KEY", "a secret"),
        ("ALIPAY_PUBLIC_KEY", "a key"),
        ("ALIPAY_GATEWAY", "http://openapi.alipay.com/gateway.do"),
        ("PROVIDER_URL", "http://verify.example.org"),
        ("PROVIDER_URL", "https://10.0.0.1"),
        ("PROVIDER_URL", "https://2130706433"),
        ("PROVIDER_URL", "https://user:secret@verify.example.org"),
        ("PROVIDER_SECRET", "whsec_short"),
        ("PROVIDER_SECRET", SECRET.removeprefix("whsec_")),
        ("PROVIDER_REDIRECT_HOSTS", "https://verify.example.org"),
        ("PROVIDER_REDIRECT_HOSTS", "verify.example.org/a"),
        ("PROVIDER_REDIRECT_HOSTS", "me@verify.example.org"),
        ("ALLOW_SIMULATED", "yes"),
        ("STAFF_IDS", "200012345;me"),
        ("OPERATOR_NAME", "x" * 65),
        ("OPERATOR_NAME", "two\nlines"),
        ("OPERATOR_CONTACT", "400 910 0100"),
        ("OPERATOR_CONTACT", "@me"),
        ("OPERATOR_CONTACT", "help@localhost"),
        ("OPERATOR_CONTACT", "ftp://help.example.org"),
        ("OPERATOR_CONTACT", "https://localhost/help"),
        ("OPERATOR_CONTACT", 'https://help.example.org/"><b>'),
        ("OPERATOR_CONTACT", f"https://help.example.org/{'x' * 240}"),
        ("DESK_KEY", "short"),
        ("DESK_KEY", "one-key-of-the-desk-012345,another-key-of-the-desk-01"),
        ("LINK_TTL", "10s"),
        ("API_KEYS", "a-key"),
        ("RESULT_WEBHOOK_URL", "shop.example.org"),
        ("RESULT_WEBHOOK_URL", "http://shop.example.org/results"),
        ("RESULT_WEBHOOK_URL", "https://10.0.0.1/results"),
        ("RESULT_WEBHOOK_URL", "https://shop.example.org/results?key=secret"),
        ("RESULT_WEBHOOK_URL", "https://shop.example.org:99999"),
        ("RESULT_WEBHOOK_SECRET", "whsec_short"),
        ("RESULT_WEBHOOK_SECRET", SECRET.removeprefix("whsec_")),
        ("WEBHOOK_URL", "bot.example.org"),
        ("DATABASE_URL", "mysql://127.0.0.1/bot"),
        ("DATABASE_URL", "postgresql://bot:se/cret@127.0.0.1/bot"),
        ("DATABASE_URL", "postgresql://bot:12/secret@127.0.0.1/bot"),
        ("DATABASE_URL", "postgresql://bot:12#secret@127.0.0.1/bot"),
        ("DATABASE_URL", "sqlite://bot.sqlite3"),
        ("DATABASE_URL", "sqlite:///:memory:"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    begin: Callable[[Mapping[str, str]], Ended], tmp_path: Path, name: str, value: str
) -> None:
    line = the_line(begin(GOOD | {name: value}), tmp_path, name)

    assert value not in line or len(value) < 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_TOKEN", "7000000001:abc-secret"),
        ("PORT", "abc"),
        ("DATABASE_URL", "postgresql://bot:se/cret@127.0.0.1/bot"),
        ("HOST", "no.such.host.invalid"),
        ("HOST", "192.0.2.1"),
    ],
)
def test_the_program_ends_before_it_begins_anything(tmp_path: Path, name: str, value: str) -> None:
    line = refused(tmp_path, GOOD | {name: value}, name)

    assert "secret" not in line


def test_the_plain_command_ends_in_the_same_way(tmp_path: Path) -> None:
    line = the_line(start_plainly(tmp_path, GOOD | {"BOT_TOKEN": "7000000001:abc-secret"}), tmp_path, "BOT_TOKEN")

    assert "secret" not in line


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"BOT_API_URL": "https://api.telegram.org"}, "ALLOW_SIMULATED"),
        ({"BOT_API_URL": "http://192.168.1.5:8081"}, "ALLOW_SIMULATED"),
        ({"BOT_API_URL": "http://127.0.0.1.example.org"}, "ALLOW_SIMULATED"),
        ({"BOT_API_URL": "http://localhost@example.org"}, "ALLOW_SIMULATED"),
        ({"BOT_API_URL": "https://api.telegram.org", "ALLOW_SIMULATED": "0"}, "ALLOW_SIMULATED"),
        (
            {"BOT_API_URL": "https://api.telegram.org", "ALLOW_SIMULATED": "1", "CLOCK_OFFSET_FILE": "clock"},
            "CLOCK_OFFSET_FILE",
        ),
        (
            {"BOT_API_URL": "https://api.telegram.org", "ALLOW_SIMULATED": "1", "DIALOGUE_COVERAGE_FILE": "notes"},
            "DIALOGUE_COVERAGE_FILE",
        ),
        (
            {"BOT_API_URL": "https://api.telegram.org", "ALLOW_SIMULATED": "1", "RATE_LIMIT_SENDING": "0"},
            "RATE_LIMIT_SENDING",
        ),
        ({"BOT_API_URL": "http://10.0.0.1", "HTTP_PROXY": "socks4://me:secret@10.0.0.2:1080"}, "HTTP_PROXY"),
        ({"BOT_API_URL": "https://api.telegram.org", "HTTPS_PROXY": "https://10.0.0.2"}, "HTTPS_PROXY"),
        ({"PROVIDER_FACE": "http"}, "PROVIDER_URL"),
        ({"PROVIDER_WECHAT": "off", "PROVIDER_QQ": "off", "PROVIDER_FACE": "off"}, "PROVIDER_WECHAT"),
        (
            {"PROVIDER_WECHAT": "off", "PROVIDER_NETID": "simulated"} | OTHERS_OFF,
            "PROVIDER_WECHAT, PROVIDER_QQ, PROVIDER_FACE: at least one",
        ),
        (HTTP | OTHERS_OFF | {"PROVIDER_NETID": "simulated"}, "PROVIDER_NETID"),
        (TENCENT | {"TENCENT_SECRET_ID": ""}, "TENCENT_SECRET_ID"),
        (TENCENT | {"TENCENT_SECRET_KEY": ""}, "TENCENT_SECRET_KEY"),
        (TENCENT | {"TENCENT_RULE_ID": ""}, "TENCENT_RULE_ID"),
        (TENCENT | {"PUBLIC_URL": "http://bot.example.org"}, "PUBLIC_URL"),
        (TENCENT | {"PUBLIC_URL": ""}, "PUBLIC_URL"),
        (TENCENT | {"QR_TTL": "41m"}, "QR_TTL"),
        (TENCENT | {"PROVIDER_QQ": "simulated"}, "PROVIDER_QQ"),
        (ALIPAY | {"ALIPAY_APP_ID": ""}, "ALIPAY_APP_ID"),
        (ALIPAY | {"ALIPAY_PRIVATE_KEY": ""}, "ALIPAY_PRIVATE_KEY"),
        (ALIPAY | {"ALIPAY_PUBLIC_KEY": ""}, "ALIPAY_PUBLIC_KEY"),
        (ALIPAY | {"PUBLIC_URL": "http://bot.example.org"}, "PUBLIC_URL"),
        ({"PROVIDER_FACE": "http", "PROVIDER_SECRET": SECRET}, "PROVIDER_URL"),
        ({"PROVIDER_FACE": "http", "PROVIDER_URL": "https://verify.example.org"}, "PROVIDER_SECRET"),
        (HTTP | {"BOT_API_URL": "https://api.telegram.org"}, "ALLOW_SIMULATED"),
        ({"RESULT_WEBHOOK_URL": "https://shop.example.org"}, "RESULT_WEBHOOK_SECRET"),
        ({"RESULT_WEBHOOK_SECRET": SECRET}, "RESULT_WEBHOOK_URL"),
        ({"ENCRYPTION_KEYS": f"k1:{KEY}"}, "INDEX_KEY"),
        ({"INDEX_KEY": KEY}, "ENCRYPTION_KEYS"),
        ({"WEBHOOK_URL": "https://bot.example.org"}, "WEBHOOK_SECRET"),
        ({"WEBHOOK_SECRET": "a-word-of-the-webhook"}, "WEBHOOK_URL: missing, but WEBHOOK_SECRET is set"),
        *(
            (REAL | {"PUBLIC_URL": f"https://{host}/"}, f"PUBLIC_URL: phones cannot reach {name}")
            for host, name in UNREACHABLE.items()
        ),
        (
            REAL | {"WEBHOOK_URL": "https://localhost", "WEBHOOK_SECRET": "a-word-of-the-webhook"},
            "WEBHOOK_URL: Telegram cannot reach localhost",
        ),
        ({"WEBHOOK_URL": "https://bot.example.org", "WEBHOOK_SECRET": "short"}, "WEBHOOK_SECRET"),
        ({"WEBHOOK_URL": "https://bot.example.org", "WEBHOOK_SECRET": "with spaces in between"}, "WEBHOOK_SECRET"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(
    begin: Callable[[Mapping[str, str]], Ended], tmp_path: Path, changes: dict[str, str], name: str
) -> None:
    assert "secret" not in the_line(begin(GOOD | changes), tmp_path, name)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"ENCRYPTION_KEYS": "k1:short", "INDEX_KEY": OTHER_KEY}, "ENCRYPTION_KEYS"),
        ({"ENCRYPTION_KEYS": f"k1:{KEY}", "INDEX_KEY": "short"}, "INDEX_KEY"),
        ({"ENCRYPTION_KEYS": f"k1:{KEY}", "INDEX_KEY": KEY}, "INDEX_KEY"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(tmp_path: Path, changes: dict[str, str], name: str) -> None:
    refused(tmp_path, GOOD | changes, name)


def test_pages_that_no_phone_reaches_are_refused_where_a_real_provider_is_to_be_used(tmp_path: Path) -> None:
    line = refused(tmp_path, GOOD | HTTP | OTHERS_OFF | {"BOT_API_URL": "https://api.telegram.org"}, "PUBLIC_URL")

    assert line.startswith("PUBLIC_URL: missing; phones cannot reach http://127.0.0.1:")


@pytest.mark.parametrize(("settings", "name"), [({"PORT": "abc"}, "PORT"), ({"HOST": "192.0.2.1"}, "HOST")])
def test_in_a_log_of_json_an_error_at_the_start_is_json_too(
    tmp_path: Path, settings: dict[str, str], name: str
) -> None:
    ended = start(tmp_path, GOOD | {"LOG_FORMAT": "json"} | settings)

    [line] = ended.lines
    assert ended.code == 2
    assert json.loads(line)["level"] == "error"
    assert json.loads(line)["event"].startswith(name)


def test_where_the_file_cannot_be_read_an_error_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"LOG_FORMAT=json\nOPERATOR_NAME=\xff\n")
    only(monkeypatch, tmp_path, GOOD)

    assert CliRunner().invoke(app, []).stderr == ".env: cannot be read (it is not text in UTF-8)\n"


# Names and the file


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"PORT=9000\n\nBOT TOKEN=secret\n", ".env: line 3 cannot be read; write NAME=value"),
        (b"PORT=9000\nsecret\n", ".env: line 2 cannot be read; write NAME=value"),
        (b'# all\nOPERATOR_NAME="secret\nPORT=9000\n', ".env: line 2 cannot be read; write NAME=value"),
        (b"PORT=9000\nQR_TTL=5m\nport=9000\n", ".env: PORT stands in the lines 1 and 3; keep one of them"),
        (b"OPERATOR_NAME=\xff\n", ".env: cannot be read (it is not text in UTF-8)"),
        (b"STAFF_ID=200012345\n", "STAFF_ID: there is no such setting; did you mean STAFF_IDS?"),
        (b"PORTS=9000\n", "PORTS: there is no such setting; did you mean PORT?"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_without_a_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, line: str
) -> None:
    (tmp_path / ".env").write_bytes(content)
    only(monkeypatch, tmp_path, GOOD)

    ended = CliRunner().invoke(app, [])

    assert (ended.exit_code, ended.stderr, ended.stdout) == (2, f"{line}\n", "")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to("nowhere"), "it is a link to a file that is not there"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    make(tmp_path / ".env")

    with pytest.raises(BadSetting) as refusal:
        loaded(monkeypatch, tmp_path)

    assert str(refusal.value) == f".env: cannot be read ({reason})"


def test_the_file_may_be_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")

    assert read_names(tmp_path / ".env") == [], "the names of what can be read only once are not looked at"


def test_the_file_may_begin_with_a_byte_order_mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfPORT=9000\r\nexport RETENTION_DAYS=7\r\n")

    settings = loaded(monkeypatch, tmp_path)

    assert (settings.port, settings.retention_days) == (9000, 7)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("STAFF_ID", "STAFF_IDS"),
        ("bot_tokne", "BOT_TOKEN"),
        ("ENCRYPTION_KEY", "ENCRYPTION_KEYS"),
        ("WEB_HOOK_URL", "WEBHOOK_URL"),
        ("API_KEY", "API_KEYS"),
        ("BOT_TOKENFILE", "BOT_TOKEN_FILE"),
    ],
)
def test_a_name_that_is_nearly_one_of_ours_is_refused(
    begin: Callable[[Mapping[str, str]], Ended], tmp_path: Path, written: str, meant: str
) -> None:
    line = the_line(begin(GOOD | {written: "secret"}), tmp_path, written.upper())

    assert line == f"{written.upper()}: there is no such setting; did you mean {meant}?"


def test_names_of_other_programs_are_none_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    others = ("FTP_PROXY", "HOSTS", "LANGUAGES", "LANG", "XDG_DATA_DIRS", "OPENAI_API_KEY", "PGPASSWORD")
    proxies = {"http_proxy": "http://10.0.0.1:3128", "HTTP_PROXY": "http://10.0.0.2:3128"}

    assert loaded(monkeypatch, tmp_path, **dict.fromkeys(others, "1"), **proxies).port == 8080


def test_a_name_in_two_spellings_is_refused(begin: Callable[[Mapping[str, str]], Ended], tmp_path: Path) -> None:
    line = the_line(begin(GOOD | {"qr_ttl": "5m", "QR_TTL": "10m"}), tmp_path, "QR_TTL")

    assert line == "QR_TTL: is set in capital and in small letters; keep one of them"


# Without a token


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"PUBLIC_URL": "https://bot.example.org"}, "PUBLIC_URL"),
        ({"WEBHOOK_URL": "https://bot.example.org", "WEBHOOK_SECRET": "a-word-of-the-webhook"}, "WEBHOOK_SECRET"),
        ({"DATABASE_URL": "postgresql://bot:word@127.0.0.1/bot"}, "DATABASE_URL"),
        ({"ENCRYPTION_KEYS": f"k1:{KEY}", "INDEX_KEY": OTHER_KEY}, "ENCRYPTION_KEYS"),
        ({"STAFF_IDS": "200012345"}, "STAFF_IDS"),
        ({"ALLOW_SIMULATED": "1"}, "ALLOW_SIMULATED"),
        ({"HOST": "0.0.0.0"}, "HOST"),
        ({"NOTIFY_SOCKET": "/run/systemd/notify"}, "NOTIFY_SOCKET"),
        (HTTP | OTHERS_OFF, "PROVIDER_FACE"),
    ],
)
def test_what_is_set_up_for_telegram_never_starts_the_playground(
    begin: Callable[[Mapping[str, str]], Ended], tmp_path: Path, settings: dict[str, str], name: str
) -> None:
    line = the_line(begin(settings), tmp_path, "BOT_TOKEN")

    assert line == f"BOT_TOKEN: missing, but {name} is set; without a token, start: run_bot.py playground"


def test_what_people_set_for_the_playground_says_nothing_of_telegram(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    local = {
        "PORT": "0",
        "HOST": "127.0.0.1",
        "DATA_DIR": "here",
        "DATABASE_URL": "sqlite:///a.db",
        "LANGUAGE": "de_DE",
    }

    assert not setting_for_telegram(loaded(monkeypatch, tmp_path, **local, LOG_LEVEL="ERROR", QR_TTL="5m"))
    assert not setting_for_telegram(loaded(monkeypatch, tmp_path))


@pytest.mark.slow("programs")
@pytest.mark.parametrize(
    ("command", "settings"),
    [((), {}), (("playground",), {"PUBLIC_URL": "https://bot.example.org", "STAFF_IDS": "200012345"})],
)
def test_the_playground_starts_where_nothing_is_set_or_by_its_own_command(
    tmp_path: Path, command: tuple[str, ...], settings: dict[str, str]
) -> None:
    env = base_environment(os.environ) | {"PORT": "0"} | settings
    with subprocess.Popen(
        [sys.executable, str(RUN_BOT), *command],
        cwd=tmp_path,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = (line for line in process.stdout if "Chat with the bot" in line)
        assert "http://127.0.0.1:" in next(lines, "it ended")
        process.terminate()

    assert process.returncode == 0


def test_a_port_that_is_taken_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with taken_port() as port:
        line = refused(tmp_path, GOOD | {"PORT": str(port)}, "PORT")

        assert str(port) in line


@pytest.mark.parametrize("content", ["", "{", "[]", '{"encryption_keys": 7}', "\x00\x01"])
def test_a_broken_keys_file_is_named_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    keys = tmp_path / "data" / "keys.json"
    keys.parent.mkdir()
    keys.write_text(content, encoding="utf-8")

    ended = start(tmp_path, GOOD)

    assert (ended.code, len(ended.lines)) == (2, 1), ended
    assert "keys.json" in ended.lines[0]
    assert keys.read_text(encoding="utf-8") == content
    assert [path.name for path in keys.parent.iterdir()] == ["keys.json"]


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", encoding="utf-8")

    ended = start(tmp_path, GOOD)

    assert (ended.code, len(ended.lines)) == (2, 1), ended
    assert "DATA_DIR" in ended.lines[0]


def test_keys_of_another_database_are_refused(tmp_path: Path) -> None:
    keys = {"ENCRYPTION_KEYS": f"k1:{KEY}", "INDEX_KEY": OTHER_KEY}
    others = {"ENCRYPTION_KEYS": f"k1:{OTHER_KEY}", "INDEX_KEY": KEY}
    start(tmp_path, GOOD | keys)  # nobody answers at that address, but the database is made

    ended = start(tmp_path, GOOD | others)

    assert (ended.code, len(ended.lines)) == (2, 1), ended
    assert "KEY" in ended.lines[0]


def test_a_bot_api_that_does_not_answer_is_one_line_and_another_code(tmp_path: Path) -> None:
    ended = start(tmp_path, GOOD)

    assert (ended.code, len(ended.lines)) == (1, 1), ended
    assert "BOT_API_URL" in ended.lines[0]
    assert TOKEN not in ended.lines[0]


def test_a_proxy_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    ended = start(tmp_path, GOOD | {"TELEGRAM_PROXY": "http://me:secret@127.0.0.1:9"})

    assert (ended.code, len(ended.lines)) == (1, 1), ended
    assert "through the proxy 127.0.0.1:9" in ended.lines[0]
    assert "secret" not in ended.lines[0]


# Secrets in files


@pytest.mark.parametrize("variable", [f"{name}_file".upper() for name in SECRET_FILES])
@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda file: None, "No such file or directory"),
        (lambda file: file.mkdir(), "Is a directory"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "it is no text"),
        (lambda file: file.write_text(" \n"), "is empty"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(
    begin: Callable[[Mapping[str, str]], Ended],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    variable: str,
    write: Callable[[Path], object],
    reason: str,
) -> None:
    file = tmp_path_factory.mktemp("secrets") / "secret"
    write(file)

    line = the_line(begin({variable: str(file)}), tmp_path, variable)

    assert str(file) in line
    assert reason in line


@pytest.mark.parametrize("name", SECRET_FILES)
def test_a_secret_that_is_given_twice_is_refused(
    begin: Callable[[Mapping[str, str]], Ended], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, name: str
) -> None:
    file = tmp_path_factory.mktemp("secrets") / "secret"
    file.write_text("a-secret-in-a-file", encoding="utf-8")

    line = the_line(begin({name.upper(): "a-secret", f"{name}_file".upper(): str(file)}), tmp_path, name.upper())

    assert line == f"{name.upper()}_FILE: {file} and {name.upper()} are both given; keep one of them"


def test_a_secret_that_stands_where_its_file_belongs_is_not_printed(
    begin: Callable[[Mapping[str, str]], Ended], tmp_path: Path
) -> None:
    line = the_line(begin({"BOT_TOKEN_FILE": TOKEN}), tmp_path, "BOT_TOKEN_FILE")

    assert line == "BOT_TOKEN_FILE: write the absolute path of a file"


def test_a_wrong_secret_in_a_file_is_refused_without_its_content(
    begin: Callable[[Mapping[str, str]], Ended], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    file = tmp_path_factory.mktemp("secrets") / "secret"
    file.write_text("not-a-token", encoding="utf-8")

    assert "not-a-token" not in the_line(begin({"BOT_TOKEN_FILE": str(file)}), tmp_path, "BOT_TOKEN")


def test_every_secret_is_read_from_its_file_without_the_end_of_its_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = {
        "BOT_TOKEN": TOKEN,
        "DATABASE_URL": "postgresql://bot:secret@127.0.0.1/bot",
        "ENCRYPTION_KEYS": f"k1:{KEY}",
        "INDEX_KEY": OTHER_KEY,
        "WEBHOOK_SECRET": "a-secret-of-the-webhook",
        "PROVIDER_SECRET": SECRET,
        "TENCENT_SECRET_ID": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "TENCENT_SECRET_KEY": "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "ALIPAY_PRIVATE_KEY": ALIPAY["ALIPAY_PRIVATE_KEY"],
        "RESULT_WEBHOOK_SECRET": OTHER_SECRET,
        "DESK_KEY": "one-key-of-the-desk-012345",
        "API_KEYS": "a-key-of-a-program-0123456,another-key-of-a-program",
        "METRICS_KEY": "one-key-of-the-metrics-012",
    }
    assert {name.lower() for name in secrets} == set(SECRET_FILES)
    for name, secret in secrets.items():
        (tmp_path / name).write_text(f"{secret}\n", encoding="utf-8")
    named = {f"{name}_FILE": str(tmp_path / name) for name in secrets}
    (tmp_path / ".env").write_text(f"INDEX_KEY_FILE={named.pop('INDEX_KEY_FILE')}\n", encoding="utf-8")

    settings = loaded(
        monkeypatch,
        tmp_path,
        RESULT_WEBHOOK_URL="https://shop.example.org",
        WEBHOOK_URL="https://bot.example.org",
        ALLOW_SIMULATED="1",
        **named,
    )

    assert {name: getattr(settings, name.lower()).get_secret_value() for name in secrets} == secrets


# What is right


def test_defaults_are_those_of_the_documentation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = loaded(monkeypatch, tmp_path)

    assert settings.bot_token is None
    assert (settings.bot_api_url, settings.host, settings.port) == ("https://api.telegram.org", "127.0.0.1", 8080)
    assert settings.store_url == "sqlite:///data/bot.sqlite3"
    assert (settings.qr_ttl, settings.link_ttl) == (timedelta(minutes=10), timedelta(minutes=30))
    assert (settings.retention_days, settings.log_format, settings.language) == (30, "text", "zh")
    assert settings.providers == dict.fromkeys(TYPED_METHODS, "simulated")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("30s", 30), ("10m", 600), ("2H", 7200), (" 90 s ", 90)],
)
def test_a_duration_is_a_number_and_a_unit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, meant: int
) -> None:
    assert loaded(monkeypatch, tmp_path, QR_TTL=written).qr_ttl == timedelta(seconds=meant)


@pytest.mark.parametrize(
    ("written", "meant"), [("en", "en"), ("en_GB:en", "en"), ("de_DE:de", "zh"), ("C", "zh"), ("zh", "zh"), ("", "zh")]
)
def test_a_desktops_own_language_setting_is_no_reason_to_refuse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, meant: str
) -> None:
    assert loaded(monkeypatch, tmp_path, LANGUAGE=written).language == meant


@pytest.mark.parametrize("written", ["debug", "Debug", "DEBUG"])
def test_a_level_is_known_in_small_letters_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str) -> None:
    settings = loaded(monkeypatch, tmp_path, LOG_LEVEL=written, LOG_FORMAT="JSON")

    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")


def test_settings_may_stand_in_a_file_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RETENTION_DAYS=7\nPORT=9000\nSOMETHING_ELSE=1\n", encoding="utf-8")

    settings = loaded(monkeypatch, tmp_path, PORT="9001")

    assert (settings.retention_days, settings.port) == (7, 9001)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8081", True),
        ("http://localhost:8081", True),
        ("http://[::1]:8081", True),
        ("http://127.8.9.10", True),
        ("https://api.telegram.org", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0:8081", False),
        ("http://localhost.example.org", False),
    ],
)
def test_only_this_machine_counts_as_a_stand_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, loopback: bool
) -> None:
    assert loaded(monkeypatch, tmp_path, BOT_API_URL=url).on_loopback is loopback


def test_where_nothing_is_simulated_nobody_has_to_allow_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    all_ways = HTTP | {"PROVIDER_QQ": "http", "PROVIDER_FACE": "http"}

    settings = loaded(monkeypatch, tmp_path, BOT_TOKEN=TOKEN, **all_ways)

    assert not settings.on_loopback
    assert settings.providers == dict.fromkeys(TYPED_METHODS, "http")


def test_a_network_identity_is_off_unless_it_is_simulated_and_receives_no_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = loaded(monkeypatch, tmp_path, PROVIDER_NETID="simulated", PROVIDER_FACE="off")

    assert Method.NETID not in loaded(monkeypatch, tmp_path, PROVIDER_NETID="").providers
    assert settings.simulated_methods == {Method.WECHAT, Method.QQ, Method.NETID}
    assert settings.verification_services == ("simulated", "simulated")


def test_alipay_needs_nobody_to_allow_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert loaded(monkeypatch, tmp_path, BOT_TOKEN=TOKEN, **ALIPAY).providers == {Method.FACE: "alipay"}


def test_faceid_needs_nobody_to_allow_it_and_on_this_machine_no_https(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = loaded(monkeypatch, tmp_path, BOT_TOKEN=TOKEN, **TENCENT)
    assert settings.providers == {Method.FACE: "tencent"}
    assert settings.tencent_endpoint == "https://faceid.tencentcloudapi.com"

    local = TENCENT | {"PUBLIC_URL": "", "TENCENT_ENDPOINT": "http://127.0.0.1:8099/"}
    assert loaded(monkeypatch, tmp_path, **local).tencent_endpoint == "http://127.0.0.1:8099"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("", {"verify.example.org"}), ("a.example.org, B.example.org:8443,", {"a.example.org", "b.example.org:8443"})],
)
def test_phones_are_sent_to_the_listed_hosts_or_to_the_providers_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, meant: set[str]
) -> None:
    assert loaded(monkeypatch, tmp_path, **HTTP, **OTHERS_OFF, PROVIDER_REDIRECT_HOSTS=written).phone_hosts == meant


@pytest.mark.parametrize("on", [on for size in (1, 2, 3) for on in combinations(TYPED_METHODS, size)])
def test_a_method_that_is_off_has_no_provider(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, on: tuple[Method, ...]
) -> None:
    off = {f"PROVIDER_{method.upper()}": "off" for method in TYPED_METHODS if method not in on}

    assert loaded(monkeypatch, tmp_path, **off).providers == dict.fromkeys(on, "simulated")


def test_who_receives_names_is_named_by_kind_or_by_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mixed = HTTP | {"PROVIDER_FACE": "off", "ALLOW_SIMULATED": "1"}

    assert loaded(monkeypatch, tmp_path, **mixed).verification_services == ("verify.example.org", "simulated")


@pytest.mark.parametrize(("setting", "value"), [("PROVIDER_QQ", "off"), ("ALLOW_SIMULATED", "1")])
def test_a_simulated_provider_stands_beside_a_real_one_only_where_that_is_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, value: str
) -> None:
    mixed = HTTP | {"PROVIDER_FACE": "off"}
    with pytest.raises(BadSetting, match=r"^PROVIDER_QQ: simulated beside a real provider; set it to off, or .*$"):
        loaded(monkeypatch, tmp_path, **mixed)

    assert loaded(monkeypatch, tmp_path, **mixed | {setting: value}).providers[Method.WECHAT] == "http"


def test_secrets_do_not_show_in_the_settings_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = {"BOT_TOKEN": TOKEN, "ENCRYPTION_KEYS": f"k1:{KEY}", "INDEX_KEY": OTHER_KEY, "WEBHOOK_SECRET": "s" * 20}
    secrets |= {"PROVIDER_SECRET": SECRET, "RESULT_WEBHOOK_SECRET": OTHER_SECRET}
    secrets |= {name: TENCENT[name] for name in ("TENCENT_SECRET_ID", "TENCENT_SECRET_KEY")}
    secrets |= {"ALIPAY_PRIVATE_KEY": ALIPAY["ALIPAY_PRIVATE_KEY"]}
    secrets |= {name: f"http://me:{name}@10.0.0.1:3128" for name in ("TELEGRAM_PROXY", "HTTPS_PROXY", "HTTP_PROXY")}
    addresses = {"BOT_API_URL": LOOPBACK, "RESULT_WEBHOOK_URL": "https://shop.example.org"}
    addresses |= {"WEBHOOK_URL": "https://bot.example.org"}

    shown = repr(loaded(monkeypatch, tmp_path, **addresses, **secrets))

    assert not [secret for secret in secrets.values() if secret in shown]


def test_what_is_wrong_is_said_in_the_programs_own_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"^PORT: "):
        loaded(monkeypatch, tmp_path, PORT="abc")


@pytest.mark.parametrize(
    ("contact", "url"),
    [
        ("https://help.example.org/chat", "https://help.example.org/chat"),
        ("@support_of_ours", "https://t.me/support_of_ours"),
        ("help@example.org", ""),
        ("", ""),
    ],
)
def test_the_operator_is_reached_by_a_page_a_telegram_name_or_an_e_mail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, contact: str, url: str
) -> None:
    settings = loaded(monkeypatch, tmp_path, OPERATOR_CONTACT=contact, OPERATOR_NAME="示例云 客服")

    assert (settings.operator_contact, settings.operator_url, settings.operator_name) == (contact, url, "示例云 客服")


def loaded(monkeypatch: pytest.MonkeyPatch, folder: Path, **environment: str) -> Settings:
    """The settings of a program started in this folder with exactly this environment."""
    only(monkeypatch, folder, environment)
    return load()


def only(monkeypatch: pytest.MonkeyPatch, folder: Path, environment: Mapping[str, str]) -> None:
    """Go into a folder with exactly this environment."""
    for name in list(os.environ):
        if name not in ("PATH", "HOME"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("former", "name", "written", "meant"),
    [
        ("PACE_SENDING", "RATE_LIMIT_SENDING", "0", False),
        ("DAILY_ATTEMPTS", "DAILY_ATTEMPT_LIMIT", "7", 7),
        ("PROVIDER_HOSTS", "PROVIDER_REDIRECT_HOSTS", "a.example.org", "a.example.org"),
    ],
)
def test_a_setting_is_read_under_its_former_name_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, former: str, name: str, written: str, meant: object
) -> None:
    lines: list[str] = []
    only(monkeypatch, tmp_path, {"BOT_API_URL": LOOPBACK, former: written})
    assert getattr(load(lines.append), name.lower()) == meant
    assert lines == [f"{former} is called {name} now; the old name is read until 0.3"]

    monkeypatch.setenv(name, written)
    assert getattr(load(lines.append), name.lower()) == meant
    assert len(lines) == 1, "with the new name there is nothing to say"


@pytest.mark.parametrize(
    ("given", "served"),
    [
        ({}, True),
        ({"HOST": "0.0.0.0"}, False),
        ({"PUBLIC_URL": "https://bot.example.org"}, False),
        ({"PUBLIC_URL": "https://bot.example.org", "METRICS_KEY": "key-of-the-metrics-012345"}, True),
        ({"METRICS_PORT": "9100"}, False),
    ],
)
def test_metrics_stand_beside_the_pages_only_with_a_key_or_on_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], *, served: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert load().serves_metrics is served


def test_the_addresses_of_proxies_are_loopback_or_the_listed_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    by_default = load().proxies
    monkeypatch.setenv("TRUSTED_PROXIES", "10.1.2.3, 172.30.77.0/24")
    listed = load().proxies
    monkeypatch.setenv("TRUSTED_PROXIES", "10.1.2.3,everybody")

    assert by_default == ("127.0.0.0/8", "::1")
    assert listed == ("10.1.2.3", "172.30.77.0/24")
    with pytest.raises(BadSetting, match=r"^TRUSTED_PROXIES: write addresses"):
        load()
