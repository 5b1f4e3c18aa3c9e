"""Calls over the wire: what comes back when the network or the server misbehaves."""

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
async def speaking(url: str, *, patience: float = 10.0) -> AsyncIterator[Bot]:
    request = AiohttpRequest(read_timeout=patience)
    async with request:
        yield Bot(TOKEN, f"{url}/bot", request=request, get_updates_request=AiohttpRequest())


async def failure(place: Simulator, kind: str, *, patience: float = 10.0, **facts: Any) -> BaseException:
    async with speaking(place.url, patience=patience) as bot:
        await place.inject_fault("getMe", kind, **facts)
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
async def test_each_fault_has_its_kind_and_none_is_sure_not_to_have_left(kind: str, error: type[TelegramError]) -> None:
    async with simulator() as place:
        found = await failure(place, kind)

        assert isinstance(found, error)
        assert not isinstance(found, NotSent)


async def test_an_answer_that_does_not_come_is_a_time_out() -> None:
    async with simulator() as place:
        assert isinstance(await failure(place, "slow", patience=0.05, seconds=1), TimedOut)


async def test_a_call_that_found_nobody_never_left() -> None:
    async with simulator() as place:
        async with serve_playground(place.playground) as url:
            nobody = url
        async with speaking(nobody) as bot:
            with pytest.raises(NotSent):
                await bot.get_me()


@pytest.mark.parametrize("kind", ["502", "drop", "lost", "garbage", "401"])
async def test_no_error_names_the_address_for_it_holds_the_token(kind: str) -> None:
    async with simulator() as place:
        found: BaseException | None = await failure(place, kind)

        while found is not None:
            assert TOKEN not in f"{found} {found!r}"
            found = found.__cause__


async def test_a_429_without_a_number_of_seconds_is_no_lasting_refusal() -> None:
    async with simulator() as place:
        found = await failure(place, "429", retry_after=0)

        assert isinstance(found, NetworkError)


async def test_after_a_fault_the_next_call_works() -> None:
    async with simulator() as place, speaking(place.url) as bot:
        await place.inject_fault("getMe", "drop")
        with pytest.raises(NetworkError):
            await bot.get_me()

        assert (await bot.get_me()).is_bot


async def test_a_transport_that_is_not_open_says_so() -> None:
    request = AiohttpRequest()

    with pytest.raises(RuntimeError, match="not initialised"):
        await request.do_request("http://127.0.0.1", "GET")
