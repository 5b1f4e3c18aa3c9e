"""Keeps every call within Telegram's limits, as python-telegram-bot's rate limiter.

Telegram's limits (Bot FAQ, "My bot is hitting limits"): about one message a second in a chat, 20 a minute in a group,
and about 30 a second in all. Only calls that send or edit a message in a chat take part in these rates.

A 429 blocks its chat, or its method when the call names no chat, until `retry_after` has passed; other chats go on.
Answers and results go before notices, which let them pass for ten seconds at most, and before edits that only report
progress, which let them pass for thirty. A call that would wait for more than `MAX_WAIT` seconds because of a 429 is
not made: it raises `DeferredByRateLimiter` at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from enum import Enum
from typing import Any

from prometheus_client import Counter, Histogram
from telegram.error import RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bot.handlers.api.call_outcome import CallOutcome, DeferredByRateLimiter, outcome_of, retry_after
from bot.handlers.api.rate_model import TIMER_SLACK, ChatLimiter, GlobalLimiter, SendRates

MAX_WAIT = 60.0
"""Seconds."""
_PRUNE_MINIMUM = 1000

Answer = Any
"""The library's own result type: a bool, an object or a list of objects."""


class Priority(Enum):
    """How many seconds a call lets others pass; a `BEST_EFFORT` call waits for nothing and is made at once or not."""

    ANSWER = 0.0
    NOTICE = 10.0
    EDIT = 30.0
    BEST_EFFORT = None


_priority = ContextVar("urgency", default=Priority.ANSWER)


@contextmanager
def priority(level: Priority) -> Iterator[None]:
    """Make the calls inside with this priority."""
    before = _priority.set(level)
    try:
        yield
    finally:
        _priority.reset(before)


async def _at_once() -> None:
    """Let a call out."""


class RateLimiter(BaseRateLimiter[None]):
    """Delays calls until they are allowed, and counts their outcomes.

    `replicas` gives the number of programs that share the bot's `rates`. Without `enabled` it applies no rates and
    obeys only the waits that Telegram asks for. `seconds` observes how long calls take, without their wait here.
    `may_send` returns when this program is the one that may call.
    """

    def __init__(
        self,
        calls: Counter,
        replicas: Callable[[], int] = lambda: 1,
        rates: SendRates = SendRates(),  # noqa: B008 - frozen
        *,
        enabled: bool = True,
        seconds: Histogram | None = None,
        may_send: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._may_send = may_send
        self._calls = calls
        self._seconds = seconds
        self._enabled = enabled
        self._rates = rates
        self._global_limiter = GlobalLimiter(replicas, rates.per_second)
        self._chat_limiters: dict[int | str, ChatLimiter] = {}
        self._prune_at = _PRUNE_MINIMUM

    async def initialize(self) -> None:
        """Do nothing; the base class demands the method."""

    async def shutdown(self) -> None:
        """Cancel the timer."""
        self._global_limiter.close()

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Answer:
        """Make a call when it is allowed; see `BaseRateLimiter.process_request`."""
        chat = data.get("chat_id")
        is_limited = self._enabled and chat is not None and _is_message(endpoint)
        with self._chat_limiter(endpoint if chat is None else chat) as limiter:
            try:
                await self._wait_for_slot(limiter, limited=is_limited)
            except DeferredByRateLimiter:
                self._calls.labels(endpoint, CallOutcome.DEFERRED).inc()
                raise
            await self._may_send()
            with self._recording_outcome(endpoint, limiter):
                return await callback(*args, **kwargs)

    @contextmanager
    def _chat_limiter(self, key: int | str) -> Iterator[ChatLimiter]:
        limiter = self._chat_limiters.get(key)
        if limiter is None:
            self._forget_idle()
            limiter = self._chat_limiters[key] = ChatLimiter(
                self._rates.group_chat if isinstance(key, int) and key < 0 else self._rates.private_chat
            )
        limiter.users += 1
        try:
            yield limiter
        finally:
            limiter.users -= 1

    def _forget_idle(self) -> None:
        if len(self._chat_limiters) >= self._prune_at:
            now = _now()
            self._chat_limiters = {key: known for key, known in self._chat_limiters.items() if not known.is_idle(now)}
            self._prune_at = max(_PRUNE_MINIMUM, 2 * len(self._chat_limiters))

    async def _wait_for_slot(self, limiter: ChatLimiter, *, limited: bool) -> None:
        level = _priority.get()
        if not limited:
            await _wait_until_ready(limiter, level, limited=False)
        elif level.value is None:
            self._go_or_defer(limiter)
        else:
            # One call of a chat waits at a time, so that the chat keeps its order. The lock covers only the wait: the
            # next call may wait while Telegram handles this one.
            due = _now() + level.value
            if limiter.slot is not None and level is Priority.ANSWER:
                # The chat keeps its order, so this answer waits for what is before it.
                self._global_limiter.hurry(limiter.slot, due)
            async with limiter.lock:
                await self._wait_in_turn(limiter, level, due)

    def _go_or_defer(self, limiter: ChatLimiter) -> None:
        now = _now()
        seconds = limiter.wait_time(now, limited=True)
        if seconds > 0 or not self._global_limiter.try_acquire():
            raise DeferredByRateLimiter(seconds)
        limiter.spend(now)

    async def _wait_in_turn(self, limiter: ChatLimiter, level: Priority, due: float) -> None:
        while True:
            await _wait_until_ready(limiter, level, limited=True)
            limiter.slot = self._global_limiter.request(due)
            try:
                slot = await self._global_limiter.acquire(limiter.slot)
            finally:
                limiter.slot = None
            if limiter.wait_time(_now(), limited=True) <= 0:
                limiter.spend(_now())
                return
            # A 429 blocked this chat while the call waited for its global slot.
            self._global_limiter.give_back_slot(slot)

    @contextmanager
    def _recording_outcome(self, endpoint: str, limiter: ChatLimiter) -> Iterator[None]:
        """Count the outcome of a call; a call that is cancelled may have arrived, so its outcome is unknown."""
        outcome, began = CallOutcome.UNKNOWN, _now()
        try:
            yield
            outcome = CallOutcome.DONE
        except TelegramError as error:
            seconds = retry_after(error)
            outcome = outcome_of(error) if seconds is None else CallOutcome.LIMITED
            if seconds is None:
                raise
            limiter.block(_now() + seconds)
            raise RetryAfter(timedelta(seconds=seconds)) from error
        finally:
            self._calls.labels(endpoint, outcome).inc()
            if self._seconds is not None:
                self._seconds.labels(endpoint).observe(_now() - began)


async def _wait_until_ready(limiter: ChatLimiter, level: Priority, *, limited: bool) -> None:
    """Wait until a call is allowed in its chat; raises `DeferredByRateLimiter` when the wait is too long."""
    while (seconds := limiter.wait_time(_now(), limited=limited)) > 0:
        if level is Priority.BEST_EFFORT or limiter.blocked_until - _now() > MAX_WAIT:
            raise DeferredByRateLimiter(seconds)
        await asyncio.sleep(seconds + TIMER_SLACK)


def _is_message(endpoint: str) -> bool:
    return endpoint.startswith(("send", "edit")) and endpoint != "sendChatAction"


def _now() -> float:
    return asyncio.get_running_loop().time()
