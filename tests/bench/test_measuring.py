"""Real processes: our bot, and those peers whose libraries our tests have."""

import pytest

from bench.bots import FLOOR, MOST_CALLS, OURS, PICKLE, Bot
from bench.measuring import Load, measure


@pytest.mark.slow("programs")
@pytest.mark.parametrize(("bot", "calls"), [(FLOOR, 17), (PICKLE, MOST_CALLS)], ids=lambda it: getattr(it, "key", it))
async def test_a_peer_makes_as_many_calls_as_it_is_told(bot: Bot, calls: int) -> None:
    run = await measure(bot, Load(people=2, conversations=4, network=0.002, seconds=60, warm_up=1), calls=calls)

    assert (run.failures, run.refused, run.cut_off) == ([], {}, False)
    assert run.values["calls"] == calls
    assert len(run.results) == 4
    assert len(run.steps) == 4 * 7


@pytest.mark.slow("programs")
async def test_our_bot_is_walked_through_whole_verifications() -> None:
    run = await measure(OURS, Load(people=2, conversations=4, network=0.0, seconds=60, warm_up=1), calls=MOST_CALLS)

    assert (run.failures, run.refused, run.cut_off) == ([], {}, False)
    assert len(run.results) == 4
    assert run.values["calls"] >= 8  # an answer to each step
    assert run.cpu > 0
    assert run.memory_peak >= run.memory_after_start > 0
