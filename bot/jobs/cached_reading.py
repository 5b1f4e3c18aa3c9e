"""A value that is read from the database when the metrics are scraped, and kept for some seconds.

A database that is away or slow delays no scrape: the last value stays.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class CachedReading(Generic[T]):
    """The value as it was last read; `outage` is the error of a store that is away, `monotonic` gives seconds."""

    value: T
    read: Callable[[], Awaitable[T]]
    outage: type[Exception]
    monotonic: Callable[[], float]
    keep: float = 15.0
    timeout: float = 2.0
    _read_at: float | None = None

    async def refresh(self) -> None:
        """Read the value, unless it is fresh or the database is away."""
        now = self.monotonic()
        if self._read_at is not None and now - self._read_at < self.keep:
            return
        # Before the reading is done, so that a scrape meanwhile gets the last value at once.
        self._read_at = now
        try:
            async with asyncio.timeout(self.timeout):
                self.value = await self.read()
        except (TimeoutError, self.outage):
            return
