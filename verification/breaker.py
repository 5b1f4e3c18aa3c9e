"""A circuit breaker: a service that fails several times in a row rests for a while, so that nobody waits for it.

When the rest is over, one call is let through. If it fails, the next rest is twice as long, up to a limit; a success
ends everything. The clock is handed in, and may be set back: that makes no rest longer than the longest one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES = 5
"""So many failures in a row open the breaker."""
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=5)


@dataclass(slots=True)
class Breaker:
    """Counts the outcomes of calls to one service, and says when it rests."""

    clock: Callable[[], datetime]
    _failures: int = 0
    _rest: timedelta = FIRST_REST
    _rests_until: datetime | None = None
    _is_probing: bool = False

    @property
    def is_resting(self) -> bool:
        """Whether calls are refused now."""
        now, until = self.clock(), self._rests_until
        return until is not None and (self._is_probing or now < until <= now + LONGEST_REST)

    def admit(self) -> bool:
        """Whether a call may be made now; after a rest it is the only one until its outcome is known."""
        if self.is_resting:
            return False
        self._is_probing = self._rests_until is not None
        return True

    def succeeded(self) -> None:
        """Note that a call was answered."""
        self._failures, self._rest, self._rests_until, self._is_probing = 0, FIRST_REST, None, False

    def failed(self) -> None:
        """Note that a call was not answered. One that began before the rest changes nothing."""
        if self._rests_until is None:
            self._failures += 1
            if self._failures < FAILURES:
                return
        elif not self._is_probing:
            return
        self._rests_until, self._is_probing = self.clock() + self._rest, False
        self._rest = min(self._rest * 2, LONGEST_REST)

    def misconfigured(self) -> None:
        """Note that the service works for nobody until the operator mends something: the longest rest, at once."""
        self._rest = LONGEST_REST
        self._rests_until, self._is_probing = self.clock() + LONGEST_REST, False

    def undecided(self) -> None:
        """Note that a call says nothing about the service; after a rest the next one is tried instead."""
        self._is_probing = False
