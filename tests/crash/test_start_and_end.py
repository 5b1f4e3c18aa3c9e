"""kill -9 at every point of a start, of the schema's creation, and of a shutdown that SIGTERM began."""

import asyncio
import signal

import pytest

from tests.crash import checker
from tests.crash.conversation import CHAT
from tests.crash.crash_points import NOWHERE
from tests.crash.crashing_bots import CrashingBot
from tests.crash.sweep import SweepEnvironment, in_parallel
from tests.reliability import Proof
from tests.simulator_fixture import ChatUser, Simulator, simulator

IN_TIME = 10
HELLO = CHAT[0]


async def say_hello(guest: ChatUser) -> None:
    await HELLO.do(guest, None)  # type: ignore[arg-type]  # no phone is needed to begin


async def problems_of(bot: CrashingBot, guest: ChatUser) -> list[str]:
    """Wait until a user's message is answered, and find what is wrong in the database."""
    await guest.sees(HELLO.reply_text)
    await bot.wait_until_settled(0)
    return await checker.check_database(bot.database, bot.confirmed)


async def start(environment: SweepEnvironment, target: str, slot: int = 0) -> tuple[list[str], int, list[str]]:
    """Start a bot that crashes on the way; return the points of its start, its crashes, and what is wrong with it."""
    async with simulator() as telegram:
        bot = await environment.bot(telegram, slot)
        async with bot.running(target):
            guest = await telegram.new_user()
            points = bot.target.passed()
            await say_hello(guest)
            found = await problems_of(bot, guest)
        return points, len(bot.crashes), [*found, *(what for crash in bot.crashes for what in crash.broken)]


async def starts_all_the_same(environment: SweepEnvironment, proof: Proof, *, schema: bool) -> None:
    points, _, _ = await start(environment, NOWHERE)
    targets = environment.share.of(point for point in points if (" schema " in point) is schema)
    runs = await in_parallel(lambda target, slot: start(environment, target, slot), targets)
    crashes, losses = sum(count for _, count, _ in runs), [loss for _, _, found in runs for loss in found]
    proof(cases=len(targets), faults=crashes, losses=len(losses))

    assert not losses
    assert crashes >= len(targets) * 0.9


@pytest.mark.slow("crash")
async def test_inv30_killed_at_every_point_of_its_start_it_serves_after_the_next(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await starts_all_the_same(environment, proof, schema=False)


async def test_inv32_killed_at_every_step_of_the_schema_the_next_start_finishes_it(
    environment: SweepEnvironment, proof: Proof
) -> None:
    await starts_all_the_same(environment, proof, schema=True)


async def end(environment: SweepEnvironment, target: str, slot: int = 0) -> tuple[list[str], bool, list[str]]:
    """Ask a bot to end while it answers; return the points of its end, whether it crashed, and what is wrong."""
    async with simulator() as telegram:
        bot = await environment.bot(telegram, slot)
        bot.target.take(NOWHERE)
        try:
            await bot.start()
            await bot.wait_until_started()
            guest = await telegram.new_user()
            bot.target.take(target)
            await say_hello(guest)
            await wait_until_update_taken(telegram)
            # It may have crashed by now: its answer to the message has points too.
            bot.signal(signal.SIGTERM)
            async with asyncio.timeout(IN_TIME):
                code = await bot.ended()
        finally:
            await bot.kill_without_waiting()
        points = bot.target.passed()
        bot.target.drop()
        bot.clock.advance(IN_TIME)
        async with bot.running():
            return points, code == -signal.SIGKILL, await problems_of(bot, guest)


async def wait_until_update_taken(telegram: Simulator) -> None:
    await telegram.wait_until(lambda: not telegram.playground.world.updates.has_waiting_poll)


async def test_inv30_killed_at_every_point_of_an_end_what_was_in_hand_is_answered_after_the_start(
    environment: SweepEnvironment, proof: Proof
) -> None:
    points, crashed, _ = await end(environment, NOWHERE)
    assert not crashed
    runs = await in_parallel(lambda target, slot: end(environment, target, slot), environment.share.of(points))
    losses = [loss for _, _, found in runs for loss in found]
    proof(cases=len(runs), faults=sum(crashed for _, crashed, _ in runs), losses=len(losses))

    assert not losses
