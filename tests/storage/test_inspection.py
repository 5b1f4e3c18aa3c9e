"""An inspection opens every sealed value, whatever its row is called and however many there are."""

from storage import SqlStore
from storage.inspection import InspectionReport, has_keys, inspect_database
from storage.migrations import known_migrations
from tests.bot.engine.runner_fixture import ANNA, BERT, virtual_store
from tests.bot.engine.test_loops import in_virtual_time
from tests.fakes import NOON, make_attempt, make_sealing
from tests.open_unit import open_unit
from tests.simulation.disk import SimulatedDisk
from verification.support.store import UnansweredQuestion

IDS = ("0a1b", "9", "Z", "attempt-1", "~")
MORE_THAN_A_BATCH = 501
NEWEST = known_migrations()[-1].version


async def inspected(store: SqlStore) -> InspectionReport:
    return await inspect_database(store._database, make_sealing())


@in_virtual_time
async def test_a_new_database_has_nothing_to_open_and_its_keys_from_the_first_time_on(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    before = await has_keys(store._database)
    await store.check_keys()

    assert (before, await has_keys(store._database)) == (False, True)
    assert await inspected(store) == InspectionReport(schema=NEWEST, newest=NEWEST)


@in_virtual_time
async def test_every_sealed_value_is_opened_and_those_that_do_not_open_are_counted_by_column(
    disk: SimulatedDisk,
) -> None:
    store = await virtual_store(disk)
    async with open_unit(store, ANNA) as unit:
        for each in IDS:
            await unit.save_attempt(make_attempt(each, f"telegram:{each}"))
        for person in (ANNA, BERT):
            await unit.save_dialogue(person, "{}", language=None, now=NOON)
    await store.mark_shown(ANNA, 1, "panel 1")
    for each in IDS:
        await store.store_dead_letter(each, person=None, raw="{}", now=NOON)
    sound = await inspected(store)
    async with open_unit(store, ANNA) as unit:
        await unit._connection.fetch("UPDATE dialogues SET panel = text RETURNING 1")
        await unit._connection.fetch(
            "UPDATE dead_updates SET raw = substr(raw, 1, length(raw) - 1) WHERE event_id = '9' RETURNING 1"
        )
    damaged = await inspected(store)

    assert (sound.sealed, sound.unreadable, sound.dead_letters) == (len(IDS) + 2 + 1 + len(IDS), {}, len(IDS))
    assert damaged.sealed == sound.sealed + 1
    assert damaged.unreadable == {"dialogues.panel": 2, "dead_updates.raw": 1}


@in_virtual_time
async def test_more_values_than_one_batch_are_all_opened(disk: SimulatedDisk) -> None:
    store = await virtual_store(disk)
    async with open_unit(store, ANNA) as unit:
        for number in range(MORE_THAN_A_BATCH):
            await unit.add_unanswered(UnansweredQuestion(id=f"{number:x}", text="天气", at=NOON))

    assert (await inspected(store)).sealed == MORE_THAN_A_BATCH
