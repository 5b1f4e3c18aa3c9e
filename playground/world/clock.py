"""The clock of the stand-in: it shows what the system's shows, and can be put forward."""

from __future__ import annotations

from collections.abc import Callable

from playground.world.condition import ChangeCondition


class AdjustableClock:
    """Tells the time; whoever waits for a time is woken when it is put forward."""

    def __init__(self, system: Callable[[], float], changes: ChangeCondition) -> None:
        self._system = system
        self._bell = changes
        self._offset = 0.0

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        return self._system() + self._offset

    def advance(self, seconds: float) -> None:
        """Let that much time pass at once."""
        self._offset += seconds
        self._bell.notify_all()
