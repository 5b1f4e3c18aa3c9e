"""The results that wait for another server, as Prometheus metrics; they are read when somebody asks for the metrics."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.jobs.cached_reading import CachedReading
from verification.result_outbox import ResultBacklog

_KEEP_SECONDS = 10
_TIMEOUT = 1


class ResultBacklogCollector(Collector):
    """Collects the backlog; `outage` is the error of a store that is away, `monotonic` gives seconds."""

    def __init__(
        self,
        read: Callable[[], Awaitable[ResultBacklog]],
        outage: type[Exception],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._backlog = CachedReading(ResultBacklog(), read, outage, monotonic, keep=_KEEP_SECONDS, timeout=_TIMEOUT)

    async def refresh(self) -> None:
        """Read the backlog, unless it is fresh or the database is away."""
        await self._backlog.refresh()

    def collect(self) -> Iterator[Metric]:
        """Yield the backlog as it was last read."""
        backlog = self._backlog.value
        waited = 0.0 if backlog.since is None else max((self._clock() - backlog.since).total_seconds(), 0)
        yield GaugeMetricFamily("bot_results_undelivered", "Results not delivered yet", backlog.undelivered)
        yield GaugeMetricFamily("bot_results_oldest_seconds", "How long the oldest of them has waited", waited)
        yield GaugeMetricFamily("bot_results_abandoned", "Results of the last 7 days given up", backlog.abandoned)
