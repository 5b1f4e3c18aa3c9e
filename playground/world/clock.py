"""The clock of the simulator, and waiting for a change instead of sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class ChangeCondition:
    """A condition that is notified at every change. Each waiter then checks its own predicate again."""

    def __init__(self) -> None:
        self._change = asyncio.Event()

    def notify_all(self) -> None:
        """Wake all waiters."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Wait until the predicate is true, at most that many seconds. Return whether it is true."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                while not predicate():
                    await self._change.wait()
        except TimeoutError:
            pass
        return predicate()


class AdjustableClock:
    """The system's time plus an offset. Moving it forward wakes all waiters."""

    def __init__(self, system: Callable[[], float], changes: ChangeCondition) -> None:
        self._system = system
        self._changes = changes
        self._offset = 0.0

    def __call__(self) -> float:
        """Return the time in seconds since 1970, UTC."""
        return self._system() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._offset += seconds
        self._changes.notify_all()
