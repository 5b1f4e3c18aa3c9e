"""Models the rates of one chat and of all chats together, with the event loop's time in seconds."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from verification.record import Record

MAX_PER_SECOND = 25
"""The public server allows about 30 messages a second; these leave room for calls that arrive closer together."""
_WINDOW = 1.1
"""Seconds; a little more than the second in which Telegram counts, because calls travel for different times."""
TIMER_SLACK = 0.001
"""Seconds; uvloop's timers count whole milliseconds and may fire a fraction of one too early."""


class Rate(Record):
    """A burst of messages, then one message per `interval` seconds."""

    burst: int
    interval: float


PRIVATE_CHAT = Rate(burst=10, interval=1.0)
GROUP_CHAT = Rate(burst=5, interval=4.0)
"""At most 20 messages a minute, Telegram's limit for groups: the burst, and 15 in any 60 seconds."""


class SendRates(Record):
    """How fast messages leave, of all programs on a database together: the operator's settings.

    The defaults suit Telegram's public server. A Bot API server of one's own, or paid broadcasts, allow more.
    """

    per_second: int = MAX_PER_SECOND
    private_chat: Rate = PRIVATE_CHAT
    group_chat: Rate = GROUP_CHAT

    @classmethod
    def of(cls, *, per_second: int, per_chat: float) -> "SendRates":
        """The rates for this many messages a second, over all chats and in one private chat."""
        return cls(per_second, Rate(PRIVATE_CHAT.burst, 1 / per_chat), Rate(GROUP_CHAT.burst, 4 / per_chat))


@dataclass(slots=True, eq=False)
class ChatLimiter:
    """One chat's rate, and the time until which a 429 blocks it.

    The call that is next to be sent holds `lock`, and `slot` is what it waits for; `users` counts the calls that refer
    to this limiter.
    """

    rate: Rate
    blocked_until: float = 0.0
    full_at: float = 0.0
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    slot: asyncio.Future[float] | None = None

    def wait_time(self, now: float, *, limited: bool) -> float:
        """Seconds until a call is allowed, zero or less for now; only a `limited` call obeys the rate."""
        ready = self.full_at - (self.rate.burst - 1) * self.rate.interval if limited else 0.0
        return max(self.blocked_until, ready) - now

    def spend(self, now: float) -> None:
        """Record that a limited call is made now."""
        self.full_at = max(self.full_at, now) + self.rate.interval

    def block(self, until: float) -> None:
        """Allow no call before this time."""
        self.blocked_until = max(self.blocked_until, until)

    def is_idle(self, now: float) -> bool:
        """Whether the limiter can be dropped, because a new one would behave the same."""
        return self.users == 0 and max(self.blocked_until, self.full_at) <= now


class GlobalLimiter:
    """The rate of all chats: at most `per_second` calls a second, shared equally by all replicas.

    Waiting calls are admitted in the order in which they are due: their arrival plus their delay. The delay lets calls
    of a higher priority pass, and no call is passed for longer than its delay.
    """

    def __init__(self, replicas: Callable[[], int] = lambda: 1, per_second: int = MAX_PER_SECOND) -> None:
        self._replicas = replicas
        self._per_second = per_second
        self._sent_at: deque[float] = deque(maxlen=per_second)
        self._waiting: list[tuple[float, int, asyncio.Future[float]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def try_acquire(self) -> bool:
        """Take a slot if one is free and no call waits; says whether it did."""
        now = asyncio.get_running_loop().time()
        if self._waiting or self._wait_time(now) > 0:
            return False
        self._sent_at.append(now)
        return True

    def request(self, due: float) -> asyncio.Future[float]:
        """Ask for a slot; `acquire` waits for it."""
        slot: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (due, next(self._order), slot))
        if self._timer is None:
            self._grant()
        return slot

    def hurry(self, slot: asyncio.Future[float], due: float) -> None:
        """Make a slot due earlier."""
        heapq.heappush(self._waiting, (due, next(self._order), slot))

    async def acquire(self, slot: asyncio.Future[float]) -> float:
        """Wait for a slot; gives its time, which `give_back_slot` takes."""
        try:
            return await slot
        except asyncio.CancelledError:
            if not slot.cancelled():
                self.give_back_slot(slot.result())
            raise

    def give_back_slot(self, slot: float) -> None:
        """Free a slot that was not used."""
        if slot in self._sent_at:
            self._sent_at.remove(slot)
        self.close()
        self._grant()

    def close(self) -> None:
        """Cancel the timer that admits waiting calls."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _grant(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._waiting:
            now = loop.time()
            seconds = self._wait_time(now)
            if seconds > 0:
                self._timer = loop.call_later(seconds + TIMER_SLACK, self._grant)
                return
            *_, slot = heapq.heappop(self._waiting)
            if not slot.done():
                self._sent_at.append(now)
                slot.set_result(now)

    def _wait_time(self, now: float) -> float:
        replicas = max(1, self._replicas())
        share = max(1, self._per_second // replicas)
        window = _WINDOW * max(1.0, replicas / self._per_second)
        return self._sent_at[-share] + window - now if len(self._sent_at) >= share else 0.0
