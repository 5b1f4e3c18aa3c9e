"""Two programs on one store: a person's answers come in order, and what a dead program owed is shown by another."""

import asyncio
from pathlib import Path

from bot.engine.messages import Envelope
from bot.engine.replicas import Replicas
from bot.flow.effects import AskQuestion, SendText
from bot.flow.events import Command, Commanded
from storage import SqlStore
from tests.bot.engine.runner_fixture import ANNA, FakeChat, RunnerFixture, runner_fixture
from tests.open_unit import open_unit
from verification.dialogue_store import PendingReply


def at(name: str, program_id: str = "") -> "Make":
    return Make(name, program_id or f"the program at {name}")


class Make:
    """Makes this program's place among the others, once its store is open."""

    def __init__(self, name: str, program_id: str) -> None:
        self.name, self.program_id = name, program_id
        self.made: Replicas

    def __call__(self, store: SqlStore) -> Replicas:
        self.made = Replicas(store=store, name=self.name, program=self.program_id, is_outage=lambda _: False)
        return self.made


async def says(desk: RunnerFixture, command: Command) -> None:
    await desk.runner.handle(Envelope(ANNA, Commanded(command), None))


async def hear(*made: Make) -> None:
    """Let all of them hear each other."""
    for _ in range(2):
        for one in made:
            await one.made.heartbeat()


async def test_an_answer_waits_for_the_one_another_program_is_showing(tmp_path: Path) -> None:
    here, there = at("here"), at("there")
    slow = FakeChat(gates={ANNA: asyncio.Event()})
    async with runner_fixture(tmp_path, slow, replicas=here) as one, runner_fixture(tmp_path, replicas=there) as other:
        await hear(here, there)
        await says(one, Command.START)
        await slow.reached.setdefault(ANNA, asyncio.Event()).wait()
        await says(other, Command.HELP)
        too_early = await other.runner.wait_until_idle(0.2)
        slow.gates[ANNA].set()
        assert await one.runner.wait_until_idle(10)
        assert await other.runner.wait_until_idle(10)

    assert not too_early
    assert [reply.text for _, reply in one.chat.shown if isinstance(reply, AskQuestion)] == ["type.ask"]
    assert [reply.text for _, reply in other.chat.shown if isinstance(reply, SendText)] == ["misc.help"]


async def test_each_program_finds_the_panel_the_other_left(tmp_path: Path) -> None:
    here, there = at("here"), at("there")
    async with runner_fixture(tmp_path, replicas=here) as one, runner_fixture(tmp_path, replicas=there) as other:
        await hear(here, there)
        await says(one, Command.START)
        assert await one.runner.wait_until_idle(10)
        await says(other, Command.START)
        assert await other.runner.wait_until_idle(10)
        async with open_unit(one.store, ANNA) as unit:
            kept = await unit.dialogue(ANNA)

    assert kept is not None
    assert (kept.revision, kept.shown) == (2, 2)


async def test_what_a_dead_program_held_is_left_and_what_a_living_one_holds_is_not(tmp_path: Path) -> None:
    here, there, reborn = at("here"), at("there"), at("there", "its next start")
    async with (
        runner_fixture(tmp_path, replicas=here),
        runner_fixture(tmp_path, replicas=there),
        runner_fixture(tmp_path, replicas=reborn),
    ):
        await hear(here, there)
        owed = PendingReply(ANNA, 1, there.program_id)
        while_it_lives = here.made.is_orphaned(owed)
        await reborn.made.heartbeat()
        await here.made.heartbeat()

        assert not while_it_lives
        assert here.made.is_orphaned(owed)
        assert reborn.program_id in here.made.alive


async def test_an_answer_that_nobody_holds_is_not_left_at_first_sight(tmp_path: Path) -> None:
    here = at("here")
    async with runner_fixture(tmp_path, replicas=here):
        assert not here.made.is_orphaned(PendingReply(ANNA, 1, None))


async def test_a_program_that_was_taken_for_dead_says_nothing_again_that_another_has_shown(tmp_path: Path) -> None:
    here, there = at("here"), at("there")
    slow = FakeChat(gates={ANNA: asyncio.Event()})
    async with runner_fixture(tmp_path, slow, replicas=here) as one, runner_fixture(tmp_path, replicas=there) as other:
        await there.made.heartbeat()
        await says(one, Command.START)
        await slow.reached.setdefault(ANNA, asyncio.Event()).wait()
        await says(one, Command.STATUS)
        await other.runner.resume_pending(there.made.is_orphaned)
        assert await other.runner.wait_until_idle(10)
        slow.gates[ANNA].set()
        assert await one.runner.wait_until_idle(10)

    assert other.chat.questions() == ["type.ask"]
    assert one.chat.questions() == ["type.ask"]


async def test_of_two_programs_that_see_a_dead_ones_debt_one_pays_it(tmp_path: Path) -> None:
    dead, here, there = at("dead"), at("here"), at("there")
    silent = FakeChat(gates={ANNA: asyncio.Event()})
    async with runner_fixture(tmp_path, silent, replicas=dead) as gone:
        await says(gone, Command.START)
        await silent.reached.setdefault(ANNA, asyncio.Event()).wait()
        async with runner_fixture(tmp_path, replicas=here) as one, runner_fixture(tmp_path, replicas=there) as other:
            for _ in range(2):
                await here.made.heartbeat()
                await there.made.heartbeat()
            await asyncio.gather(
                one.runner.resume_pending(here.made.is_orphaned), other.runner.resume_pending(there.made.is_orphaned)
            )
            assert await one.runner.wait_until_idle(10)
            assert await other.runner.wait_until_idle(10)
            asked = one.chat.questions() + other.chat.questions()
        silent.gates[ANNA].set()

    assert asked == ["type.ask"]
