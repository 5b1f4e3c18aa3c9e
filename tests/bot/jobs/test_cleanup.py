"""What must vanish from the chats and the store vanishes, whatever clocks, chats and the database do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.engine.messages import DeliveryFailed
from bot.jobs.cleanup import Cleanup, DeletionScheduler, MessageDeleter, delete_expired_records
from storage import SqlStore
from tests.bot.engine.runner_fixture import ANNA, BERT, LoopClock, NoDelays, virtual_store
from tests.bot.engine.test_loops import MOMENT, in_virtual_time
from tests.fakes import NOON, TELEGRAM, FakeClock, make_attempt
from tests.open_unit import open_unit
from tests.simulation.disk import SimulatedDisk
from tests.simulation.fault_schedule import DatabaseFault
from verification.dialogue_store import PendingDeletion
from verification.ids import Actor, PersonId
from verification.support.store import AuditEntry

LEFT_ALONE = timedelta(seconds=10)
RETENTION = timedelta(days=30)


@dataclass
class FakeChats:
    """The chats in which messages are deleted; one that does not answer keeps its messages."""

    deleted: list[tuple[PersonId, int]] = field(default_factory=list)
    silent: set[PersonId] = field(default_factory=set)

    async def delete(self, person: PersonId, message: int) -> None:
        if person in self.silent:
            raise DeliveryFailed("NetworkError")
        self.deleted.append((person, message))


def cleaning(store: SqlStore, delete: MessageDeleter, clock: Callable[[], datetime]) -> Cleanup:
    return Cleanup(store, delete, clock, RETENTION)


async def seen(store: SqlStore, event_id: str, at: datetime) -> bool:
    """Remember an event; False when it was remembered already."""
    async with open_unit(store, ANNA) as unit:
        return await unit.mark_seen(event_id, at)


@pytest.mark.parametrize(
    ("later", "gone"),
    [
        (timedelta(), False),
        (timedelta(seconds=9), False),
        (timedelta(seconds=10), True),
        (timedelta(seconds=11), True),
        (-timedelta(microseconds=1), True),
        (-timedelta(hours=1), True),
    ],
    ids=["just written", "soon after", "old enough", "a while ago", "a clock a bit behind", "the clock was put back"],
)
def test_a_message_is_deleted_soon_even_when_the_clock_is_put_back(later: timedelta, gone: bool) -> None:
    @in_virtual_time
    async def deleted(disk: SimulatedDisk) -> None:
        store, chats, clock = await virtual_store(disk), FakeChats(), FakeClock()
        await DeletionScheduler(store, clock).schedule(ANNA, 7)
        clock.now += later
        await cleaning(store, chats.delete, clock).delete_pending_messages(LEFT_ALONE)

        assert chats.deleted == ([(ANNA, 7)] if gone else [])
        assert await store.pending_deletions(TELEGRAM, 9) == ([] if gone else [PendingDeletion(ANNA, 7, NOON)])

    deleted()


@in_virtual_time
async def test_a_chat_that_does_not_answer_keeps_its_message_on_the_list_and_holds_up_no_other(
    disk: SimulatedDisk,
) -> None:
    store, chats = await virtual_store(disk), FakeChats(silent={ANNA})
    for person in (ANNA, BERT):
        await DeletionScheduler(store, FakeClock()).schedule(person, 7)
    await cleaning(store, chats.delete, FakeClock()).delete_pending_messages(timedelta())

    assert chats.deleted == [(BERT, 7)]
    assert await store.pending_deletions(TELEGRAM, 9) == [PendingDeletion(ANNA, 7, NOON)]


@in_virtual_time
async def test_a_message_that_is_still_too_fresh_holds_up_no_other(disk: SimulatedDisk) -> None:
    store, chats, clock = await virtual_store(disk), FakeChats(), FakeClock()
    for message in (1, 2):
        await DeletionScheduler(store, clock).schedule(ANNA, message)
        clock.now += timedelta(seconds=5)
    clock.now -= timedelta(seconds=6)
    await cleaning(store, chats.delete, clock).delete_pending_messages(LEFT_ALONE)

    assert chats.deleted == [(ANNA, 2)]


@in_virtual_time
async def test_what_was_left_before_the_start_goes_at_once_and_what_is_new_when_its_turn_has_had_its_time(
    disk: SimulatedDisk,
) -> None:
    store, chats, clock = await virtual_store(disk), FakeChats(), LoopClock()
    await DeletionScheduler(store, clock).schedule(ANNA, 1)
    running = asyncio.ensure_future(cleaning(store, chats.delete, clock).run())
    await asyncio.sleep(5)
    at_once = list(chats.deleted)
    await DeletionScheduler(store, clock).schedule(ANNA, 2)
    await asyncio.sleep(10)
    early = list(chats.deleted)
    await asyncio.sleep(5 + MOMENT)
    running.cancel()

    assert (at_once, early, chats.deleted) == ([(ANNA, 1)], [(ANNA, 1)], [(ANNA, 1), (ANNA, 2)])


@in_virtual_time
async def test_an_outage_stops_no_cleanup_for_good(disk: SimulatedDisk) -> None:
    faults = NoDelays()
    store, chats, clock = await virtual_store(disk, faults), FakeChats(), LoopClock()
    await DeletionScheduler(store, clock).schedule(ANNA, 1)
    faults.schedule_database_fault(DatabaseFault.DOWN, times=2)
    running = asyncio.ensure_future(cleaning(store, chats.delete, clock).run())
    await asyncio.sleep(20 - MOMENT)
    early = list(chats.deleted)
    await asyncio.sleep(2 * MOMENT)
    running.cancel()

    assert (early, chats.deleted) == ([], [(ANNA, 1)])


@in_virtual_time
async def test_records_past_their_time_are_deleted_at_the_start_and_every_hour_even_if_no_chat_answers(
    disk: SimulatedDisk,
) -> None:
    async def broken(_: PersonId, __: int) -> None:
        raise ZeroDivisionError

    store, clock = await virtual_store(disk), LoopClock()
    await DeletionScheduler(store, clock).schedule(ANNA, 1)
    a_week_ago = clock() - timedelta(days=7)
    await seen(store, "before", a_week_ago - timedelta(seconds=1))
    await seen(store, "soon", a_week_ago + timedelta(seconds=1))
    running = asyncio.ensure_future(cleaning(store, broken, clock).run())
    await asyncio.sleep(3590)
    at_the_start = await seen(store, "before", clock()), await seen(store, "soon", clock())
    await asyncio.sleep(10 + MOMENT)
    running.cancel()

    assert at_the_start == (True, False)
    assert await seen(store, "soon", clock())


@in_virtual_time
async def test_each_kind_of_record_is_kept_for_its_own_time(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    kept = {
        "seen_events": timedelta(days=7),
        "tries": timedelta(days=1),
        "uses": timedelta(days=365),
        "dialogues": RETENTION,
    }
    async with open_unit(store, ANNA) as unit:
        for which, distance in enumerate((timedelta(seconds=-1), timedelta(seconds=1))):
            at = {kind: NOON - age + distance for kind, age in kept.items()}
            attempt = make_attempt(f"a{which}", created_at=at["tries"])
            await unit.mark_seen(f"update:{which}", at["seen_events"])
            await unit.add_rate_limit_record(attempt, None, provider_called=True)
            await unit.add_audit_entry(AuditEntry(actor=Actor("a"), action="look", subject="", at=at["uses"]))
            await unit.save_dialogue(PersonId(f"telegram:{which}"), "{}", language=None, now=at["dialogues"])
    deleted = await delete_expired_records(store, NOON, RETENTION)

    assert {kind: count for kind, count in deleted.items() if count} == dict.fromkeys(kept, 1)
