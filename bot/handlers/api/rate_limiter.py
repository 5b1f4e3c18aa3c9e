"""Every call at Telegram's pace, by python-telegram-bot's own extension point.

A 429 stops its chat, or its method where it names none, and nobody else. Answers leave before what nobody asked for. A
call that would have to wait long is not made, and whoever made it hears that at once.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from enum import Enum
from typing import Any

from prometheus_client import Counter
from telegram.error import RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bot.handlers.api.call_outcome import CallOutcome, DeferredByRateLimiter, outcome_of, retry_after
from bot.handlers.api.rate_model import GROUP_CHAT, PRIVATE_CHAT, TIMER_SLACK, ChatLimiter, GlobalLimiter

MAX_WAIT = 60.0
_PRUNE_MINIMUM = 1000

Answer = Any
"""What the library's own signature says: truth, an object or a list of objects."""


class Priority(Enum):
    """How long a call lets others pass, in seconds. `SPARE`: it waits for nothing; now or not at all."""

    ANSWER = 0.0
    NOTICE = 10.0
    BEST_EFFORT = None


_priority = ContextVar("urgency", default=Priority.ANSWER)


@contextmanager
def priority(level: Priority) -> Iterator[None]:
    """Make the calls inside with this urgency."""
    before = _priority.set(level)
    try:
        yield
    finally:
        _priority.reset(before)


class RateLimiter(BaseRateLimiter[None]):
    """Lets calls go when they may, and counts what became of them.

    `replicas` says how many share the bot's rate. Not `paced`, it knows no rates and only keeps the silence that
    Telegram asks for.
    """

    def __init__(self, calls: Counter, replicas: Callable[[], int] = lambda: 1, *, enabled: bool = True) -> None:
        self._calls = calls
        self._enabled = enabled
        self._global_limiter = GlobalLimiter(replicas)
        self._chat_limiters: dict[int | str, ChatLimiter] = {}
        self._prune_at = _PRUNE_MINIMUM

    async def initialize(self) -> None:
        """Nothing is needed before the first call."""

    async def shutdown(self) -> None:
        """Leave no timer behind."""
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
        """Make a call when it may be made; see `BaseRateLimiter.process_request`."""
        chat = data.get("chat_id")
        paced = self._enabled and chat is not None and _is_message(endpoint)
        with self._chat_limiter(endpoint if chat is None else chat) as line:
            try:
                await self._wait_for_slot(line, limited=paced)
            except DeferredByRateLimiter:
                self._calls.labels(endpoint, CallOutcome.DEFERRED).inc()
                raise
            with self._recording_outcome(endpoint, line):
                return await callback(*args, **kwargs)

    @contextmanager
    def _chat_limiter(self, key: int | str) -> Iterator[ChatLimiter]:
        line = self._chat_limiters.get(key)
        if line is None:
            self._forget_idle()
            line = self._chat_limiters[key] = ChatLimiter(
                GROUP_CHAT if isinstance(key, int) and key < 0 else PRIVATE_CHAT
            )
        line.users += 1
        try:
            yield line
        finally:
            line.users -= 1

    def _forget_idle(self) -> None:
        if len(self._chat_limiters) >= self._prune_at:
            now = _now()
            self._chat_limiters = {key: line for key, line in self._chat_limiters.items() if not line.is_idle(now)}
            self._prune_at = max(_PRUNE_MINIMUM, 2 * len(self._chat_limiters))

    async def _wait_for_slot(self, limiter: ChatLimiter, *, limited: bool) -> None:
        urgency = _priority.get()
        if not limited:
            await _wait_until_ready(limiter, urgency, limited=False)
        elif urgency.value is None:
            self._go_or_defer(limiter)
        else:
            # One waits at a time, so that a chat keeps its order; while Telegram answers the next may wait already.
            async with limiter.lock:
                await self._wait_in_turn(limiter, urgency, urgency.value)

    def _go_or_defer(self, limiter: ChatLimiter) -> None:
        now = _now()
        rest = limiter.wait_time(now, limited=True)
        if rest > 0 or not self._global_limiter.try_acquire():
            raise DeferredByRateLimiter(rest)
        limiter.spend(now)

    async def _wait_in_turn(self, limiter: ChatLimiter, level: Priority, delay: float) -> None:
        while True:
            await _wait_until_ready(limiter, level, limited=True)
            left = await self._global_limiter.acquire(delay)
            if limiter.wait_time(_now(), limited=True) <= 0:
                limiter.spend(_now())
                return
            # Telegram asked for silence while this call waited for others.
            self._global_limiter.give_back_slot(left)

    @contextmanager
    def _recording_outcome(self, endpoint: str, limiter: ChatLimiter) -> Iterator[None]:
        """Note what becomes of a call; one that is cut short may have arrived."""
        outcome = CallOutcome.UNKNOWN
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


async def _wait_until_ready(limiter: ChatLimiter, level: Priority, *, limited: bool) -> None:
    """Wait until a call may go into its chat; raises `Held` when that is too long."""
    while (rest := limiter.wait_time(_now(), limited=limited)) > 0:
        if level is Priority.BEST_EFFORT or limiter.blocked_until - _now() > MAX_WAIT:
            raise DeferredByRateLimiter(rest)
        await asyncio.sleep(rest + TIMER_SLACK)


def _is_message(endpoint: str) -> bool:
    return endpoint.startswith(("send", "edit")) and endpoint != "sendChatAction"


def _now() -> float:
    return asyncio.get_running_loop().time()
