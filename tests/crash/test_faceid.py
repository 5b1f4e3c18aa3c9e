"""The bot is killed at every point from the consent to the vendor's flow, and from its verdict to the result."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from tests.crash.conversation import all_that_came, came_unmarked
from tests.crash.crash_points import NOWHERE
from tests.crash.crashing_bots import LEASE_SECONDS, CrashingBot
from tests.crash.process import fork_client
from tests.faceid_server import FaceIdServer, faceid_server
from tests.reliability import Proof
from tests.simulator_fixture import ChatUser, go_to_method_choice, press, scan, simulator

CODE, FAILED = "等待扫码", "这次没有通过"
CONSENT, VERDICT = "consent", "verdict"
EXPIRED_FLOW = 15
"""A final code: after others the person may try again, so the bot waits a little."""


async def go_on(guest: ChatUser, vendor: FaceIdServer, bot: CrashingBot, *, killed: str, point: str) -> list[str]:
    """Take a face check to its failure, and kill the bot at a point of one of its steps; returns the points of both."""
    await go_to_method_choice(guest)
    await guest.taps("人脸识别")
    await guest.sees("需要你单独同意")
    await bot.wait_until_quiet()
    points = []
    crashes = len(bot.crashes)
    bot.target.take(point if killed == CONSENT else NOWHERE)
    await guest.taps("同意并继续")
    await guest.sees(CODE)
    await bot.wait_until_settled(crashes)
    points += [f"{CONSENT} {each}" for each in bot.target.passed()]
    async with Phone() as phone:
        await scan(guest, phone)
        await press(phone, "前往验证")
    await bot.wait_until_quiet()
    crashes = len(bot.crashes)
    bot.target.take(point if killed == VERDICT else NOWHERE)
    vendor.end(EXPIRED_FLOW)
    await guest.sees(FAILED)
    await bot.wait_until_settled(crashes)
    return points + [f"{VERDICT} {each}" for each in bot.target.passed()]


@pytest.mark.slow("crash")
async def test_a_killed_bot_loses_no_flow_and_no_verdict_of_the_vendor(tmp_path: Path, proof: Proof) -> None:
    def bots_clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS * len(bot.crashes))

    async with faceid_server(bots_clock) as vendor, simulator() as telegram:
        bot = CrashingBot(telegram, tmp_path, fork_client(), **vendor.settings)
        async with bot.running():
            points = await go_on(await telegram.new_user("李雷"), vendor, bot, killed="", point=NOWHERE)
            for each in points:
                killed, _, point = each.partition(" ")
                guest = await telegram.new_user("李雷")
                await go_on(guest, vendor, bot, killed=killed, point=point)
                # Where nobody knows whether the result was shown, it is shown once more, with a remark.
                assert came_unmarked(guest, FAILED) <= 1 <= len(all_that_came(guest, FAILED)) <= 2, each

    assert [list(report.broken) for report in bot.crashes] == [[]] * len(bot.crashes)
    assert len(bot.crashes) == len(points) > 20
    assert vendor.refused == []
    proof(cases=len(points), faults=len(bot.crashes))
