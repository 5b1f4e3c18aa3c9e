"""The logs go to stderr in one format, without secrets and personal data."""

import json
import logging
from collections.abc import Iterator

import pytest
from telegram.error import TelegramError
from telegram.request import BaseRequest

from bot import logs
from tests.provider_server import SECRET
from tests.simulator_fixture import NAME, NUMBER, TOKEN

LINK = "/v/abcdefghijklmnopqrstuvwx"


@pytest.fixture(autouse=True)
def _restored_loggers() -> Iterator[None]:
    names = [None, "telegram", "httpx", "httpcore", "aiohttp", "uvicorn", "asyncio", "aiosqlite"]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = logging.getLogger().handlers
    yield
    logging.getLogger().handlers = handlers
    for logger, level in before:
        logger.setLevel(level)


@pytest.mark.parametrize(
    ("message", "redacted"),
    [
        (f"calling https://api.telegram.org/bot{TOKEN}/getMe", "calling https://api.telegram.org/bot<token>/getMe"),
        (f"GET http://127.0.0.1:8080{LINK}?lang=zh 200", "GET http://127.0.0.1:8080/v/<link>?lang=zh 200"),
        (f"signed with {SECRET}, it says", "signed with <secret>, it says"),
        (f"the number {NUMBER} is odd", "the number <number> is odd"),
        ("11010119900307803x", "<number>"),
        ("110105491231002", "<number>"),
        ("update 459000123 of telegram:7123456789", "update 459000123 of telegram:7123456789"),
        ("at 1790000000 after 12.5 s", "at 1790000000 after 12.5 s"),
    ],
)
def test_what_looks_like_a_secret_is_redacted(message: str, redacted: str) -> None:
    assert logs.redact(message) == redacted


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_has_its_message_without_secrets(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form, "INFO")  # type: ignore[arg-type]  # the two formats
    logging.getLogger("bot.somewhere").warning("call failed: %s with %s", "NetworkError", TOKEN)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "call failed: NetworkError with <token>" in captured.err
    assert "warning" in captured.err
    assert captured.err.count("\n") == 1


def test_a_line_of_json_can_be_parsed(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "INFO")
    logging.getLogger("bot.somewhere").info("说中文")

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"]) == ("说中文", "info", "bot.somewhere")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_contains_no_values(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form, "DEBUG")  # type: ignore[arg-type]  # the two formats
    secret = NAME
    try:
        int(f"{secret!r}"[:0] or "x")
    except ValueError:
        logging.getLogger("bot.somewhere").exception("a turn could not be shown")

    err = capsys.readouterr().err
    assert "ValueError" in err
    assert NAME not in err


def test_a_level_suppresses_lower_levels(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "WARNING")
    logging.getLogger("bot.somewhere").info("quiet")

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("body", [f'{{"ok": true, "result": [{{"text": "{NAME}"', f"<html>{NAME}"])
def test_an_unreadable_response_is_not_quoted(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "DEBUG")

    with pytest.raises(TelegramError):
        BaseRequest.parse_json_payload(body.encode())
    assert NAME not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["telegram.ext.ExtBot", "aiohttp.access", "uvicorn.access", "aiosqlite", "asyncio"])
def test_libraries_that_log_data_are_silent_even_at_debug_level(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "DEBUG")
    logging.getLogger(name).debug("INSERT %s", NAME)
    logging.getLogger(name).info("got %s", NAME)

    assert capsys.readouterr().err == ""
