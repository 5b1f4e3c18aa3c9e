"""What a call to Telegram came to. Nothing tells the server that two calls are one, so "perhaps" is an outcome too."""

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
    """Not called: the wait would be too long, or longer than the call is worth."""

    def __init__(self, seconds: float) -> None:
        super().__init__(math.ceil(seconds))


class CallOutcome(StrEnum):
    """What became of a call."""

    DONE = "done"
    REFUSED = "refused"
    LIMITED = "limited"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    DEFERRED = "held"


def outcome_of(error: TelegramError) -> CallOutcome:
    """What an error says about its call."""
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
    """How many seconds a 429 asks for; some come without a number, and the library takes those for a bad line."""
    if isinstance(error, RetryAfter):
        return retry_after_seconds(error)
    if isinstance(error, NetworkError) and error.message.startswith("Too Many Requests"):
        return _DEFAULT_RETRY_AFTER
    return None


def retry_after_seconds(error: RetryAfter) -> float:
    """How many seconds Telegram asks to wait; the library gives an int or a timedelta."""
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
