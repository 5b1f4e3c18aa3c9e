"""What other parts count, as Prometheus metrics."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class CountCollector(Collector):
    """Collects a number that only grows; where `read` gives one for each value of something, `label` names that."""

    def __init__(
        self, name: str, description: str, read: Callable[[], int | Mapping[str, int]], *, label: str = ""
    ) -> None:
        self._name, self._description, self._label = name, description, label
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield the count as it is now."""
        family = CounterMetricFamily(self._name, self._description, labels=[self._label] if self._label else [])
        count = self._read()
        for of, number in count.items() if isinstance(count, Mapping) else [(None, count)]:
            family.add_metric([] if of is None else [of], number)
        yield family
