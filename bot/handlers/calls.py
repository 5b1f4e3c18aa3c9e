"""What becomes of a call to Telegram: done, refused for sure, or perhaps.

A 429 stops only the chat it was for. What may be repeated without harm is repeated; what may not is reported, so
that the question is asked again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.handlers.transport import NotSent
from bot.lanes import Undelivered, Unreachable

log = logging.getLogger(__name__)

T = TypeVar("T")
_TRIES = 3
_LONGEST_WAIT = 60.0


class Gone(Exception):
    """The message is no longer there, or can no longer be changed that way."""


async def call(make: Callable[[], Awaitable[T]], *, repeatable: bool) -> T | None:
    """Make a call; None when the message was like that already.

    Raises `Gone`, `Unreachable`, or `Undelivered` when it is not known to have arrived.
    """
    for attempt in range(_TRIES):
        try:
            return await make()
        except RetryAfter as error:
            await _wait(error)
        except BadRequest as error:
            _refused(error)
            return None
        except Forbidden as error:
            raise Unreachable from error
        except InvalidToken as error:
            raise Undelivered("the token is not valid") from error
        except NetworkError as error:
            certain = repeatable or isinstance(error, NotSent)
            if not certain or attempt == _TRIES - 1:
                raise Undelivered(type(error).__name__) from error
            await asyncio.sleep(0.2 * 2**attempt)
        except TelegramError as error:
            raise Undelivered(type(error).__name__) from error
    raise Undelivered("too many tries")


async def done(make: Callable[[], Awaitable[object]]) -> bool:
    """Make a call that may be repeated without harm; False when its message is gone."""
    try:
        await call(make, repeatable=True)
    except Gone:
        return False
    return True


async def best_effort(make: Callable[[], Awaitable[object]]) -> None:
    """Make a call whose failure changes nothing for the person."""
    try:
        await make()
    except TelegramError as error:
        log.debug("left undone: %s", type(error).__name__)


async def _wait(error: RetryAfter) -> None:
    asked = error.retry_after
    seconds = asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
    if seconds > _LONGEST_WAIT:
        raise Undelivered("asked to wait long") from error
    await asyncio.sleep(seconds)


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
