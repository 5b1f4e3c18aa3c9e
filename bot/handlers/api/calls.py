"""Makes calls to Telegram, repeats those that may be repeated, and raises what the delivery must know.

A call is repeated up to three times when it surely did not arrive, or when it is idempotent. After a 429 it is repeated
as often as needed, when the rate limiter allows it. A call that may have arrived and is not idempotent is not repeated:
it raises `DeliveryFailed(maybe_delivered=True)`, and the question is asked again with a remark.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.engine.messages import BotBlocked, DeliveryFailed
from bot.handlers.api.call_outcome import CallOutcome, DeferredByRateLimiter, outcome_of
from bot.handlers.api.rate_limiter import Priority, priority
from verification.errors import describe_error

log = logging.getLogger(__name__)

T = TypeVar("T")
_MAX_TRIES = 3


class MessageGone(Exception):
    """The message no longer exists, or can no longer be changed in this way."""


async def call(make: Callable[[], Awaitable[T]], *, idempotent: bool) -> T | None:
    """Make a call; gives None when Telegram has nothing to change or the query is too old.

    Raises `MessageGone`, `BotBlocked`, or `DeliveryFailed` when the call is not known to have arrived.
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
            # Nothing was sent; the rate limiter delays the next try.
            continue
        except TelegramError as error:
            failures += 1
            outcome = outcome_of(error)
            maybe_delivered = outcome is CallOutcome.UNKNOWN
            is_repeatable = idempotent or not maybe_delivered
            if not is_repeatable or outcome is CallOutcome.REFUSED or failures == _MAX_TRIES:
                raise DeliveryFailed(describe_error(error), maybe_delivered=maybe_delivered) from error
            await asyncio.sleep(0.1 * 2**failures)


async def call_idempotent(make: Callable[[], Awaitable[object]]) -> bool:
    """Make an idempotent call; False when its message is gone. Otherwise it raises as `call` does."""
    try:
        await call(make, idempotent=True)
    except MessageGone:
        return False
    return True


async def best_effort(make: Callable[[], Awaitable[object]]) -> None:
    """Make a call whose failure does not matter to the person; it never waits for the rate limiter."""
    try:
        with priority(Priority.BEST_EFFORT):
            await make()
    except TelegramError as error:
        log.debug("a best-effort call failed: %s", describe_error(error))


def _check_refusal(error: BadRequest) -> None:
    """Interpret a refusal by its description, since the Bot API has no codes for them.

    Returns when there is nothing to do; raises `MessageGone`, `BotBlocked` or the error itself, which is our mistake.
    """
    text = error.message.lower()
    if "not modified" in text or "query is too old" in text or "query id is invalid" in text:
        return
    if "message" in text and ("not found" in text or "can't be" in text or "no text in the message" in text):
        raise MessageGone(error.message) from error
    if "chat not found" in text:
        raise BotBlocked from error
    raise error
