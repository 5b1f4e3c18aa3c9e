"""The clock of the stand-in: it shows what the system's shows, and can be put forward."""

from __future__ import annotations

from collections.abc import Callable

from playground.world.condition import Bell


class Timepiece:
    """Tells the time; whoever waits for a time is woken when it is put forward."""

    def __init__(self, system: Callable[[], float], bell: Bell) -> None:
        self._system = system
        self._bell = bell
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        return self._system() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let that much time pass at once."""
        self._ahead += seconds
        self._bell.ring()
