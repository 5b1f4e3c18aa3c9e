"""What the store and the providers count, as an operator reads it."""

from prometheus_client import CollectorRegistry

from bot.container.build import register_counts
from storage.database import DatabaseCounts
from verification.providers.counts import ProviderCounts


def test_counts_are_shown_as_they_are_now() -> None:
    database, providers, registry = DatabaseCounts(), ProviderCounts(), CollectorRegistry()
    register_counts(registry, database, providers)

    def shown() -> list[float | None]:
        names = ("storage_commits_total", "storage_round_trips_total", "bot_provider_billed_total")
        of_code = registry.get_sample_value("bot_provider_unknown_total", {"code": "2999"})
        return [*(registry.get_sample_value(name) for name in names), of_code]

    before = shown()
    database.commits, database.round_trips = 2, 5
    providers.billed += 3
    providers.add_unknown("2999")
    providers.add_unknown("2999")

    assert (before, shown()) == ([0, 0, 0, None], [2, 5, 3, 2])
