"""The program itself as Prometheus metrics: its build, whether it is ready, what waits and since when.

What waits is read from the database, so every replica reports the same numbers of it. While the database is away the
last numbers are reported, and their ages go on growing.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.jobs.cached_reading import CachedReading
from verification.record import Record

QUEUES = ("replies", "notices")

Backlog = Mapping[str, tuple[int, datetime | None]]
"""For each queue how many wait, and since when (UTC) the oldest."""


class ProgramFacts(Record, kw_only=True):
    """Where the metrics come from; `updated_at` is when the last update was handled, on the clock `monotonic`."""

    build: Mapping[str, str]
    ready: Callable[[], Awaitable[Mapping[str, str]]]
    backlog: Callable[[], Awaitable[Backlog]]
    updated_at: Callable[[], float | None]
    providers: Mapping[str, Callable[[], bool]]
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    outage: type[Exception]


class ProgramCollector(Collector):
    """Collects the state of the program."""

    def __init__(self, facts: ProgramFacts) -> None:
        self._facts = facts
        self._started_at = facts.monotonic()
        self._backlog = CachedReading[Backlog]({}, facts.backlog, facts.outage, facts.monotonic)
        self._reasons: Mapping[str, str] = dict.fromkeys(("store", "telegram"), "not asked yet")

    async def refresh(self) -> None:
        """Ask whether the program is ready, and read what waits, unless that is fresh or the database is away."""
        self._reasons = await self._facts.ready()
        await self._backlog.refresh()

    def collect(self) -> Iterator[Metric]:
        """Yield the state as it was last read."""
        facts, now = self._facts, self._facts.clock()
        build = GaugeMetricFamily("bot_build_info", "1, with the build as labels", labels=tuple(facts.build))
        build.add_metric(tuple(facts.build.values()), 1)
        yield build
        parts = {part: not reason for part, reason in self._reasons.items()}
        yield _family("bot_ready", "1 when a part is ready, as /readyz says", "part", parts)
        waiting = {queue: self._backlog.value.get(queue, (0, None)) for queue in QUEUES}
        lengths = {queue: count for queue, (count, _) in waiting.items()}
        yield _family("bot_queue_length", "What waits to be sent, in the database", "queue", lengths)
        ages = {
            queue: 0.0 if since is None else max(0.0, (now - since).total_seconds())
            for queue, (_, since) in waiting.items()
        }
        yield _family("bot_queue_oldest_seconds", "How long the oldest in a queue has waited", "queue", ages)
        last = facts.updated_at()
        age = facts.monotonic() - (self._started_at if last is None else last)
        yield GaugeMetricFamily("bot_last_update_age_seconds", "Since the last update, or since the start", age)
        up = {method: is_up() for method, is_up in facts.providers.items()}
        yield _family("bot_provider_up", "1 unless the provider of a method was away at its last call", "method", up)


def _family(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=(label,))
    for of, value in values.items():
        family.add_metric((of,), float(value))
    return family
