"""What becomes of a call to Telegram: done, refused for sure, or perhaps.

What may be repeated without harm is repeated, after a 429 when the pacer lets it; what may not is reported, so that the
question is asked again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.engine.messages import BotBlocked, DeliveryFailed
from bot.handlers.api.call_outcome import CallOutcome, DeferredByRateLimiter, outcome_of
from bot.handlers.api.rate_limiter import Priority, priority

log = logging.getLogger(__name__)

T = TypeVar("T")
_MAX_TRIES = 3


class MessageGone(Exception):
    """The message is no longer there, or can no longer be changed that way."""


async def call(make: Callable[[], Awaitable[T]], *, idempotent: bool) -> T | None:
    """Make a call; None when the message was like that already.

    Raises `Gone`, `Unreachable`, or `Undelivered` when it is not known to have arrived.
    """
    failures = 0
    while True:
        try:
            return await make()
        except BadRequest as error:
            _check_refusal(error)
            return None
        except Forbidden as error:
            raise BotBlocked from error
        except DeferredByRateLimiter as error:
            raise DeliveryFailed("Telegram asks to wait") from error
        except RetryAfter:
            # Nothing was sent, and the pacer lets the next try go when it may.
            continue
        except TelegramError as error:
            failures += 1
            outcome = outcome_of(error)
            perhaps = outcome is CallOutcome.UNKNOWN and not idempotent
            if perhaps or outcome is CallOutcome.REFUSED or failures == _MAX_TRIES:
                raise DeliveryFailed(type(error).__name__, maybe_delivered=perhaps) from error
            await asyncio.sleep(0.1 * 2**failures)


async def call_idempotent(make: Callable[[], Awaitable[object]]) -> bool:
    """Make a call that may be repeated without harm; False when its message is gone."""
    try:
        await call(make, idempotent=True)
    except MessageGone:
        return False
    return True


async def best_effort(make: Callable[[], Awaitable[object]]) -> None:
    """Make a call whose failure changes nothing for the person; it waits for nothing."""
    try:
        with priority(Priority.BEST_EFFORT):
            await make()
    except TelegramError as error:
        log.debug("left undone: %s", type(error).__name__)


def _check_refusal(error: BadRequest) -> None:
    """A refusal that means done gives nothing; one that means gone raises `Gone`; others are faults of ours."""
    text = error.message.lower()
    if "not modified" in text or "query is too old" in text or "query id is invalid" in text:
        return
    if "message" in text and ("not found" in text or "can't be" in text or "no text in the message" in text):
        raise MessageGone(error.message) from error
    if "chat not found" in text:
        raise BotBlocked from error
    raise error
