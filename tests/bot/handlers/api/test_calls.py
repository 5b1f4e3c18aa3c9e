"""What becomes of a call: done, refused for sure, or perhaps; and what may be repeated."""

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

# The library announces that durations will become timedeltas; the bot understands both.
pytestmark = pytest.mark.filterwarnings("ignore:.*In a future major version:DeprecationWarning")

Make = Callable[[], Awaitable[str]]


class FlakyCall:
    """A line to Telegram on which these errors happen, one a call, before it works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "sent"


async def test_a_call_that_works_is_made_once() -> None:
    line = FlakyCall()

    assert await call(line, idempotent=False) == "sent"
    assert line.calls == 1


@pytest.mark.parametrize(
    "words",
    [
        "Message is not modified: specified new message content…",
        "Query is too old and response timeout expired or query id is invalid",
        "query ID is invalid",
    ],
)
async def test_a_refusal_that_means_done_is_done(words: str) -> None:
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
async def test_a_message_that_is_gone_is_gone(words: str) -> None:
    with pytest.raises(MessageGone):
        await call(FlakyCall(BadRequest(words)), idempotent=True)
    assert not await call_idempotent(FlakyCall(BadRequest(words)))


@pytest.mark.parametrize("error", [Forbidden("bot was blocked by the user"), BadRequest("Chat not found")])
async def test_a_chat_that_is_closed_to_the_bot_is_out_of_reach(error: TelegramError) -> None:
    with pytest.raises(BotBlocked):
        await call(FlakyCall(error), idempotent=True)


async def test_a_fault_of_ours_is_not_hidden_and_not_repeated() -> None:
    line = FlakyCall(BadRequest("Can't parse entities: unsupported start tag"))

    with pytest.raises(BadRequest):
        await call(line, idempotent=True)
    assert line.calls == 1


@pytest.mark.parametrize("pause", [0, timedelta(0), 0.01])
async def test_however_often_telegram_asks_to_wait_the_call_is_made_in_the_end(pause: float | timedelta) -> None:
    line = FlakyCall(*(RetryAfter(pause) for _ in range(9)))  # type: ignore[arg-type]  # fractions come from test servers

    assert await call(line, idempotent=False) == "sent"
    assert line.calls == 10


async def test_a_long_pause_is_left_to_whoever_asks_again_later() -> None:
    line = FlakyCall(DeferredByRateLimiter(3600))

    with pytest.raises(DeliveryFailed) as raised:
        await call(line, idempotent=True)
    assert line.calls == 1
    assert not raised.value.maybe_delivered


UNKNOWN = [NetworkError("Bad Gateway"), TimedOut(), TelegramError("Invalid server response")]


@pytest.mark.parametrize("error", UNKNOWN)
async def test_inv26_what_may_have_arrived_is_repeated_only_where_that_does_no_harm(error: TelegramError) -> None:
    careful, careless = FlakyCall(error), FlakyCall(error)

    with pytest.raises(DeliveryFailed) as raised:
        await call(careful, idempotent=False)
    assert raised.value.maybe_delivered
    assert await call(careless, idempotent=True) == "sent"
    assert (careful.calls, careless.calls) == (1, 2)


async def test_what_never_left_is_repeated_always() -> None:
    line = FlakyCall(NotSent("ClientConnectorError"))

    assert await call(line, idempotent=False) == "sent"


async def test_a_network_that_stays_away_is_given_up_after_a_few_tries() -> None:
    line = FlakyCall(*(NotSent("ClientConnectorError") for _ in range(9)))

    with pytest.raises(DeliveryFailed) as raised:
        await call(line, idempotent=False)
    assert line.calls == 3
    assert not raised.value.maybe_delivered


@pytest.mark.parametrize("error", [InvalidToken(), Conflict("two"), ChatMigrated(5)])
async def test_any_other_refusal_is_tried_again_later(error: TelegramError) -> None:
    line = FlakyCall(error)

    with pytest.raises(DeliveryFailed):
        await call(line, idempotent=True)
    assert line.calls == 1


@pytest.mark.parametrize(
    "make",
    [lambda: Forbidden("blocked"), TimedOut, lambda: RetryAfter(9), lambda: BadRequest("nonsense"), InvalidToken],
)
async def test_a_courtesy_that_fails_changes_nothing(make: Callable[[], TelegramError]) -> None:
    line = FlakyCall(make())

    await best_effort(line)

    assert line.calls == 1
