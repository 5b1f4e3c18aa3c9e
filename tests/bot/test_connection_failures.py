"""Six faults between the bot and Telegram, on loopback: each is told in the log, by doctor and at the start."""

import errno
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from telegram import Bot
from telegram.error import NetworkError

from bot.app import serve
from bot.cli.check_telegram import check_telegram
from bot.connection_failures import describe_failure, telegram_advice
from bot.handlers.api.transport import BotApiRequest
from bot.intake import StartupError
from bot.outages import Outages
from bot.settings import Settings
from tests.scripted_server import Reader, Writer, listening_at, proxy_server, socks_server
from tests.simulator_fixture import TOKEN

NOWHERE = "http://127.0.0.1:1"
REFUSED_BY_PROXY = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


async def _reset(reader: Reader, writer: Writer) -> None:
    """Cut the connection as a filter on the way does: by a reset, after the first bytes."""
    await reader.read(1)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _close(reader: Reader, _: Writer) -> None:
    await reader.read(1)


async def _speak_without_tls(reader: Reader, writer: Writer) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")


async def _stay_silent(reader: Reader, _: Writer) -> None:
    await reader.read()


@asynccontextmanager
async def _given(**settings: str) -> AsyncIterator[dict[str, str]]:
    yield settings


@asynccontextmanager
async def _server(serve: Callable[[Reader, Writer], Coroutine[Any, Any, None]]) -> AsyncIterator[dict[str, str]]:
    async with listening_at(serve) as url:
        yield {"bot_api_url": url.replace("http:", "https:")}


@asynccontextmanager
async def _proxy(serve: Callable[[Reader, Writer], Coroutine[Any, Any, None]]) -> AsyncIterator[dict[str, str]]:
    async with listening_at(serve) as url:
        yield {"telegram_proxy": url}


@asynccontextmanager
async def _http_proxy(answer: bytes, bot_api_url: str = "https://api.telegram.org") -> AsyncIterator[dict[str, str]]:
    async with proxy_server() as proxy:
        proxy.answer = answer
        yield {"telegram_proxy": proxy.url, "bot_api_url": bot_api_url}


@asynccontextmanager
async def _socks_proxy(user: str = "", reply: int = 0) -> AsyncIterator[dict[str, str]]:
    async with socks_server(b"me:secret" if user else b"", reply) as proxy:
        yield {"telegram_proxy": proxy.url.replace("//", f"//{user}")}


Fault = Callable[[], AbstractAsyncContextManager[dict[str, str]]]
FAULTS: list[tuple[Fault, str]] = [
    (partial(_given, bot_api_url="http://name.invalid"), "name not found"),
    (partial(_given, bot_api_url=NOWHERE), "connection refused"),
    (partial(_server, _stay_silent), "timed out"),
    (partial(_server, _reset), "blocked on the way (connection reset)"),
    (partial(_server, _close), "blocked on the way (connection reset)"),
    (partial(_server, _speak_without_tls), "blocked on the way (TLS broken)"),
    (partial(_given, telegram_proxy=NOWHERE), "the proxy fails: connection refused"),
    (partial(_given, telegram_proxy="socks5://name.invalid"), "the proxy fails: name not found"),
    (partial(_proxy, _stay_silent), "the proxy fails: timed out"),
    (partial(_proxy, _reset), "the proxy fails: blocked on the way (connection reset)"),
    (partial(_http_proxy, REFUSED_BY_PROXY), "the proxy asks for a name and a password"),
    (partial(_http_proxy, REFUSED_BY_PROXY, NOWHERE), "the proxy asks for a name and a password"),
    (partial(_http_proxy, b"HTTP/1.1 503 Busy\r\n\r\n"), "the proxy does not reach Telegram (status 503)"),
    (partial(_socks_proxy, "me:wrong@"), "the proxy refuses the name or the password"),
    (partial(_socks_proxy, reply=4), "the proxy does not reach Telegram (host unreachable)"),
]


@pytest.fixture
async def settings(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Settings]:
    if _stay_silent in request.param.args:
        monkeypatch.setattr("bot.handlers.api.transport._CONNECT_TIMEOUT", 0.05)
    monkeypatch.chdir(tmp_path)  # without a file of settings
    common: dict[str, Any] = {"bot_token": TOKEN, "allow_simulated": True, "data_dir": tmp_path, "port": 0}
    async with request.param() as given:
        yield Settings(public_url="https://verify.example.org", **common, **given)


@pytest.mark.parametrize(("settings", "reason"), FAULTS, indirect=["settings"])
async def test_a_fault_is_one_line_in_the_log_with_its_cause_and_what_to_do(
    settings: Settings, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outages(lambda: 0.0, "bot.sqlite3").telegram
    outage.is_reported = True
    async with BotApiRequest(proxy=settings.proxy, note=outage.note) as request:
        bot = Bot(TOKEN, f"{settings.bot_api_url}/bot", request=request, get_updates_request=BotApiRequest())
        for _ in range(2):
            with pytest.raises(NetworkError):
                await bot.get_me()

    advice = telegram_advice(reason)
    assert caplog.messages == [f"Telegram is away: {reason}; {advice}; what is owed is sent when it is back"]
    assert "TELEGRAM_PROXY" in advice


@pytest.mark.parametrize(("settings", "reason"), FAULTS, indirect=["settings"])
async def test_doctor_and_the_start_name_the_cause(settings: Settings, reason: str) -> None:
    line = f"BOT_API_URL: no answer from {settings.bot_api}: {reason}; {telegram_advice(reason)}"

    assert [finding.text for finding in await check_telegram(settings)] == [line]
    with pytest.raises(StartupError) as caught:
        await serve(settings, lambda _: None)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EHOSTUNREACH, "No route to host ('10.0.0.1', 443)"), "no route to host"),
        (
            OSError(f"Multiple exceptions: [Errno {errno.ENETUNREACH}] a, [Errno {errno.ECONNREFUSED}] b"),
            "connection refused",
        ),
        (OSError(f"Multiple exceptions: [Errno {errno.ENETUNREACH}] a"), "network is unreachable"),
        (OSError("something about 10.0.0.1"), "OS"),
        (ValueError("https://api.telegram.org"), "value"),
    ],
)
def test_other_failures_are_told_without_an_address(error: Exception, reason: str) -> None:
    assert describe_failure(error).startswith(reason)
    assert "10.0.0.1" not in describe_failure(error)


def test_an_unknown_failure_leads_to_doctor() -> None:
    assert telegram_advice("status 502") == "check the network and run doctor"
