"""What goes wrong in a story, and when: seeded delays, and faults that an action scheduled."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

ANY = "*"
_DELAYS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.001, 0.002, 0.005, 0.02, 0.1)


class CallFault(StrEnum):
    """How a call to Telegram fails. `…_DONE`: Telegram did it all the same."""

    UNSENT = "unsent"
    CUT = "cut"
    CUT_DONE = "cut, done"
    BROKEN = "500"
    BAD_GATEWAY = "502"
    BAD_GATEWAY_DONE = "502, done"
    TOO_MANY = "429"
    TOO_MANY_LONG = "429 for minutes"
    TOO_MANY_SILENT = "429 without a number"
    HANG = "hang"
    HANG_DONE = "hang, done"
    SLOW = "slow"
    GARBAGE = "garbage"
    GARBAGE_DONE = "garbage, done"
    DEATH = "death before"
    DEATH_DONE = "death after"

    @property
    def done(self) -> bool:
        """Whether Telegram executes the call."""
        return self in _DONE


_DONE = {
    CallFault.CUT_DONE,
    CallFault.BAD_GATEWAY_DONE,
    CallFault.HANG_DONE,
    CallFault.SLOW,
    CallFault.GARBAGE_DONE,
    CallFault.DEATH_DONE,
}
FATAL = {CallFault.DEATH, CallFault.DEATH_DONE}


class DatabaseFault(StrEnum):
    """How a statement fails. `LOST`: the commit is done, and the program gets an error."""

    DOWN = "down"
    LOST = "lost"
    DEATH = "death before"
    DEATH_DONE = "death after"


@dataclass
class _ScheduledFault:
    what: str
    after: int
    times: int
    of: str = ANY


class FaultSchedule:
    """Scheduled faults happen one by one; without faults there are still delays."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._fates: list[_ScheduledFault] = []
        self._mishaps: list[_ScheduledFault] = []
        self.injected: list[str] = []
        self.database_faults = 0

    def delay(self) -> float:
        """A delay in seconds, mostly zero."""
        return self._rng.choice(_DELAYS)

    def schedule_call_fault(self, fault: CallFault, *, method: str = ANY, after: int = 0, times: int = 1) -> None:
        """Let calls of a method fail, after so many that succeed."""
        self._fates.append(_ScheduledFault(fault, after, times, method))

    def schedule_database_fault(self, fault: DatabaseFault, *, after: int = 0, times: int = 1) -> None:
        """Let statements fail, after so many that succeed."""
        self._mishaps.append(_ScheduledFault(fault, after, times))

    def clear(self) -> None:
        """Remove all scheduled faults."""
        self._fates.clear()
        self._mishaps.clear()

    def next_call_fault(self, method: str) -> CallFault | None:
        """The fault of this call; None when it succeeds."""
        due = _next(self._fates, [ANY, method] if method != "getUpdates" else [method])
        if due is None:
            return None
        self.injected.append(f"{method}: {due}")
        return CallFault(due)

    def next_database_fault(self, statement: str) -> DatabaseFault | None:
        """The fault of this statement; None when it is executed."""
        commits = statement == "COMMIT"
        if not commits and self._mishaps and self._mishaps[0].what == DatabaseFault.LOST:
            return None
        due = _next(self._mishaps, [ANY])
        if due is None:
            return None
        self.database_faults += 1
        self.injected.append(f"{statement.split()[0]}: {due}")
        return DatabaseFault(due)


def _next(orders: list[_ScheduledFault], names: Sequence[str]) -> str | None:
    for order in orders:
        if order.of not in names:
            continue
        if order.after > 0:
            order.after -= 1
            return None
        order.times -= 1
        if order.times <= 0:
            orders.remove(order)
        return order.what
    return None
