"""The results that wait for another server, as Prometheus metrics; they are read when somebody asks for the metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from verification.result_outbox import ResultBacklog

_CACHE_SECONDS = 10
_TIMEOUT = 1
"""So that a database which does not answer delays no scrape."""


class ResultBacklogCollector(Collector):
    """Collects the backlog; `outage` is the error of a store that is away, `monotonic` gives seconds."""

    def __init__(
        self,
        read: Callable[[], Awaitable[ResultBacklog]],
        outage: type[Exception],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._read = read
        self._outage = outage
        self._clock = clock
        self._monotonic = monotonic
        self._read_at: float | None = None
        self._backlog = ResultBacklog()

    async def refresh(self) -> None:
        """Read the backlog, unless it is fresh or the database is away."""
        now = self._monotonic()
        if self._read_at is not None and now - self._read_at < _CACHE_SECONDS:
            return
        self._read_at = now
        try:
            async with asyncio.timeout(_TIMEOUT):
                self._backlog = await self._read()
        except (TimeoutError, self._outage):
            return

    def collect(self) -> Iterator[Metric]:
        """Yield the backlog as it was last read."""
        backlog = self._backlog
        waited = 0.0 if backlog.since is None else max((self._clock() - backlog.since).total_seconds(), 0)
        yield GaugeMetricFamily("bot_results_undelivered", "Results not delivered yet", backlog.undelivered)
        yield GaugeMetricFamily("bot_results_oldest_seconds", "How long the oldest of them has waited", waited)
        yield GaugeMetricFamily("bot_results_abandoned", "Results of the last 7 days given up", backlog.abandoned)
