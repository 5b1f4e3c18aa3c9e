"""What the store is asked, as an operator reads it."""

from prometheus_client import CollectorRegistry

from bot.jobs.store_metrics import StoreCollector
from storage.database import DatabaseCounts


def test_commits_and_round_trips_are_shown_as_they_are_now() -> None:
    counts, registry = DatabaseCounts(), CollectorRegistry()
    registry.register(StoreCollector(lambda: counts.commits, lambda: counts.round_trips))

    def shown() -> list[float | None]:
        names = ("storage_commits_total", "storage_round_trips_total")
        return [registry.get_sample_value(name) for name in names]

    before = shown()
    counts.commits, counts.round_trips = 2, 5

    assert (before, shown()) == ([0, 0], [2, 5])
