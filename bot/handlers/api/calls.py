"""What becomes of a call to Telegram: done, refused for sure, or perhaps.

What may be repeated without harm is repeated, after a 429 when the pacer lets it; what may not is reported, so that the
question is asked again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.engine.messages import Undelivered, Unreachable
from bot.handlers.api.call_outcome import Held, Outcome, outcome_of
from bot.handlers.api.rate_limiter import Urgency, at

log = logging.getLogger(__name__)

T = TypeVar("T")
_TRIES = 3


class Gone(Exception):
    """The message is no longer there, or can no longer be changed that way."""


async def call(make: Callable[[], Awaitable[T]], *, repeatable: bool) -> T | None:
    """Make a call; None when the message was like that already.

    Raises `Gone`, `Unreachable`, or `Undelivered` when it is not known to have arrived.
    """
    failures = 0
    while True:
        try:
            return await make()
        except BadRequest as error:
            _refused(error)
            return None
        except Forbidden as error:
            raise Unreachable from error
        except Held as error:
            raise Undelivered("Telegram asks to wait") from error
        except RetryAfter:
            # Nothing was sent, and the pacer lets the next try go when it may.
            continue
        except TelegramError as error:
            failures += 1
            outcome = outcome_of(error)
            perhaps = outcome is Outcome.UNKNOWN and not repeatable
            if perhaps or outcome is Outcome.REFUSED or failures == _TRIES:
                raise Undelivered(type(error).__name__, perhaps=perhaps) from error
            await asyncio.sleep(0.1 * 2**failures)


async def done(make: Callable[[], Awaitable[object]]) -> bool:
    """Make a call that may be repeated without harm; False when its message is gone."""
    try:
        await call(make, repeatable=True)
    except Gone:
        return False
    return True


async def best_effort(make: Callable[[], Awaitable[object]]) -> None:
    """Make a call whose failure changes nothing for the person; it waits for nothing."""
    try:
        with at(Urgency.SPARE):
            await make()
    except TelegramError as error:
        log.debug("left undone: %s", type(error).__name__)


def _refused(error: BadRequest) -> None:
    """A refusal that means done gives nothing; one that means gone raises `Gone`; others are faults of ours."""
    text = error.message.lower()
    if "not modified" in text or "query is too old" in text or "query id is invalid" in text:
        return
    if "message" in text and ("not found" in text or "can't be" in text or "no text in the message" in text):
        raise Gone(error.message) from error
    if "chat not found" in text:
        raise Unreachable from error
    raise error
