"""What may go wrong in a story, and when: seeded delays, and mishaps that somebody ordered."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

ANY = "*"
_DELAYS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.001, 0.002, 0.005, 0.02, 0.1)


class Fate(StrEnum):
    """What becomes of a call to Telegram that does not simply succeed. `…_DONE`: Telegram did it all the same."""

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
        """Whether Telegram does what it was asked."""
        return self in _DONE


_DONE = {
    Fate.CUT_DONE,
    Fate.BAD_GATEWAY_DONE,
    Fate.HANG_DONE,
    Fate.SLOW,
    Fate.GARBAGE_DONE,
    Fate.DEATH_DONE,
}
MORTAL = {Fate.DEATH, Fate.DEATH_DONE}


class Mishap(StrEnum):
    """What becomes of a statement. `LOST`: the commit stands, and nobody is told."""

    DOWN = "down"
    LOST = "lost"
    DEATH = "death before"
    DEATH_DONE = "death after"


@dataclass
class _Order:
    what: str
    after: int
    times: int
    of: str = ANY


class Weather:
    """Ordered mishaps come to pass one by one; clear weather still has its delays."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._fates: list[_Order] = []
        self._mishaps: list[_Order] = []
        self.came_true: list[str] = []
        self.mishaps = 0

    def delay(self) -> float:
        """Some seconds, mostly none."""
        return self._rng.choice(_DELAYS)

    def order_fate(self, fate: Fate, *, method: str = ANY, after: int = 0, times: int = 1) -> None:
        """Let calls of a method meet a fate, after so many that do not."""
        self._fates.append(_Order(fate, after, times, method))

    def order_mishap(self, mishap: Mishap, *, after: int = 0, times: int = 1) -> None:
        """Let statements meet a mishap, after so many that do not."""
        self._mishaps.append(_Order(mishap, after, times))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._fates.clear()
        self._mishaps.clear()

    def fate(self, method: str) -> Fate | None:
        """What becomes of this call; None when it succeeds."""
        due = _next(self._fates, [ANY, method] if method != "getUpdates" else [method])
        if due is None:
            return None
        self.came_true.append(f"{method}: {due}")
        return Fate(due)

    def mishap(self, statement: str) -> Mishap | None:
        """What becomes of this statement; None when it is carried out."""
        commits = statement == "COMMIT"
        if not commits and self._mishaps and self._mishaps[0].what == Mishap.LOST:
            return None
        due = _next(self._mishaps, [ANY])
        if due is None:
            return None
        self.mishaps += 1
        self.came_true.append(f"{statement.split()[0]}: {due}")
        return Mishap(due)


def _next(orders: list[_Order], names: Sequence[str]) -> str | None:
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
