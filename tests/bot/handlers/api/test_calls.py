"""The outcomes of a call, and which calls are repeated."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.engine.messages import BotBlocked, DeliveryFailed
from bot.handlers.api.call_outcome import DeferredByRateLimiter
from bot.handlers.api.calls import MessageGone, best_effort, call, call_idempotent
from bot.handlers.api.transport import NotSent

# The library warns that durations will become timedeltas; the bot reads both.
pytestmark = pytest.mark.filterwarnings("ignore:.*In a future major version:DeprecationWarning")

Make = Callable[[], Awaitable[str]]


class FlakyCall:
    """A call that fails with these errors, one per try, before it works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "sent"


async def test_a_call_that_works_is_made_once() -> None:
    flaky = FlakyCall()

    assert await call(flaky, idempotent=False) == "sent"
    assert flaky.calls == 1


@pytest.mark.parametrize(
    "words",
    [
        "Message is not modified: specified new message content…",
        "Query is too old and response timeout expired or query id is invalid",
        "query ID is invalid",
    ],
)
async def test_a_refusal_because_nothing_changes_counts_as_done(words: str) -> None:
    assert await call(FlakyCall(BadRequest(words)), idempotent=False) is None


@pytest.mark.parametrize(
    "words",
    [
        "Message to edit not found",
        "Message to delete not found",
        "Message can't be edited",
        "Message can't be deleted for everyone",
        "There is no text in the message to edit",
    ],
)
async def test_a_refusal_because_the_message_is_missing_raises_message_gone(words: str) -> None:
    with pytest.raises(MessageGone):
        await call(FlakyCall(BadRequest(words)), idempotent=True)
    assert not await call_idempotent(FlakyCall(BadRequest(words)))


@pytest.mark.parametrize("error", [Forbidden("bot was blocked by the user"), BadRequest("Chat not found")])
async def test_a_chat_that_the_bot_cannot_write_to_raises_bot_blocked(error: TelegramError) -> None:
    with pytest.raises(BotBlocked):
        await call(FlakyCall(error), idempotent=True)


async def test_a_malformed_call_raises_its_error_and_is_not_repeated() -> None:
    flaky = FlakyCall(BadRequest("Can't parse entities: unsupported start tag"))

    with pytest.raises(BadRequest):
        await call(flaky, idempotent=True)
    assert flaky.calls == 1


@pytest.mark.parametrize("pause", [0, timedelta(0), 0.01])
async def test_a_call_is_repeated_after_every_429_until_it_is_made(pause: float | timedelta) -> None:
    flaky = FlakyCall(*(RetryAfter(pause) for _ in range(9)))  # type: ignore[arg-type]  # fractions come from test servers

    assert await call(flaky, idempotent=False) == "sent"
    assert flaky.calls == 10


async def test_a_call_that_would_wait_too_long_fails_at_once() -> None:
    flaky = FlakyCall(DeferredByRateLimiter(3600))

    with pytest.raises(DeliveryFailed) as raised:
        await call(flaky, idempotent=True)
    assert flaky.calls == 1
    assert not raised.value.maybe_delivered


UNKNOWN = [NetworkError("Bad Gateway"), TimedOut(), TelegramError("Invalid server response")]


@pytest.mark.parametrize("error", UNKNOWN)
async def test_inv26_a_call_that_may_have_arrived_is_repeated_only_if_it_is_idempotent(error: TelegramError) -> None:
    careful, careless = FlakyCall(error), FlakyCall(error)

    with pytest.raises(DeliveryFailed) as raised:
        await call(careful, idempotent=False)
    assert raised.value.maybe_delivered
    assert await call(careless, idempotent=True) == "sent"
    assert (careful.calls, careless.calls) == (1, 2)


async def test_a_call_that_was_never_sent_is_always_repeated() -> None:
    flaky = FlakyCall(NotSent("ClientConnectorError"))

    assert await call(flaky, idempotent=False) == "sent"


async def test_a_call_fails_after_three_tries_without_a_network() -> None:
    flaky = FlakyCall(*(NotSent("ClientConnectorError") for _ in range(9)))

    with pytest.raises(DeliveryFailed) as raised:
        await call(flaky, idempotent=False)
    assert flaky.calls == 3
    assert not raised.value.maybe_delivered


@pytest.mark.parametrize("error", [InvalidToken(), Conflict("two"), ChatMigrated(5)])
async def test_any_other_refusal_fails_without_a_repetition(error: TelegramError) -> None:
    flaky = FlakyCall(error)

    with pytest.raises(DeliveryFailed):
        await call(flaky, idempotent=True)
    assert flaky.calls == 1


@pytest.mark.parametrize(
    "make",
    [lambda: Forbidden("blocked"), TimedOut, lambda: RetryAfter(9), lambda: BadRequest("nonsense"), InvalidToken],
)
async def test_a_best_effort_call_that_fails_raises_nothing(make: Callable[[], TelegramError]) -> None:
    flaky = FlakyCall(make())

    await best_effort(flaky)

    assert flaky.calls == 1
