"""The engine's loops in virtual time: what they call, how often, and what happens when one of their parts fails."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.engine.messages import Envelope, TurnKind
from bot.engine.notices import LEASE, POLL_INTERVAL, NoticeDispatcher
from bot.engine.reminders import ReminderLoop
from bot.engine.replicas import HEARTBEAT_INTERVAL, IsOrphaned, Replicas
from bot.engine.runner import Runner
from bot.flow import codec
from bot.flow.effects import SendText
from bot.flow.events import Choice, Command, Commanded, ReminderDue, Said
from bot.flow.states import Idle
from storage import SqlStore, StoreUnavailable
from storage.sqlite_group import MAX_DELAY_SECONDS
from tests.bot.engine.runner_fixture import (
    ANNA,
    BERT,
    FakeChat,
    LoopClock,
    NoDelays,
    RunnerFixture,
    assemble,
    virtual_disk,
    virtual_store,
)
from tests.fakes import TELEGRAM, make_attempt, make_deps
from tests.open_unit import open_unit
from tests.simulation.disk import SimulatedDisk
from tests.simulation.fault_schedule import DatabaseFault
from tests.virtual_time_loop import run
from verification import attempts
from verification.attempts import AttemptStatus
from verification.core import Core
from verification.dialogue_store import PendingReply
from verification.ids import PersonId, own_account
from verification.ports import NoticeKind

MOMENT = 0.001
MANY_ROUNDS = 50
OF_ANOTHER_RELEASE = '{"state": "Renamed"}'


def now() -> float:
    return asyncio.get_running_loop().time()


def in_virtual_time(test: Callable[[SimulatedDisk], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test in the virtual loop, with a disk of its own."""

    def virtual() -> None:
        with virtual_disk() as disk:
            run(test(disk))

    virtual.__name__, virtual.__doc__ = test.__name__, test.__doc__
    return virtual


class CountingClock(LoopClock):
    """A clock that counts the rounds of a loop, and ends a loop that goes round and round without resting."""

    rounds = 0
    at = 0.0
    rounds_at_once = 0

    def __call__(self) -> datetime:
        self.rounds_at_once = self.rounds_at_once + 1 if self.at == now() else 0
        self.rounds, self.at = self.rounds + 1, now()
        if self.rounds_at_once > MANY_ROUNDS:
            raise asyncio.CancelledError("the loop does not rest")
        return super().__call__()


@asynccontextmanager
async def dispatching(desk: RunnerFixture, clock: CountingClock | None = None) -> AsyncIterator[NoticeDispatcher]:
    """Let the notices' loop run; its first round is over."""
    notices = NoticeDispatcher(desk.store, desk.core, desk.runner, clock or CountingClock(desk.clock.now))
    async with desk.runner.running():
        loop = asyncio.ensure_future(notices.run())
        await asyncio.sleep(MOMENT)
        try:
            yield notices
        finally:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop


async def scanning(desk: RunnerFixture) -> attempts.AttemptId:
    async with desk.runner.running():
        await desk.until_method()
        await desk.taps(Choice.WECHAT)
    async with open_unit(desk.store, ANNA) as unit:
        live = await unit.live_attempt(own_account(ANNA))
    assert live is not None
    return live.id


async def succeeded(desk: RunnerFixture, person: PersonId) -> None:
    """Let the core have news for somebody."""
    async with open_unit(desk.store, person) as unit:
        attempt = make_attempt(f"of-{person}", account=person, status=AttemptStatus.SUCCEEDED, identity=None)
        await unit.save_attempt(attempt)
        await unit.post_notice(NoticeKind.ENDED, attempt, desk.clock())


async def unsettled(desk: RunnerFixture) -> int:
    """How many notices can be claimed once every lease is over."""
    far = desk.clock() + timedelta(days=1)
    return len(await desk.store.claim_notices(TELEGRAM, far, until=far, limit=99))


# The notices


@in_virtual_time
async def test_a_notice_is_told_at_the_next_pulse(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with dispatching(desk):
        await succeeded(desk, ANNA)
        await asyncio.sleep(POLL_INTERVAL - 2 * MOMENT)
        early = desk.chat.questions()
        await asyncio.sleep(2 * MOMENT)

        assert (early, desk.chat.questions()) == ([], ["verified.ask"])


@in_virtual_time
async def test_a_woken_loop_looks_at_once(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with dispatching(desk) as notices:
        await succeeded(desk, ANNA)
        notices.announce(None)
        await asyncio.sleep(MOMENT)

        assert desk.chat.questions() == ["verified.ask"]


@in_virtual_time
async def test_a_loop_that_was_woken_rests_again(disk: SimulatedDisk) -> None:
    desk, clock = assemble(await virtual_store(disk), clock=LoopClock()), CountingClock()
    async with dispatching(desk, clock) as notices:
        before = clock.rounds
        notices.announce(None)
        await asyncio.sleep(POLL_INTERVAL / 2)
        woken = clock.rounds - before
        await asyncio.sleep(POLL_INTERVAL * 10)

        assert woken == 1
        assert clock.rounds - before == 11


@in_virtual_time
async def test_codes_expire_without_anybody_asking(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    await scanning(desk)
    desk.clock.advance(minutes=65)
    async with dispatching(desk):
        await asyncio.sleep(2 * POLL_INTERVAL)

        assert desk.chat.questions()[-1] == "expired.ask"


@in_virtual_time
async def test_an_attempt_whose_method_was_turned_off_ends_and_its_person_is_told(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    await scanning(desk)
    desk.core = Core(desk.store, {}, make_deps(desk.clock), ttl=timedelta(hours=1))
    async with dispatching(desk):
        await asyncio.sleep(POLL_INTERVAL)

        assert desk.chat.questions()[-1] == "expired.ask"


@in_virtual_time
async def test_what_a_lost_commit_hid_is_shown_at_the_next_pulse(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    async with dispatching(desk):
        faults.schedule_database_fault(DatabaseFault.LOST)
        with pytest.raises(StoreUnavailable):
            await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), "update:1"))
        before = desk.chat.questions()
        await asyncio.sleep(POLL_INTERVAL)

        assert (before, desk.chat.questions()) == ([], ["type.ask"])
        assert desk.chat.views[-1].maybe_duplicate


@in_virtual_time
async def test_more_notices_than_one_batch_are_told_in_one_round(disk: SimulatedDisk) -> None:
    desk, people = (
        assemble(await virtual_store(disk), clock=LoopClock()),
        [PersonId(f"telegram:{n}") for n in range(120)],
    )
    async with dispatching(desk) as notices:
        for person in people:
            await succeeded(desk, person)
        notices.announce(None)
        await asyncio.sleep(MOMENT)

        assert sorted(person for person, _ in desk.chat.shown) == sorted(people)


@in_virtual_time
async def test_a_notice_that_means_nothing_to_the_person_is_settled_too(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with open_unit(desk.store, ANNA) as unit:
        attempt = make_attempt("waiting", account=ANNA)
        await unit.save_attempt(attempt)
        await unit.post_notice(NoticeKind.PROGRESS, attempt, desk.clock())
    dispatcher = NoticeDispatcher(desk.store, desk.core, desk.runner, desk.clock)
    told = await dispatcher.dispatch_batch()

    assert told == 1
    assert await unsettled(desk) == 0


@in_virtual_time
async def test_a_notice_that_cannot_be_told_holds_no_other_up_and_comes_again_after_its_lease(
    disk: SimulatedDisk,
) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with open_unit(desk.store, ANNA) as unit:
        await unit.save_dialogue(ANNA, OF_ANOTHER_RELEASE, language="zh", now=desk.clock())
    async with dispatching(desk) as notices:
        for person in (ANNA, BERT):
            await succeeded(desk, person)
        notices.announce(None)
        await asyncio.sleep(MOMENT)
        told = desk.chat.questions(BERT)
        async with open_unit(desk.store, ANNA) as unit:
            text = codec.dump(Idle(account=own_account(ANNA), question_id="m"))
            await unit.save_dialogue(ANNA, text, language="zh", now=desk.clock())
        await asyncio.sleep(LEASE.total_seconds() - 2 * POLL_INTERVAL)
        early = desk.chat.questions(ANNA)
        await asyncio.sleep(3 * POLL_INTERVAL)

        assert told == ["verified.ask"]
        assert (early, desk.chat.questions(ANNA)) == ([], ["verified.ask"])


@in_virtual_time
async def test_an_outage_of_the_store_ends_no_loop(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    async with dispatching(desk):
        faults.schedule_database_fault(DatabaseFault.DOWN, times=20)
        await asyncio.sleep(POLL_INTERVAL * 30)
        await succeeded(desk, ANNA)
        await asyncio.sleep(POLL_INTERVAL)

        assert faults.database_faults == 20
        assert desk.chat.questions() == ["verified.ask"]


@in_virtual_time
async def test_progress_is_told_in_the_background_of_what_people_wait_for(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    attempt = await scanning(desk)
    async with dispatching(desk):
        await desk.core.progress(attempt, AttemptStatus.OPENED, "page")
        await asyncio.sleep(POLL_INTERVAL)

        assert not desk.chat.views[-1].kind.is_awaited
        assert await unsettled(desk) == 0


class GatedRunner(Runner):
    """A runner whose turns wait at a gate, as they do when the database is slow for one person."""

    gate: asyncio.Event

    async def handle(self, envelope: Envelope) -> None:
        await self.gate.wait()
        await super().handle(envelope)


@asynccontextmanager
async def notice_in_flight(disk: SimulatedDisk) -> AsyncIterator[tuple[RunnerFixture, NoticeDispatcher, asyncio.Event]]:
    """A notice that was handed over with its lease, and waits at a shut gate."""
    desk = assemble(await virtual_store(disk), clock=LoopClock(), runner_type=GatedRunner)
    assert isinstance(desk.runner, GatedRunner)
    gate = desk.runner.gate = asyncio.Event()
    async with dispatching(desk) as notices:
        await succeeded(desk, ANNA)
        [notice] = await desk.store.claim_notices(TELEGRAM, desk.clock(), until=desk.clock() + LEASE, limit=1)
        notices.announce(notice)
        await asyncio.sleep(MOMENT)
        yield desk, notices, gate
        gate.set()


@in_virtual_time
async def test_what_waits_for_a_notice_in_flight_is_told_as_soon_as_that_has_landed(disk: SimulatedDisk) -> None:
    async with notice_in_flight(disk) as (desk, notices, gate):
        await succeeded(desk, ANNA)
        notices.announce(None)
        await asyncio.sleep(MOMENT)
        gate.set()
        await asyncio.sleep(MOMENT)

        assert await unsettled(desk) == 0


@in_virtual_time
async def test_a_notice_that_nobody_waits_for_wakes_no_loop(disk: SimulatedDisk) -> None:
    async with notice_in_flight(disk) as (desk, _, gate):
        await succeeded(desk, ANNA)
        gate.set()
        await asyncio.sleep(MOMENT)
        early = await unsettled(desk)

        assert early == 1


@in_virtual_time
async def test_a_loop_that_is_stopped_waits_for_the_notices_in_flight(disk: SimulatedDisk) -> None:
    async with notice_in_flight(disk) as (desk, notices, gate):
        stopping = asyncio.ensure_future(notices.run())
        await asyncio.sleep(MOMENT)
        stopping.cancel()
        await asyncio.sleep(MOMENT)
        waits = not stopping.done()
        gate.set()
        await asyncio.sleep(MOMENT)

        assert (waits, stopping.cancelled()) == (True, True)
        assert await unsettled(desk) == 0


# After an outage


async def lose_a_commit(desk: RunnerFixture, faults: NoDelays, person: PersonId = ANNA) -> None:
    faults.schedule_database_fault(DatabaseFault.LOST)
    with suppress(StoreUnavailable):
        await desk.runner.handle(Envelope(person, Commanded(Command.START), None))


@in_virtual_time
async def test_after_an_outage_people_whose_turns_are_on_their_way_are_looked_at_once_more(
    disk: SimulatedDisk,
) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    gate = desk.chat.gates[ANNA] = asyncio.Event()
    async with desk.runner.running():
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), None))
        await asyncio.sleep(MOMENT)
        faults.schedule_database_fault(DatabaseFault.LOST)
        with suppress(StoreUnavailable):
            await desk.runner.handle(Envelope(ANNA, Said("个人认证"), None))
        await desk.runner.resume_after_outage()
        gate.set()
        await asyncio.sleep(MAX_DELAY_SECONDS + MOMENT)
        first = desk.chat.questions()
        await desk.runner.resume_after_outage()
        await asyncio.sleep(MOMENT)
        second = desk.chat.questions()
        await desk.runner.handle(Envelope(BERT, Commanded(Command.START), None))

        assert (first, second) == (["type.ask"], ["type.ask", "consent.ask"])


@in_virtual_time
async def test_after_an_outage_the_store_is_searched_once(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    async with desk.runner.running():
        await lose_a_commit(desk, faults)
        await desk.runner.resume_after_outage()
        await asyncio.sleep(MOMENT)
        faults.schedule_database_fault(DatabaseFault.DOWN)
        await desk.runner.resume_after_outage()

        assert faults.database_faults == 1
        assert desk.chat.questions() == ["type.ask"]


@in_virtual_time
async def test_what_is_no_outage_hides_nothing(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    async with open_unit(desk.store, ANNA) as unit:
        await unit.save_dialogue(ANNA, OF_ANOTHER_RELEASE, language="zh", now=desk.clock())
    with pytest.raises(ValueError, match="not what this release or an earlier one writes"):
        await desk.runner.handle(Envelope(ANNA, Commanded(Command.START), None))
    faults.schedule_database_fault(DatabaseFault.DOWN)
    await desk.runner.resume_after_outage()

    assert faults.database_faults == 0


@in_virtual_time
async def test_a_fault_after_an_outage_hides_nothing_of_it(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    async with open_unit(desk.store, BERT) as unit:
        await unit.save_dialogue(BERT, OF_ANOTHER_RELEASE, language="zh", now=desk.clock())
    async with desk.runner.running():
        await lose_a_commit(desk, faults)
        with pytest.raises(ValueError, match="not what this release or an earlier one writes"):
            await desk.runner.handle(Envelope(BERT, Commanded(Command.START), None))
        await desk.runner.resume_after_outage()
        await asyncio.sleep(MOMENT)

        assert desk.chat.questions() == ["type.ask"]


@in_virtual_time
async def test_the_store_is_told_what_is_shown_at_once_if_a_turn_waits_for_it_and_soon_if_none_does(
    disk: SimulatedDisk,
) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with desk.runner.running():
        gate = desk.chat.gates[ANNA] = asyncio.Event()
        for command in (Command.START, Command.HELP):
            await desk.runner.handle(Envelope(ANNA, Commanded(command), None))
        gate.set()
        await asyncio.sleep(MOMENT)
        shown = len(desk.chat.shown)
        owed = [len(await desk.store.pending_replies(TELEGRAM, 9))]
        await asyncio.sleep(MAX_DELAY_SECONDS)
        owed.append(len(await desk.store.pending_replies(TELEGRAM, 9)))

        assert (shown, owed) == (2, [1, 0])


@in_virtual_time
async def test_a_question_in_the_persons_own_words_is_counted_by_its_topic_once_it_is_committed(
    disk: SimulatedDisk,
) -> None:
    counted = list[str]()
    desk = assemble(await virtual_store(disk), clock=LoopClock(), count_question=counted.append)
    async with desk.runner.running():
        await desk.send_event(Commanded(Command.START))
        await desk.send_event(Said("今天天气怎么样"))

    assert counted == [""]


@in_virtual_time
async def test_an_outage_while_asking_again_is_tried_again(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    async with desk.runner.running():
        await lose_a_commit(desk, faults)
        faults.schedule_database_fault(DatabaseFault.DOWN, after=1)
        with pytest.raises(StoreUnavailable):
            await desk.runner.resume_after_outage()
        await desk.runner.resume_after_outage()
        await asyncio.sleep(MOMENT)

        assert desk.chat.questions() == ["type.ask"]


@in_virtual_time
async def test_a_dialogue_that_cannot_be_read_keeps_no_other_from_being_resumed(disk: SimulatedDisk) -> None:
    desk = assemble(await virtual_store(disk), clock=LoopClock())
    async with open_unit(desk.store, ANNA) as unit:
        await unit.save_dialogue(ANNA, OF_ANOTHER_RELEASE, language="zh", now=desk.clock())
    await desk.runner.handle(Envelope(BERT, Commanded(Command.START), None))
    async with desk.runner.running():
        await desk.runner.resume_pending()
        await asyncio.sleep(MOMENT)

        assert desk.chat.questions(BERT) == ["type.ask"]


# The reminders


@in_virtual_time
async def test_reminders_are_looked_for_twice_a_minute_and_an_outage_ends_no_loop(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    desk = assemble(await virtual_store(disk, faults), clock=LoopClock())
    async with open_unit(desk.store, ANNA) as unit:
        await unit.save_dialogue(ANNA, OF_ANOTHER_RELEASE, language="zh", now=desk.clock(), remind_at=desk.clock())
    sent = list[tuple[int, Envelope]]()

    async def send(envelope: Envelope) -> None:
        sent.append((round(now()), envelope))

    reminding = asyncio.ensure_future(ReminderLoop(desk.store, send, desk.clock).run())
    begun = round(now())
    await asyncio.sleep(45)
    faults.schedule_database_fault(DatabaseFault.DOWN)
    await asyncio.sleep(50)
    reminding.cancel()

    reminder = Envelope(ANNA, ReminderDue(), None, kind=TurnKind.NEWS)
    assert sent == [(begun + 30, reminder), (begun + 90, reminder)]


# The replicas


class Fleet:
    """Several processes on one disk."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store

    def process(self, name: str, chat: FakeChat | None = None) -> "Process":
        replicas = Replicas(
            store=self.store,
            name=name,
            program=f"start of {name}",
            is_outage=lambda error: isinstance(error, StoreUnavailable),
        )
        return Process(assemble(self.store, chat, lambda _: replicas, LoopClock()), replicas)


class Process:
    """One of several processes."""

    def __init__(self, desk: RunnerFixture, replicas: Replicas) -> None:
        self.desk = desk
        self.replicas = replicas
        self.chat = desk.chat
        self.orphaned: list[IsOrphaned] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.desk.runner.running(), self.replicas.heartbeating(self.desk.runner.resume_pending):
            yield

    async def resume(self, is_orphaned: IsOrphaned) -> None:
        self.orphaned.append(is_orphaned)

    async def says(self, command: Command) -> None:
        await self.desk.runner.handle(Envelope(ANNA, Commanded(command), None))


@in_virtual_time
async def test_each_beat_is_followed_by_a_search_for_what_crashed_processes_owed(disk: SimulatedDisk) -> None:
    here = Fleet(await virtual_store(disk)).process("here")
    async with here.replicas.heartbeating(here.resume):
        await asyncio.sleep(HEARTBEAT_INTERVAL * 3 + MOMENT)

    assert len(here.orphaned) == 3
    assert here.orphaned[0] == here.replicas.is_orphaned


@in_virtual_time
async def test_a_beat_survives_an_outage_and_nothing_else(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    here = Fleet(await virtual_store(disk, faults)).process("here")

    async def fault(_: IsOrphaned) -> None:
        raise ZeroDivisionError

    async with here.replicas.heartbeating(here.resume):
        faults.schedule_database_fault(DatabaseFault.DOWN, times=2)
        await asyncio.sleep(HEARTBEAT_INTERVAL * 3 + MOMENT)
    with pytest.raises(ExceptionGroup) as raised:
        async with here.replicas.heartbeating(fault):
            await asyncio.sleep(HEARTBEAT_INTERVAL * 3)

    assert len(here.orphaned) == 1
    assert raised.group_contains(ZeroDivisionError)


@in_virtual_time
async def test_a_process_that_stops_is_gone_for_the_others_at_once(disk: SimulatedDisk) -> None:
    fleet = Fleet(await virtual_store(disk))
    here, there = fleet.process("here"), fleet.process("there")
    async with here.replicas.heartbeating(here.resume):
        async with there.replicas.heartbeating(there.resume):
            await asyncio.sleep(HEARTBEAT_INTERVAL * 2 + MOMENT)
            together = here.replicas.alive
        await here.replicas.heartbeat()

        assert together == {here.replicas.program, there.replicas.program}
        assert here.replicas.alive == {here.replicas.program}


@in_virtual_time
async def test_a_process_that_is_not_heard_for_four_seconds_has_crashed_and_is_cleared_away_later(
    disk: SimulatedDisk,
) -> None:
    fleet = Fleet(await virtual_store(disk))
    here, there = fleet.process("here"), fleet.process("there")
    await there.replicas.heartbeat()
    seen: list[bool] = []
    async with here.replicas.heartbeating(here.resume):
        await asyncio.sleep(MOMENT)
        for _ in range(8):
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            seen.append(there.replicas.program in here.replicas.alive)
        await asyncio.sleep(50)
        kept = {
            beat.program
            for beat in await here.desk.store.heartbeat(TELEGRAM, name="a third", program="start of a third")
        }
        await asyncio.sleep(6)
        cleared = {
            beat.program
            for beat in await here.desk.store.heartbeat(TELEGRAM, name="a third", program="start of a third")
        }

    assert seen == [True] * 4 + [False] * 4
    assert (there.replicas.program in kept, there.replicas.program in cleared) == (True, False)


@in_virtual_time
async def test_a_reply_that_nobody_shows_is_orphaned_after_three_seconds_of_the_same_revision(
    disk: SimulatedDisk,
) -> None:
    here = Fleet(await virtual_store(disk)).process("here")
    found: list[bool] = []
    for revision, seconds in ((1, 2.9), (2, 2.9), (2, 0.2), (2, 0)):
        found.append(here.replicas.is_orphaned(PendingReply(ANNA, revision, None)))
        await asyncio.sleep(seconds)
    held = here.replicas.is_orphaned(PendingReply(ANNA, 2, here.replicas.program))
    afresh = here.replicas.is_orphaned(PendingReply(ANNA, 2, None))

    assert found == [False, False, False, True]
    assert (held, afresh) == (False, False)


@in_virtual_time
async def test_with_other_processes_what_an_outage_hid_waits_for_the_search_after_a_beat(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    here = Fleet(await virtual_store(disk, faults)).process("here")
    async with here.running():
        await lose_a_commit(here.desk, faults)
        await here.desk.runner.resume_after_outage()
        await asyncio.sleep(MOMENT)
        early = here.chat.questions()
        await asyncio.sleep(5 * HEARTBEAT_INTERVAL)

    assert (early, here.chat.questions()) == ([], ["type.ask"])


@in_virtual_time
async def test_a_refused_take_over_asks_nothing(disk: SimulatedDisk) -> None:
    fleet = Fleet(await virtual_store(disk))
    slow = FakeChat(gates={ANNA: asyncio.Event()})
    here, there = fleet.process("here", slow), fleet.process("there")
    async with here.running(), there.running():
        await asyncio.sleep(HEARTBEAT_INTERVAL * 2 + MOMENT)
        await here.says(Command.START)
        await asyncio.sleep(MOMENT)
        await there.desk.runner.resume_pending()
        async with open_unit(there.desk.store, ANNA) as unit:
            kept = await unit.dialogue(ANNA)
        slow.gates[ANNA].set()
        await asyncio.sleep(HEARTBEAT_INTERVAL * 5)

        assert kept is not None
        assert kept.revision == 1
        assert (here.chat.questions(), there.chat.questions()) == (["type.ask"], [])


@in_virtual_time
async def test_what_was_shown_before_it_could_be_taken_over_is_let_go_of(disk: SimulatedDisk) -> None:
    fleet = Fleet(await virtual_store(disk))
    here, there = fleet.process("here"), fleet.process("there")
    async with here.desk.runner.running():
        await here.says(Command.START)
        await asyncio.sleep(MAX_DELAY_SECONDS + MOMENT)
        taken = await there.replicas.take_over(PendingReply(ANNA, 1, None))
        held = await here.desk.store.acquire_lease(ANNA, here.replicas.program, {there.replicas.program}, 0)

    assert not taken
    assert held is not None


@in_virtual_time
async def test_a_reply_that_a_crashed_process_owed_is_asked_for_by_another_and_says_so(disk: SimulatedDisk) -> None:
    fleet = Fleet(await virtual_store(disk))
    crashed, here = fleet.process("crashed"), fleet.process("here")
    await crashed.replicas.heartbeat()
    await crashed.says(Command.START)
    async with here.running():
        await asyncio.sleep(3 * HEARTBEAT_INTERVAL)
        early = here.chat.questions()
        await asyncio.sleep(5 * HEARTBEAT_INTERVAL)

    assert (early, here.chat.questions()) == ([], ["type.ask"])
    assert here.chat.views[-1].maybe_duplicate


@in_virtual_time
async def test_a_persons_next_turn_brings_the_question_that_a_crashed_process_owed_and_no_other(
    disk: SimulatedDisk,
) -> None:
    fleet = Fleet(await virtual_store(disk))
    crashed, here = fleet.process("crashed"), fleet.process("here")
    await crashed.says(Command.START)
    async with here.desk.runner.running():
        await here.says(Command.HELP)
        await asyncio.sleep(10)
        after_crash = len(here.chat.shown), here.chat.questions()
        await here.says(Command.HELP)
        await asyncio.sleep(10)

    assert after_crash == (2, ["type.ask"])
    assert isinstance(here.chat.shown[-1][1], SendText)
    assert len(here.chat.shown) == 3


@in_virtual_time
async def test_without_replicas_too_the_next_turn_brings_the_owed_question_and_no_other(disk: SimulatedDisk) -> None:
    crashed, desk = assemble(await virtual_store(disk)), assemble(await virtual_store(disk), clock=LoopClock())
    await crashed.runner.handle(Envelope(ANNA, Commanded(Command.START), None))
    async with desk.runner.running():
        for _ in range(2):
            await desk.runner.handle(Envelope(ANNA, Commanded(Command.HELP), None))
            await asyncio.sleep(MOMENT)

    assert [type(reply).__name__ for _, reply in desk.chat.shown] == ["SendText", "AskQuestion", "SendText"]


@in_virtual_time
async def test_a_turn_waits_for_the_one_before_it_and_not_for_ever(disk: SimulatedDisk) -> None:
    fleet = Fleet(await virtual_store(disk))
    crashed, here = fleet.process("crashed"), fleet.process("here")
    await crashed.says(Command.START)
    async with here.desk.runner.running():
        await here.says(Command.HELP)
        await asyncio.sleep(2.9)
        early = list(here.chat.shown)
        await asyncio.sleep(0.2)

        assert (early, len(here.chat.shown)) == ([], 1)


@in_virtual_time
async def test_a_lease_that_a_living_process_does_not_give_back_is_taken_after_half_a_minute(
    disk: SimulatedDisk,
) -> None:
    fleet = Fleet(await virtual_store(disk))
    stuck = FakeChat(gates={ANNA: asyncio.Event()})
    here, there = fleet.process("here", stuck), fleet.process("there")
    async with here.running(), there.running():
        await asyncio.sleep(HEARTBEAT_INTERVAL * 2 + MOMENT)
        await here.says(Command.START)
        await asyncio.sleep(MOMENT)
        await there.says(Command.HELP)
        await asyncio.sleep(29)
        early = list(there.chat.shown)
        await asyncio.sleep(5)
        late = [type(reply).__name__ for _, reply in there.chat.shown]
        stuck.gates[ANNA].set()
        await asyncio.sleep(1)

        assert (early, late) == ([], ["SendText", "AskQuestion"])


@in_virtual_time
async def test_a_process_that_has_shown_its_turn_holds_no_other_process_up(disk: SimulatedDisk) -> None:
    fleet = Fleet(await virtual_store(disk))
    here, crashed = fleet.process("here"), fleet.process("crashed")
    async with here.desk.runner.running():
        await here.says(Command.START)
        await asyncio.sleep(MAX_DELAY_SECONDS + MOMENT)
        await crashed.says(Command.HELP)
        owed = await here.desk.store.pending_replies(TELEGRAM, 9)

    assert owed == [PendingReply(ANNA, 2, None)]


@in_virtual_time
async def test_a_lease_is_free_again_when_its_turn_is_shown_or_given_up(disk: SimulatedDisk) -> None:
    here = Fleet(await virtual_store(disk)).process("here", FakeChat(failures=[ZeroDivisionError()] * 7))
    async with here.desk.runner.running():
        await here.says(Command.START)
        await asyncio.sleep(60)
        [owed] = await here.desk.store.pending_replies(TELEGRAM, 9)
        await here.says(Command.HELP)
        await asyncio.sleep(60)
        lease = await here.desk.store.acquire_lease(ANNA, "another", {here.replicas.program}, 0)

    assert owed.holder is None
    assert here.chat.questions() == ["type.ask"]
    assert lease is not None
