"""The funnel as Prometheus metrics, read from the database, so that every replica reports the same numbers.

The numbers only grow, because nothing that was counted is taken back.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.jobs.cached_reading import CachedReading
from verification.support.funnel import FunnelCount
from verification.support.store import SupportStore

_JOURNEYS = "Journeys that reached a step, by the campaign they began under"
_METHODS = "Journeys that reached a step by a method, by the campaign they began under"
_FAILURES = "Attempts that failed, by reason and method"


class FunnelCollector(Collector):
    """Collects the totals of the funnel; `outage` is the error of a store that is away, `monotonic` gives seconds.

    Campaigns are named only on request: their names tell an operator's business to everybody who reads the metrics.
    """

    def __init__(
        self,
        store: SupportStore,
        outage: type[Exception],
        monotonic: Callable[[], float],
        *,
        campaigns: bool = False,
    ) -> None:
        self._campaigns = campaigns
        self._counts = CachedReading[Sequence[FunnelCount]]((), store.funnel_totals, outage, monotonic)

    async def refresh(self) -> None:
        """Read the totals, unless they are fresh or the database is away."""
        await self._counts.refresh()

    def collect(self) -> Iterator[Metric]:
        """Yield the totals as they were last read."""
        steps = [each for each in self._counts.value if each.step is not None]
        failures = [each for each in self._counts.value if each.reason is not None]
        yield _family(
            "bot_funnel_journeys",
            what=_JOURNEYS,
            labels=("step", "campaign"),
            samples=((str(each.step), self._campaign(each), each.count) for each in steps if each.method is None),
        )
        yield _family(
            "bot_funnel_ways",
            what=_METHODS,
            labels=("step", "method", "campaign"),
            samples=(
                (str(each.step), str(each.method), self._campaign(each), each.count)
                for each in steps
                if each.method is not None
            ),
        )
        yield _family(
            "bot_funnel_failures",
            what=_FAILURES,
            labels=("reason", "method"),
            samples=((str(each.reason), str(each.method), each.count) for each in failures),
        )

    def _campaign(self, count: FunnelCount) -> str:
        return count.group if self._campaigns else ""


def _family(name: str, *, what: str, labels: Sequence[str], samples: Iterable[tuple[str | int, ...]]) -> Metric:
    summed: Counter[tuple[str, ...]] = Counter()
    for *values, count in samples:
        summed[tuple(map(str, values))] += int(count)
    family = CounterMetricFamily(name, what, labels=labels)
    for of, total in sorted(summed.items()):
        family.add_metric(of, total)
    return family
