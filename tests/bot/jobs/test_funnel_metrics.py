"""The funnel on /metrics: what is committed, the same on every program, and never in anybody's way."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bot.flow.events import AttemptFailed, Choice, Command, Commanded
from bot.jobs.funnel_metrics import FunnelCollector
from storage import SqlStore, StoreUnavailable
from tests.bot.engine.runner_fixture import runner_fixture
from tests.bot.engine.test_journeys import attempt_of
from verification.attempts import Reason
from verification.support.funnel import FunnelCount, FunnelStep


class FakeMonotonic:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def told(tallies: FunnelCollector) -> list[str]:
    registry = CollectorRegistry()
    registry.register(tallies)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


async def test_every_program_tells_what_all_have_counted_after_a_restart_too(tmp_path: Path) -> None:
    async with runner_fixture(tmp_path) as desk:
        await desk.until_method()
        await desk.taps(Choice.QQ)
        await desk.send_event(AttemptFailed(await attempt_of(desk.store), Reason.NO_CARD))
    async with runner_fixture(tmp_path) as later, runner_fixture(tmp_path) as beside:
        tellings = []
        for each in (later, beside):
            tallies = FunnelCollector(each.store, StoreUnavailable, FakeMonotonic())
            await tallies.refresh()
            tellings.append(told(tallies))

    assert tellings[0] == tellings[1]
    assert tellings[0] == [
        'bot_funnel_journeys_total{campaign="",step="agreed"} 1.0',
        'bot_funnel_journeys_total{campaign="",step="confirmed"} 1.0',
        'bot_funnel_journeys_total{campaign="",step="opened"} 1.0',
        'bot_funnel_journeys_total{campaign="",step="shown"} 1.0',
        'bot_funnel_journeys_total{campaign="",step="started"} 1.0',
        'bot_funnel_ways_total{campaign="",method="qq",step="shown"} 1.0',
        'bot_funnel_failures_total{method="qq",reason="no_card"} 1.0',
    ]


async def test_what_was_read_is_told_again_for_some_seconds(tmp_path: Path) -> None:
    seconds = FakeMonotonic()
    async with runner_fixture(tmp_path) as desk:
        tallies = FunnelCollector(desk.store, StoreUnavailable, seconds)
        await tallies.refresh()
        await desk.send_event(Commanded(Command.START))
        await tallies.refresh()
        soon = told(tallies)
        seconds.now = 60
        await tallies.refresh()

        assert (soon, told(tallies)) == ([], ['bot_funnel_journeys_total{campaign="",step="opened"} 1.0'])


class UnavailableStore(SqlStore):
    """A store whose database fell silent."""

    async def funnel_totals(self) -> Sequence[FunnelCount]:
        raise StoreUnavailable("the database does not answer")


class SlowStore(SqlStore):
    """A store that never answers."""

    async def funnel_totals(self) -> Sequence[FunnelCount]:
        await asyncio.get_running_loop().create_future()
        return ()


async def test_while_the_database_is_away_or_slow_the_last_numbers_are_told(tmp_path: Path) -> None:
    seconds = FakeMonotonic()
    async with runner_fixture(tmp_path) as desk:
        await desk.send_event(Commanded(Command.START))
        tallies = FunnelCollector(desk.store, StoreUnavailable, seconds)
        await tallies.refresh()
        for kind in (UnavailableStore, SlowStore):
            seconds.now += 60
            tallies._counts.read = kind(desk.store._database, desk.store._sealing).funnel_totals
            await tallies.refresh()

        assert told(tallies) == ['bot_funnel_journeys_total{campaign="",step="opened"} 1.0']


class CampaignStore(SqlStore):
    """A store with journeys of a campaign."""

    async def funnel_totals(self) -> Sequence[FunnelCount]:
        return [FunnelCount(group="spring", step=FunnelStep.OPENED, method=None, reason=None, count=2)]


@pytest.mark.parametrize(("campaigns", "label"), [(False, ""), (True, "spring")])
async def test_a_campaign_is_named_only_on_request(tmp_path: Path, label: str, *, campaigns: bool) -> None:
    async with runner_fixture(tmp_path) as desk:
        store = CampaignStore(desk.store._database, desk.store._sealing)
        tallies = FunnelCollector(store, StoreUnavailable, FakeMonotonic(), campaigns=campaigns)
        await tallies.refresh()

    assert told(tallies) == [f'bot_funnel_journeys_total{{campaign="{label}",step="opened"}} 2.0']
