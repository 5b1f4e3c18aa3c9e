"""How fast a chat may be written to, and how fast all of them together."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

OVERALL = 25
_WINDOW = 1.1
"""A little more than the second that Telegram counts by: calls take different times on their way."""
TICK = 0.001
"""Timers of uvloop count whole milliseconds, and may end a part of one too soon."""


@dataclass(frozen=True, slots=True)
class Pace:
    """So many messages at once, then one in so many seconds."""

    burst: int
    interval: float


PRIVATE = Pace(burst=10, interval=1.0)
GROUP = Pace(burst=5, interval=4.0)
"""Never more than twenty a minute: the burst, and fifteen in any sixty seconds."""


@dataclass(slots=True, eq=False)
class Line:
    """The way into one chat: its pace, and until when Telegram wants silence there.

    `turn` is for whoever is the next to write; `users` counts the calls that know this line.
    """

    pace: Pace
    held_until: float = 0.0
    whole_at: float = 0.0
    users: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def rest(self, now: float, *, paced: bool) -> float:
        """Seconds until a call may go; only a paced one minds the pace."""
        ready = self.whole_at - (self.pace.burst - 1) * self.pace.interval if paced else 0.0
        return max(self.held_until, ready) - now

    def spend(self, now: float) -> None:
        """Note that a paced call goes now."""
        self.whole_at = max(self.whole_at, now) + self.pace.interval

    def hold(self, until: float) -> None:
        """Let nothing through before that time."""
        self.held_until = max(self.held_until, until)

    def idle(self, now: float) -> bool:
        """Whether it may be forgotten: a new one would do the same."""
        return self.users == 0 and max(self.held_until, self.whole_at) <= now


class Gate:
    """Where the calls to all chats leave: never more than `OVERALL` in a second, over all the replicas that share it.

    Who waits goes by the time of coming, to which a call may add some seconds of its own to let others pass. Nobody is
    passed for longer than that.
    """

    def __init__(self, replicas: Callable[[], int] = lambda: 1) -> None:
        self._replicas = replicas
        self._left: deque[float] = deque(maxlen=OVERALL)
        self._waiting: list[tuple[float, int, asyncio.Future[float]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def leave_now(self) -> bool:
        """Take a turn if nobody waits for one; says whether there was one."""
        now = asyncio.get_running_loop().time()
        if self._waiting or self._rest(now) > 0:
            return False
        self._left.append(now)
        return True

    async def leave(self, courtesy: float = 0.0) -> float:
        """Wait for one's turn; gives the time that may be handed to `give_back`."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[float] = loop.create_future()
        heapq.heappush(self._waiting, (loop.time() + courtesy, next(self._order), turn))
        if self._timer is None:
            self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back(turn.result())
            raise

    def give_back(self, left: float) -> None:
        """Let somebody else have a turn that was not used."""
        if left in self._left:
            self._left.remove(left)
        self.close()
        self._admit()

    def close(self) -> None:
        """Admit nobody more by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _admit(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._waiting:
            now = loop.time()
            rest = self._rest(now)
            if rest > 0:
                self._timer = loop.call_later(rest + TICK, self._admit)
                return
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._left.append(now)
                turn.set_result(now)

    def _rest(self, now: float) -> float:
        replicas = max(1, self._replicas())
        share = max(1, OVERALL // replicas)
        window = _WINDOW * max(1.0, replicas / OVERALL)
        return self._left[-share] + window - now if len(self._left) >= share else 0.0
