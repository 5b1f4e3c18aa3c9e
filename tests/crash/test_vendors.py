"""kill -9 at every point of a check by a vendor or by network identity, around every call to the vendor too.

The vendors are strict stand-ins that speak the real protocols. Each check fails, is tried again, and passes.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import pytest

from bot.testing.fork_client import ForkClient
from tests.alipay_server import alipay_server
from tests.crash.conftest import PARTS
from tests.crash.stories import BY_ALIPAY, BY_NETWORK_IDENTITY, BY_TENCENT, FORM
from tests.crash.sweep import (
    ActionSequence,
    OpenVendor,
    Share,
    SweepEnvironment,
    UndisturbedRuns,
    own_file,
    run_conversation,
    sweep,
)
from tests.faceid_server import faceid_server
from tests.reliability import Proof


@asynccontextmanager
async def tencent() -> AsyncIterator[Mapping[str, str]]:
    async with faceid_server(lambda: datetime.now(UTC)) as vendor:
        yield vendor.settings
        assert vendor.refused == []


@asynccontextmanager
async def alipay() -> AsyncIterator[Mapping[str, str]]:
    async with alipay_server() as platform:
        yield platform.settings


@asynccontextmanager
async def network_identity() -> AsyncIterator[Mapping[str, str]]:
    yield {"PROVIDER_NETID": "simulated"}


CASES: Mapping[str, tuple[OpenVendor, ActionSequence]] = {
    "tencent": (tencent, BY_TENCENT),
    "alipay": (alipay, BY_ALIPAY),
    "netid": (network_identity, BY_NETWORK_IDENTITY),
}

CALLING = ("agree to face", "pass")
"""Actions in which the bot calls the vendor: to open a check, and to ask about it."""


@pytest.fixture
def environment(tmp_path: Path, bot_forks: ForkClient, undisturbed_runs: UndisturbedRuns) -> SweepEnvironment:
    """Where conversations with vendors take place: what differs between the databases is swept without vendors."""
    return SweepEnvironment(tmp_path, bot_forks, own_file, undisturbed_runs=undisturbed_runs)


@pytest.mark.slow("crash")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("case", CASES)
async def test_killed_at_any_point_of_a_check_the_bot_loses_and_repeats_nothing(
    case: str, part: int, environment: SweepEnvironment, proof: Proof
) -> None:
    vendor, story = CASES[case]
    share = replace(environment, open_vendor=vendor, share=Share(PARTS, part))
    # The form is swept in the story of every method.
    figures = await sweep(share, story, lambda action, _: action not in FORM)
    proof(cases=figures.points, faults=figures.kills, losses=len(figures.losses))

    assert not figures.losses, "\n".join(figures.losses)
    # Polls go on meanwhile, so that a few points are not passed again.
    assert len(figures.missed) <= ceil(figures.points / 10), figures.missed
    assert figures.kills > 40


@pytest.mark.slow("crash")
async def test_killed_after_each_call_to_a_vendor_the_bot_verifies_who_passed(
    environment: SweepEnvironment, proof: Proof
) -> None:
    story = [action for action in BY_ALIPAY if action.name not in ("fail", "again", "go on again")]
    calls = {number: "after HTTP call #1" for number, action in enumerate(story) if action.name in CALLING}
    log = await run_conversation(replace(environment, open_vendor=alipay), story, calls)
    proof(cases=1, faults=len(log.crashed), losses=len(log.losses))

    assert log.losses == []
    assert log.crashed == set(calls)
