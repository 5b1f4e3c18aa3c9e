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

from bot.handlers.api.call_outcome import Held, Outcome, asked_to_wait, outcome_of
from bot.handlers.api.rate_model import GROUP, PRIVATE, TICK, Gate, Line

LONGEST_HOLD = 60.0
_MANY = 1000

Answer = Any
"""What the library's own signature says: truth, an object or a list of objects."""


class Urgency(Enum):
    """How long a call lets others pass, in seconds. `SPARE`: it waits for nothing; now or not at all."""

    ANSWER = 0.0
    NEWS = 10.0
    SPARE = None


_urgency = ContextVar("urgency", default=Urgency.ANSWER)


@contextmanager
def at(urgency: Urgency) -> Iterator[None]:
    """Make the calls inside with this urgency."""
    before = _urgency.set(urgency)
    try:
        yield
    finally:
        _urgency.reset(before)


class Pacer(BaseRateLimiter[None]):
    """Lets calls go when they may, and counts what became of them.

    `replicas` says how many share the bot's rate. Not `paced`, it knows no rates and only keeps the silence that
    Telegram asks for.
    """

    def __init__(self, calls: Counter, replicas: Callable[[], int] = lambda: 1, *, paced: bool = True) -> None:
        self._calls = calls
        self._paced = paced
        self._gate = Gate(replicas)
        self._lines: dict[int | str, Line] = {}
        self._tidy_at = _MANY

    async def initialize(self) -> None:
        """Nothing is needed before the first call."""

    async def shutdown(self) -> None:
        """Leave no timer behind."""
        self._gate.close()

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
        paced = self._paced and chat is not None and _is_message(endpoint)
        with self._line(endpoint if chat is None else chat) as line:
            try:
                await self._may_go(line, paced=paced)
            except Held:
                self._calls.labels(endpoint, Outcome.HELD).inc()
                raise
            with self._heard(endpoint, line):
                return await callback(*args, **kwargs)

    @contextmanager
    def _line(self, key: int | str) -> Iterator[Line]:
        line = self._lines.get(key)
        if line is None:
            self._forget_idle()
            line = self._lines[key] = Line(GROUP if isinstance(key, int) and key < 0 else PRIVATE)
        line.users += 1
        try:
            yield line
        finally:
            line.users -= 1

    def _forget_idle(self) -> None:
        if len(self._lines) >= self._tidy_at:
            now = _now()
            self._lines = {key: line for key, line in self._lines.items() if not line.idle(now)}
            self._tidy_at = max(_MANY, 2 * len(self._lines))

    async def _may_go(self, line: Line, *, paced: bool) -> None:
        urgency = _urgency.get()
        if not paced:
            await _rested(line, urgency, paced=False)
        elif urgency.value is None:
            self._go_now(line)
        else:
            # One waits at a time, so that a chat keeps its order; while Telegram answers the next may wait already.
            async with line.turn:
                await self._go_in_turn(line, urgency, urgency.value)

    def _go_now(self, line: Line) -> None:
        now = _now()
        rest = line.rest(now, paced=True)
        if rest > 0 or not self._gate.leave_now():
            raise Held(rest)
        line.spend(now)

    async def _go_in_turn(self, line: Line, urgency: Urgency, courtesy: float) -> None:
        while True:
            await _rested(line, urgency, paced=True)
            left = await self._gate.leave(courtesy)
            if line.rest(_now(), paced=True) <= 0:
                line.spend(_now())
                return
            # Telegram asked for silence while this call waited for others.
            self._gate.give_back(left)

    @contextmanager
    def _heard(self, endpoint: str, line: Line) -> Iterator[None]:
        """Note what becomes of a call; one that is cut short may have arrived."""
        outcome = Outcome.UNKNOWN
        try:
            yield
            outcome = Outcome.DONE
        except TelegramError as error:
            seconds = asked_to_wait(error)
            outcome = outcome_of(error) if seconds is None else Outcome.LIMITED
            if seconds is None:
                raise
            line.hold(_now() + seconds)
            raise RetryAfter(timedelta(seconds=seconds)) from error
        finally:
            self._calls.labels(endpoint, outcome).inc()


async def _rested(line: Line, urgency: Urgency, *, paced: bool) -> None:
    """Wait until a call may go into its chat; raises `Held` when that is too long."""
    while (rest := line.rest(_now(), paced=paced)) > 0:
        if urgency is Urgency.SPARE or line.held_until - _now() > LONGEST_HOLD:
            raise Held(rest)
        await asyncio.sleep(rest + TICK)


def _is_message(endpoint: str) -> bool:
    return endpoint.startswith(("send", "edit")) and endpoint != "sendChatAction"


def _now() -> float:
    return asyncio.get_running_loop().time()
