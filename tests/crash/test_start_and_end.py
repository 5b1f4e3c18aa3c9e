"""kill -9 at every point of a start, of the schema's making, and of the end that a SIGTERM began."""

import asyncio
import signal

from tests.crash import checker
from tests.crash.conversation import CHAT
from tests.crash.crash_points import NOWHERE
from tests.crash.crashing_bots import CrashingBot
from tests.crash.sweep import SweepEnvironment, side_by_side
from tests.reliability import Proof
from tests.simulator_fixture import ChatUser, Simulator, simulator

IN_TIME = 10
HELLO = CHAT[0]


async def says_hello(guest: ChatUser) -> None:
    await HELLO.do(guest, None)  # type: ignore[arg-type]  # no phone is needed to begin


async def sound(bot: CrashingBot, guest: ChatUser) -> list[str]:
    """Somebody writes to it, is answered, and its books are in order."""
    await guest.sees(HELLO.reply_text)
    await bot.wait_until_settled(0)
    return await checker.check_database(bot.database, bot.confirmed)


async def started(ground: SweepEnvironment, aim: str, side: int = 0) -> tuple[list[str], int, list[str]]:
    """Start a bot that dies on the way; gives the points of its start, its deaths, and what is wrong with it."""
    async with simulator() as place:
        bot = await ground.bot(place, side)
        async with bot.running(aim):
            guest = await place.new_user()
            points = bot.target.passed()
            await says_hello(guest)
            found = await sound(bot, guest)
        return points, len(bot.crashes), [*found, *(what for death in bot.crashes for what in death.broken)]


async def starts_all_the_same(ground: SweepEnvironment, proof: Proof, *, schema: bool) -> None:
    points, _, _ = await started(ground, NOWHERE)
    aims = ground.share(point for point in points if (" schema " in point) is schema)
    ends = await side_by_side(lambda aim, side: started(ground, aim, side), aims)
    deaths, losses = sum(died for _, died, _ in ends), [loss for _, _, found in ends for loss in found]
    proof(cases=len(aims), faults=deaths, losses=len(losses))

    assert not losses
    assert deaths >= len(aims) * 0.9


async def test_inv30_killed_at_every_point_of_its_start_it_serves_after_the_next(
    ground: SweepEnvironment, proof: Proof
) -> None:
    await starts_all_the_same(ground, proof, schema=False)


async def test_inv32_killed_at_every_step_of_the_schema_the_next_start_finishes_it(
    ground: SweepEnvironment, proof: Proof
) -> None:
    await starts_all_the_same(ground, proof, schema=True)


async def ended(ground: SweepEnvironment, aim: str, side: int = 0) -> tuple[list[str], bool, list[str]]:
    """Ask a bot with an answer in hand to end; gives the points of its end, whether it died, and what is wrong."""
    async with simulator() as place:
        bot = await ground.bot(place, side)
        bot.target.take(NOWHERE)
        await bot.start()
        await bot.wait_until_started()
        guest = await place.new_user()
        bot.target.take(aim)
        await says_hello(guest)
        await in_hand(place)
        bot.signal(signal.SIGTERM)
        async with asyncio.timeout(IN_TIME):
            code = await bot.ended()
        points = bot.target.passed()
        bot.target.drop()
        bot.clock.advance(IN_TIME)
        async with bot.running():
            return points, code == -signal.SIGKILL, await sound(bot, guest)


async def in_hand(place: Simulator) -> None:
    """Wait until the bot was given the update."""
    await place.wait_until(lambda: not place.playground.world.updates.has_waiting_poll)


async def test_inv30_killed_at_every_point_of_an_end_what_was_in_hand_is_answered_after_the_start(
    ground: SweepEnvironment, proof: Proof
) -> None:
    points, died, _ = await ended(ground, NOWHERE)
    assert not died
    ends = await side_by_side(lambda aim, side: ended(ground, aim, side), ground.share(points))
    losses = [loss for _, _, found in ends for loss in found]
    proof(cases=len(ends), faults=sum(died for _, died, _ in ends), losses=len(losses))

    assert not losses
