"""The funnel as numbers for machines: read from what is committed, so that every program on a database tells the same.

They only grow, since nothing that was counted is ever taken back. They are read when somebody asks for them, and asked
again within seconds the last ones are told; a database that is away or slow holds nobody up.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from verification.support.funnel import FunnelCount
from verification.support.store import SupportStore

_CACHE_SECONDS = 15.0
_TIMEOUT = 2.0

_JOURNEYS = "Journeys that reached a step, by the campaign they began under"
_METHODS = "Journeys that reached a step by a way, by the campaign they began under"
_FAILURES = "Attempts that failed, by reason and way"


class FunnelCollector(Collector):
    """What was ever counted; `outage` is how the store says that it is away, `seconds` a clock that never jumps."""

    def __init__(self, store: SupportStore, outage: type[Exception], monotonic: Callable[[], float]) -> None:
        self._store = store
        self._outage = outage
        self._monotonic = monotonic
        self._read_at: float | None = None
        self._counts: Sequence[FunnelCount] = ()

    async def refresh(self) -> None:
        """Bring the numbers up to date, unless they are, or the database is away."""
        now = self._monotonic()
        if self._read_at is not None and now - self._read_at < _CACHE_SECONDS:
            return
        # Before it is done: whoever asks meanwhile is told the last numbers.
        self._read_at = now
        try:
            async with asyncio.timeout(_TIMEOUT):
                self._counts = await self._store.funnel_totals()
        except (TimeoutError, self._outage):
            return

    def collect(self) -> Iterator[Metric]:
        """Tell the numbers as they were last read."""
        steps = [each for each in self._counts if each.step is not None]
        failures = [each for each in self._counts if each.reason is not None]
        yield _family(
            "bot_funnel_journeys",
            _JOURNEYS,
            ("step", "campaign"),
            ((str(each.step), each.group, each.count) for each in steps if each.method is None),
        )
        yield _family(
            "bot_funnel_ways",
            _METHODS,
            ("step", "method", "campaign"),
            ((str(each.step), str(each.method), each.group, each.count) for each in steps if each.method is not None),
        )
        yield _family(
            "bot_funnel_failures",
            _FAILURES,
            ("reason", "method"),
            ((str(each.reason), str(each.method), each.count) for each in failures),
        )


def _family(name: str, what: str, labels: Sequence[str], samples: Iterable[tuple[str | int, ...]]) -> Metric:
    summed: Counter[tuple[str, ...]] = Counter()
    for *values, count in samples:
        summed[tuple(map(str, values))] += int(count)
    family = CounterMetricFamily(name, what, labels=labels)
    for of, total in sorted(summed.items()):
        family.add_metric(of, total)
    return family
