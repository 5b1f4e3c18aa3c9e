"""The errors of real calls when the network or the server fails."""

import email
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from telegram import Bot
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.handlers.api.transport import BotApiRequest, NotSent
from bot.proxies import parse_proxy
from playground.server.app import serve_playground
from tests.scripted_server import proxy_server, scripted_server
from tests.simulator_fixture import TOKEN, Simulator, simulator

TRUE = b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"ok":true,"result":true} '[:-1]
SENT = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n"
    b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"}}} '
)


@asynccontextmanager
async def bot_at(url: str, *, read_timeout: float = 10.0) -> AsyncIterator[Bot]:
    request = BotApiRequest(read_timeout=read_timeout)
    async with request:
        yield Bot(TOKEN, f"{url}/bot", request=request, get_updates_request=BotApiRequest())


async def failure(telegram: Simulator, kind: str, *, read_timeout: float = 10.0, **facts: Any) -> BaseException:
    async with bot_at(telegram.url, read_timeout=read_timeout) as bot:
        await telegram.inject_fault("getMe", kind, **facts)
        with pytest.raises(TelegramError) as caught:
            await bot.get_me()
    return caught.value


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("502", NetworkError),
        ("500", NetworkError),
        ("drop", NetworkError),
        ("lost", NetworkError),
        ("garbage", TelegramError),
        ("429", RetryAfter),
        ("401", InvalidToken),
    ],
)
async def test_each_failure_has_its_error_and_none_counts_as_not_sent(kind: str, error: type[TelegramError]) -> None:
    async with simulator() as telegram:
        found = await failure(telegram, kind)

        assert isinstance(found, error)
        assert not isinstance(found, NotSent)


async def test_a_missing_response_is_a_timeout() -> None:
    async with simulator() as telegram:
        assert isinstance(await failure(telegram, "slow", read_timeout=0.05, seconds=1), TimedOut)


async def test_a_refused_connection_counts_as_not_sent() -> None:
    async with simulator() as telegram:
        async with serve_playground(telegram.playground) as url:
            closed = url
        async with bot_at(closed) as bot:
            with pytest.raises(NotSent):
                await bot.get_me()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("502", "status 502"),
        ("drop", "the server closed the connection"),
        ("429", ""),
        ("401", ""),
        ("slow", "timed out"),
    ],
)
async def test_whether_telegram_answers_is_noted_in_plain_words(kind: str, reason: str) -> None:
    noted: list[str] = []
    async with simulator() as telegram, BotApiRequest(read_timeout=1, note=noted.append) as request:
        bot = Bot(TOKEN, f"{telegram.url}/bot", request=request, get_updates_request=BotApiRequest())
        await bot.get_me()
        await telegram.inject_fault("getMe", kind, **({"seconds": 5} if kind == "slow" else {}))
        with pytest.raises(TelegramError):
            await bot.get_me()

    assert noted == ["", reason]


async def test_a_refused_connection_is_noted_in_plain_words() -> None:
    noted: list[str] = []
    async with BotApiRequest(note=noted.append) as request:
        with pytest.raises(NotSent, match=r"^connection refused$"):
            await Bot(TOKEN, "http://127.0.0.1:1/bot", request=request, get_updates_request=BotApiRequest()).get_me()

    assert noted == ["connection refused"]


@pytest.mark.parametrize("kind", ["502", "drop", "lost", "garbage", "401"])
async def test_no_error_quotes_the_address_which_holds_the_token(kind: str) -> None:
    async with simulator() as telegram:
        found: BaseException | None = await failure(telegram, kind)

        while found is not None:
            assert TOKEN not in f"{found} {found!r}"
            found = found.__cause__


async def test_a_429_without_retry_after_is_not_a_refusal() -> None:
    async with simulator() as telegram:
        found = await failure(telegram, "429", retry_after=0)

        assert isinstance(found, NetworkError)


async def test_after_a_failure_the_next_call_works() -> None:
    async with simulator() as telegram, bot_at(telegram.url) as bot:
        await telegram.inject_fault("getMe", "drop")
        with pytest.raises(NetworkError):
            await bot.get_me()

        assert (await bot.get_me()).is_bot


async def test_a_transport_that_is_not_open_raises_an_error() -> None:
    request = BotApiRequest()

    with pytest.raises(RuntimeError, match="not initialised"):
        await request.do_request("http://127.0.0.1", "GET")


async def test_a_call_without_a_file_is_json_and_one_with_a_file_a_form() -> None:
    async with scripted_server(lambda _: TRUE) as server, bot_at(server.url) as bot:
        await bot.set_my_description("“说明”")
        await bot.set_webhook("https://bot.example.org", certificate=b"-----BEGIN", allowed_updates=["message"])

    described, webhook = server.requests
    assert b"\r\nContent-Type: application/json\r\n" in described
    assert json.loads(described.partition(b"\r\n\r\n")[2]) == {"description": "“说明”"}
    head, _, body = webhook.partition(b"\r\n\r\n")
    message = email.message_from_bytes(head.partition(b"\r\n")[2] + b"\r\n\r\n" + body)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.walk()}
    assert parts["url"].get_payload() == "https://bot.example.org"
    assert parts["allowed_updates"].get_payload() == '["message"]'
    assert parts["certificate"].get_payload(decode=True) == b"-----BEGIN"
    assert parts["certificate"].get_filename()


async def test_the_name_of_a_file_cannot_end_its_header() -> None:
    name = 'a"\r\nX: y'
    async with scripted_server(lambda _: SENT) as server, bot_at(server.url) as bot:
        await bot.send_document(1, b"{}", filename=name)

    assert b'filename="a%22%0D%0AX: y"\r\n' in server.requests[0]


async def test_a_call_through_a_proxy_reaches_the_bot_api() -> None:
    async with (
        simulator() as telegram,
        proxy_server() as proxy,
        BotApiRequest(proxy=parse_proxy(proxy.url)) as request,
    ):
        bot = Bot(TOKEN, f"{telegram.url}/bot", request=request, get_updates_request=BotApiRequest())

        assert (await bot.get_me()).is_bot

    assert len(proxy.heads) == 1


async def test_a_proxy_that_refuses_means_that_the_call_was_not_sent() -> None:
    async with proxy_server() as proxy:
        proxy.answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        async with BotApiRequest(proxy=parse_proxy(proxy.url)) as request:
            bot = Bot(TOKEN, request=request, get_updates_request=BotApiRequest())
            with pytest.raises(NotSent) as caught:
                await bot.get_me()

    assert TOKEN not in f"{caught.value!r}{caught.value.__cause__!r}"


async def test_half_a_pair_of_surrogates_is_sent_and_read() -> None:
    half, result = "\ud83d", b'{"ok":true,"result":{"name":"\\ud83d"}}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(result), result)
    async with scripted_server(lambda _: answer) as server, bot_at(server.url) as bot:
        assert (await bot.get_my_name(half)).name == half

    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == {"language_code": half}
