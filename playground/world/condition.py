"""Waiting for facts instead of for the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    """Rung at every change; whoever waits looks again whether his fact is true by now."""

    def __init__(self) -> None:
        self._change = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who waits."""
        self._change.set()
        self._change = asyncio.Event()

    async def until(self, fact: Callable[[], bool], seconds: float) -> bool:
        """Return as soon as the fact is true, or after that many seconds; say whether it is true."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                while not fact():
                    await self._change.wait()
        except TimeoutError:
            pass
        return fact()
