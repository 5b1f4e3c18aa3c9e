"""Waiting for facts instead of for the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class ChangeCondition:
    """Rung at every change; whoever waits looks again whether his fact is true by now."""

    def __init__(self) -> None:
        self._change = asyncio.Event()

    def notify_all(self) -> None:
        """Wake everybody who waits."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Return as soon as the fact is true, or after that many seconds; say whether it is true."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                while not predicate():
                    await self._change.wait()
        except TimeoutError:
            pass
        return predicate()
