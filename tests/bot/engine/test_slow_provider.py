"""A provider that takes its time: the chat goes on meanwhile, and no outcome is lost."""

import asyncio

from bot.engine.messages import Envelope, MessageRef
from bot.engine.replicas import HEARTBEAT_INTERVAL
from bot.engine.session_opener import PATIENCE
from bot.flow.effects import SendText
from bot.flow.events import Choice, Command, Commanded, Said, Tapped
from tests.bot.engine.runner_fixture import ANNA, LoopClock, RunnerFixture, assemble, virtual_store
from tests.bot.engine.test_loops import MOMENT, Fleet, in_virtual_time
from tests.open_unit import open_unit
from tests.simulation.disk import SimulatedDisk
from verification.attempts import AttemptStatus
from verification.ids import own_account

LONG = 20.0


def texts(desk: RunnerFixture) -> list[str]:
    return [reply.text for _, reply in desk.chat.shown if isinstance(reply, SendText)]


async def slow() -> None:
    await asyncio.sleep(LONG)


async def broken() -> None:
    await asyncio.sleep(PATIENCE * 2)
    raise ZeroDivisionError


async def choose(desk: RunnerFixture) -> None:
    """Choose a method whose provider is slow, and wait until the person notices."""
    await desk.until_method()
    desk.provider.before_answer = slow
    await desk.taps(Choice.WECHAT)


async def live(desk: RunnerFixture) -> AttemptStatus | None:
    async with open_unit(desk.store, ANNA) as unit:
        attempt = await unit.live_attempt(own_account(ANNA))
    return None if attempt is None else attempt.status


async def is_owed(desk: RunnerFixture) -> bool:
    async with open_unit(desk.store, ANNA) as unit:
        dialogue = await unit.dialogue(ANNA)
    assert dialogue is not None
    return dialogue.shown < dialogue.revision


@in_virtual_time
async def test_a_person_is_told_once_that_the_provider_is_slow_and_gets_the_code(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await choose(desk)
        told, owed = texts(desk), await is_owed(desk)
        await asyncio.sleep(LONG)
        assert await desk.runner.wait_until_idle(10)

        assert (told, owed) == (["provider.slow"], True)
        assert texts(desk) == ["provider.slow"]
        assert desk.chat.questions()[-1] == "scan.waiting"
        assert (len(desk.provider.opened), await is_owed(desk)) == (1, False)


@in_virtual_time
async def test_a_provider_that_answers_soon_is_not_called_slow(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await desk.until_method()
        await desk.taps(Choice.WECHAT)

        assert (texts(desk), desk.chat.questions()[-1]) == ([], "scan.waiting")


@in_virtual_time
async def test_while_the_provider_is_slow_messages_are_answered_and_it_is_not_asked_again(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await choose(desk)
        before = asyncio.get_running_loop().time()
        await desk.send_event(Said("好了吗"))
        await desk.send_event(Commanded(Command.HELP))
        took = asyncio.get_running_loop().time() - before
        answered = texts(desk)
        await asyncio.sleep(LONG)
        assert await desk.runner.wait_until_idle(10)

        assert took < PATIENCE
        assert answered == ["provider.slow", "status.opening.preparing", "misc.help"]
        assert desk.chat.questions()[-1] == "scan.waiting"
        assert (len(desk.provider.opened), await is_owed(desk)) == (1, False)


async def gets_the_code_while_a_press_is_answered(desk: RunnerFixture) -> None:
    await choose(desk)
    desk.chat.gates[ANNA] = asyncio.Event()
    old_button = Tapped(choice=Choice.QQ, question_id="of an earlier question")
    await desk.runner.handle(Envelope(ANNA, old_button, None, MessageRef(7, "a query")))
    await asyncio.sleep(LONG)
    desk.chat.gates.pop(ANNA).set()
    assert await desk.runner.wait_until_idle(10)

    assert desk.chat.questions()[-2:] == ["confirm.ask", "scan.waiting"]
    assert not desk.chat.views[-1].maybe_duplicate
    assert (len(desk.provider.opened), await is_owed(desk)) == (1, False)


@in_virtual_time
async def test_a_code_that_comes_while_a_press_is_answered_does_not_come_again(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await gets_the_code_while_a_press_is_answered(desk)


@in_virtual_time
async def test_nor_does_it_come_again_next_to_other_processes(disk: SimulatedDisk) -> None:
    here = Fleet(await virtual_store(disk)).process("here")
    async with here.running():
        await gets_the_code_while_a_press_is_answered(here.desk)


@in_virtual_time
async def test_what_is_cancelled_while_the_provider_is_slow_stays_cancelled(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await choose(desk)
        await desk.send_event(Commanded(Command.CANCEL))
        cancelled = desk.chat.questions()[-1]
        await asyncio.sleep(LONG)
        assert await desk.runner.wait_until_idle(10)

        assert cancelled == desk.chat.questions()[-1] == "idle.ask"
        assert (await live(desk), await is_owed(desk)) == (None, False)


@in_virtual_time
async def test_a_crash_while_the_provider_is_slow_loses_no_code(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    crashed, after = assemble(store, clock=LoopClock()), assemble(store, clock=LoopClock())
    async with crashed.runner.running():
        await choose(crashed)
        await crashed.send_event(Commanded(Command.HELP))
    async with after.runner.running():
        await after.runner.resume_pending()
        assert await after.runner.wait_until_idle(10)

        assert crashed.chat.questions()[-1] == "confirm.ask"
        assert after.chat.questions() == ["scan.waiting"]
        assert after.provider.opened == crashed.provider.opened
        assert not await is_owed(after)


@in_virtual_time
async def test_a_fault_after_the_person_was_told_is_tried_again(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await desk.until_method()
        desk.provider.before_answer = broken
        await desk.taps(Choice.WECHAT)
        await asyncio.sleep(LONG)
        assert await desk.runner.wait_until_idle(10)

        assert (texts(desk), desk.chat.questions()[-1]) == (["provider.slow"], "scan.waiting")
        assert len(desk.provider.opened) == 2


@in_virtual_time
async def test_a_fault_that_lasts_is_given_up_and_the_next_message_brings_the_code(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())

    async def always_broken() -> None:
        desk.provider.before_answer = always_broken
        await broken()

    async with desk.runner.running():
        await desk.until_method()
        desk.provider.before_answer = always_broken
        await desk.taps(Choice.WECHAT)
        await asyncio.sleep(1000)
        tries, owed = len(desk.provider.opened), await is_owed(desk)
        desk.provider.before_answer = None
        await desk.send_event(Said("好了吗"))

        assert (tries, owed) == (7, True)
        assert desk.chat.questions()[-1] == "scan.waiting"


@in_virtual_time
async def test_another_program_answers_at_once_and_takes_over_only_when_the_first_is_dead(disk: SimulatedDisk) -> None:
    fleet = Fleet(await virtual_store(disk))
    here, there = fleet.process("here"), fleet.process("there")
    async with there.running():
        async with here.running():
            await asyncio.sleep(HEARTBEAT_INTERVAL * 2)
            await choose(here.desk)
            await asyncio.sleep(LONG / 2)
            taken_early = list(there.desk.provider.opened)
            await there.desk.runner.handle(Envelope(ANNA, Commanded(Command.STATUS), None, MessageRef(7)))
            await asyncio.sleep(MOMENT)
            answered = texts(there.desk)
        await asyncio.sleep(LONG)

        assert taken_early == []
        assert answered == ["status.opening.slow"]
        assert there.chat.questions()[-1] == "scan.waiting"
        assert not await is_owed(there.desk)


@in_virtual_time
async def test_a_program_that_stops_does_not_wait_for_a_slow_provider(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        await choose(desk)
        before = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - before < PATIENCE
    assert await live(desk) is AttemptStatus.RESERVED
    assert await is_owed(desk)
