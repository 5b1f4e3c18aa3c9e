"""What the providers count, as Prometheus metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from verification.providers.counts import ProviderCounts


class ProviderCollector(Collector):
    """Collects the codes that no table of ours has, and the checks that a vendor charges for."""

    def __init__(self, counts: ProviderCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield the counts as they are now."""
        unknown = CounterMetricFamily(
            "bot_provider_unknown", "Codes of a provider that are in no table", labels=["code"]
        )
        for code, number in self._counts.unknown_codes.items():
            unknown.add_metric([code], number)
        yield unknown
        yield CounterMetricFamily("bot_provider_billed", "Checks that a provider charges for", self._counts.billed)
