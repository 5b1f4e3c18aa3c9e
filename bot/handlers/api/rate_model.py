"""How fast a chat may be written to, and how fast all of them together."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

MAX_PER_SECOND = 25
_WINDOW = 1.1
"""A little more than the second that Telegram counts by: calls take different times on their way."""
TIMER_SLACK = 0.001
"""Timers of uvloop count whole milliseconds, and may end a part of one too soon."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages at once, then one in so many seconds."""

    burst: int
    interval: float


PRIVATE_CHAT = Rate(burst=10, interval=1.0)
GROUP_CHAT = Rate(burst=5, interval=4.0)
"""Never more than twenty a minute: the burst, and fifteen in any sixty seconds."""


@dataclass(slots=True, eq=False)
class ChatLimiter:
    """The way into one chat: its pace, and until when Telegram wants silence there.

    `turn` is for whoever is the next to write; `users` counts the calls that know this line.
    """

    rate: Rate
    blocked_until: float = 0.0
    full_at: float = 0.0
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def wait_time(self, now: float, *, limited: bool) -> float:
        """Seconds until a call may go; only a paced one minds the pace."""
        ready = self.full_at - (self.rate.burst - 1) * self.rate.interval if limited else 0.0
        return max(self.blocked_until, ready) - now

    def spend(self, now: float) -> None:
        """Note that a paced call goes now."""
        self.full_at = max(self.full_at, now) + self.rate.interval

    def block(self, until: float) -> None:
        """Let nothing through before that time."""
        self.blocked_until = max(self.blocked_until, until)

    def is_idle(self, now: float) -> bool:
        """Whether it may be forgotten: a new one would do the same."""
        return self.users == 0 and max(self.blocked_until, self.full_at) <= now


class GlobalLimiter:
    """Where the calls to all chats leave: never more than `OVERALL` in a second, over all the replicas that share it.

    Who waits goes by the time of coming, to which a call may add some seconds of its own to let others pass. Nobody is
    passed for longer than that.
    """

    def __init__(self, replicas: Callable[[], int] = lambda: 1) -> None:
        self._replicas = replicas
        self._sent_at: deque[float] = deque(maxlen=MAX_PER_SECOND)
        self._waiting: list[tuple[float, int, asyncio.Future[float]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def try_acquire(self) -> bool:
        """Take a turn if nobody waits for one; says whether there was one."""
        now = asyncio.get_running_loop().time()
        if self._waiting or self._wait_time(now) > 0:
            return False
        self._sent_at.append(now)
        return True

    async def acquire(self, delay: float = 0.0) -> float:
        """Wait for one's turn; gives the time that may be handed to `give_back`."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[float] = loop.create_future()
        heapq.heappush(self._waiting, (loop.time() + delay, next(self._order), turn))
        if self._timer is None:
            self._grant()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back_slot(turn.result())
            raise

    def give_back_slot(self, left: float) -> None:
        """Let somebody else have a turn that was not used."""
        if left in self._sent_at:
            self._sent_at.remove(left)
        self.close()
        self._grant()

    def close(self) -> None:
        """Admit nobody more by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _grant(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._waiting:
            now = loop.time()
            rest = self._wait_time(now)
            if rest > 0:
                self._timer = loop.call_later(rest + TIMER_SLACK, self._grant)
                return
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._sent_at.append(now)
                turn.set_result(now)

    def _wait_time(self, now: float) -> float:
        replicas = max(1, self._replicas())
        share = max(1, MAX_PER_SECOND // replicas)
        window = _WINDOW * max(1.0, replicas / MAX_PER_SECOND)
        return self._sent_at[-share] + window - now if len(self._sent_at) >= share else 0.0
