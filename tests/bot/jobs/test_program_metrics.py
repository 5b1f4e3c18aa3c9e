"""The program's own metrics: read at most every few seconds, and reported when the database is away."""

import asyncio
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from bot.jobs.program_metrics import Backlog, ProgramCollector, ProgramFacts

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class World:
    """What a program is asked; `waits` is the database's answer, or None while it is away."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.waits: Backlog | None = {"replies": (2, NOON - timedelta(seconds=30)), "notices": (0, None)}
        self.asked = 0
        self.reasons = {"store": "", "telegram": ""}
        self.updated_at: float | None = None
        self.registry = CollectorRegistry()
        self.collector = ProgramCollector(
            ProgramFacts(
                build={"version": "1"},
                ready=self.ready,
                backlog=self.backlog,
                updated_at=lambda: self.updated_at,
                providers={"qq": lambda: False},
                clock=lambda: NOON + timedelta(seconds=self.seconds - 100),
                monotonic=lambda: self.seconds,
                outage=OSError,
            )
        )
        self.registry.register(self.collector)

    async def ready(self) -> dict[str, str]:
        await asyncio.sleep(0)
        return self.reasons

    async def backlog(self) -> Backlog:
        await asyncio.sleep(0)
        self.asked += 1
        if self.waits is None:
            raise OSError("away")
        return self.waits

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


async def test_what_waits_and_since_when_is_reported_and_ages_go_on_while_the_database_is_away() -> None:
    world = World()
    await world.collector.refresh()

    assert world.value("bot_queue_length", queue="replies") == 2
    assert world.value("bot_queue_oldest_seconds", queue="replies") == 30
    assert world.value("bot_queue_oldest_seconds", queue="notices") == 0
    assert world.value("bot_queue_length", queue="notices") == 0

    world.waits, world.reasons = None, {"store": "cannot be written", "telegram": ""}
    world.seconds += 60
    await world.collector.refresh()

    assert world.value("bot_queue_oldest_seconds", queue="replies") == 90
    assert (world.value("bot_ready", part="store"), world.value("bot_ready", part="telegram")) == (0, 1)


async def test_the_database_is_asked_once_in_some_seconds() -> None:
    world = World()
    for _ in range(3):
        await world.collector.refresh()
        world.seconds += 1
    assert world.asked == 1

    world.seconds += 15
    await world.collector.refresh()
    assert world.asked == 2


def test_before_it_is_asked_the_program_is_not_ready_and_every_series_is_there() -> None:
    world = World()
    world.seconds += 7

    assert (world.value("bot_ready", part="store"), world.value("bot_ready", part="telegram")) == (0, 0)
    assert world.value("bot_last_update_age_seconds") == 7
    world.updated_at = 105.0
    assert world.value("bot_last_update_age_seconds") == 2
    assert world.value("bot_provider_up", method="qq") == 0
    assert world.value("bot_build_info", version="1") == 1
