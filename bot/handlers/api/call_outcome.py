"""Classifies the outcome of a call to Telegram.

The Bot API has no idempotency key, so a call whose connection breaks has the outcome `UNKNOWN`: it may have been done.
"""

import math
from datetime import timedelta
from enum import StrEnum

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.handlers.api.transport import NotSent

_DEFAULT_RETRY_AFTER = 1.0


class DeferredByRateLimiter(RetryAfter):
    """The call was not made, because it would have had to wait too long for its priority."""

    def __init__(self, seconds: float) -> None:
        super().__init__(math.ceil(seconds))


class CallOutcome(StrEnum):
    """The outcome of a call, as the metric of calls names it."""

    DONE = "done"
    REFUSED = "refused"
    LIMITED = "limited"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    DEFERRED = "held"


def outcome_of(error: TelegramError) -> CallOutcome:
    """The outcome that an error means for its call."""
    match error:
        case DeferredByRateLimiter():
            return CallOutcome.DEFERRED
        case RetryAfter():
            return CallOutcome.LIMITED
        case NotSent():
            return CallOutcome.UNSENT
        case BadRequest() | Forbidden() | ChatMigrated() | InvalidToken() | Conflict():
            return CallOutcome.REFUSED
        case _:
            return CallOutcome.UNKNOWN


def retry_after(error: TelegramError) -> float | None:
    """The seconds that a 429 asks to wait, or None for any other error.

    A 429 without `retry_after` reaches us as a `NetworkError` of the library; it counts as one second.
    """
    if isinstance(error, RetryAfter):
        return retry_after_seconds(error)
    if isinstance(error, NetworkError) and error.message.startswith("Too Many Requests"):
        return _DEFAULT_RETRY_AFTER
    return None


def retry_after_seconds(error: RetryAfter) -> float:
    """How many seconds Telegram asks to wait; the library gives an int or a timedelta."""
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
