"""The errors of real calls when the network or the server fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from telegram import Bot
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.handlers.api.transport import AiohttpRequest, NotSent
from playground.server.app import serve_playground
from tests.simulator_fixture import TOKEN, Simulator, simulator


@asynccontextmanager
async def bot_at(url: str, *, read_timeout: float = 10.0) -> AsyncIterator[Bot]:
    request = AiohttpRequest(read_timeout=read_timeout)
    async with request:
        yield Bot(TOKEN, f"{url}/bot", request=request, get_updates_request=AiohttpRequest())


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
    request = AiohttpRequest()

    with pytest.raises(RuntimeError, match="not initialised"):
        await request.do_request("http://127.0.0.1", "GET")
