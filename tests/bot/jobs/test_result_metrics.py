"""The backlog of results in the metrics: read when asked, cached, and never in the way of a scrape."""

from datetime import timedelta

from prometheus_client import CollectorRegistry

from bot.jobs.result_metrics import ResultBacklogCollector
from storage import StoreUnavailable
from tests.fakes import NOON, FakeClock
from verification.result_outbox import ResultBacklog


class Outbox:
    """Answers with a backlog, or is away."""

    def __init__(self) -> None:
        self.backlog: ResultBacklog | None = ResultBacklog()
        self.read = 0

    async def __call__(self) -> ResultBacklog:
        self.read += 1
        if self.backlog is None:
            raise StoreUnavailable("away")
        return self.backlog


async def test_the_backlog_is_read_again_after_ten_seconds_and_kept_during_an_outage() -> None:
    outbox, clock, seconds = Outbox(), FakeClock(), [0.0]
    collector = ResultBacklogCollector(outbox, StoreUnavailable, clock, lambda: seconds[0])
    registry = CollectorRegistry()
    registry.register(collector)

    def values() -> tuple[float | None, ...]:
        names = ("undelivered", "oldest_seconds", "abandoned")
        return tuple(registry.get_sample_value(f"bot_results_{name}") for name in names)

    await collector.refresh()
    assert values() == (0, 0, 0)
    outbox.backlog = ResultBacklog(undelivered=3, since=NOON - timedelta(hours=1), abandoned=2)
    await collector.refresh()
    assert values() == (0, 0, 0)
    seconds[0] = 10
    await collector.refresh()
    assert values() == (3, 3600, 2)
    outbox.backlog = None
    seconds[0] = 20
    clock.advance(hours=-2)
    await collector.refresh()
    assert (values(), outbox.read) == ((3, 0, 2), 3)
