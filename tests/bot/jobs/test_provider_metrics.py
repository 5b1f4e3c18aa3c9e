"""What the providers count, as an operator reads it."""

from prometheus_client import CollectorRegistry, generate_latest

from bot.jobs.provider_metrics import ProviderCollector
from verification.providers.counts import ProviderCounts


def test_unknown_codes_and_charged_checks_are_shown() -> None:
    counts, registry = ProviderCounts(), CollectorRegistry()
    registry.register(ProviderCollector(counts))
    counts.add_unknown("2999")
    counts.add_unknown("2999")
    counts.billed += 3

    shown = generate_latest(registry).decode()

    assert 'bot_provider_unknown_total{code="2999"} 2.0' in shown
    assert "bot_provider_billed_total 3.0" in shown
