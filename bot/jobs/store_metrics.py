"""What the program asks of its database, as Prometheus metrics."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class StoreCollector(Collector):
    """Collects the counts of the store: its commits, and its round trips to the database."""

    def __init__(self, commits: Callable[[], int], round_trips: Callable[[], int]) -> None:
        self._commits = commits
        self._round_trips = round_trips

    def collect(self) -> Iterator[Metric]:
        """Yield the counts as they are now."""
        yield CounterMetricFamily("storage_commits", "Commits that changed something", self._commits())
        trips = "Round trips to the server, or to the thread of the embedded database"
        yield CounterMetricFamily("storage_round_trips", trips, self._round_trips())
