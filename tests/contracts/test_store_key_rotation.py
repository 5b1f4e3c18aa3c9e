"""Key rotation on every store: everything is resealed with the first key, whatever happens meanwhile."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import SqlStore, open_database, open_store
from storage import statements as sql
from storage.encryption.key_file import KeyFile
from storage.encryption.key_rotation import KeyRotation
from storage.encryption.sealing import Sealing
from storage.inspection import inspect_database
from tests.fakes import NOON, make_attempt
from tests.open_unit import open_unit
from verification.ids import PersonId

INDEX = b"i" * 32
OLD, NEW = Sealing({"old": b"o" * 32}, INDEX), Sealing({"new": b"n" * 32}, INDEX)
BOTH = Sealing({"new": b"n" * 32, "old": b"o" * 32}, INDEX)
MANY = 25
BATCH = 4


def person(number: int) -> PersonId:
    return PersonId(f"telegram:{number:03}")


async def fill(store: SqlStore, count: int = MANY) -> None:
    for number in range(count):
        key = person(number)
        async with open_unit(store, key) as unit:
            await unit.save_attempt(make_attempt(f"a{number:03}", key))
            revision = await unit.save_dialogue(key, f"text {number}", language="zh", now=NOON)
        if number % 2:
            await store.mark_shown(key, revision, f"panel {number}")
        await store.store_dead_letter(f"update:{number}", person=key, raw="raw", now=NOON)


async def reseal(url: str, progress: Callable[[str, int], None] = lambda *_: None) -> int:
    async with open_store(url, sealing=BOTH), open_database(url) as database:
        return (await KeyRotation(database, BOTH, BATCH).run(progress)).resealed


async def test_everything_is_resealed_and_the_old_key_may_be_removed(url: str) -> None:
    async with open_store(url, sealing=OLD) as store:
        await fill(store)
    resealed = await reseal(url)
    async with open_store(url, sealing=NEW) as store, open_database(url) as database:
        condition = await inspect_database(database, NEW)
        async with open_unit(store, "look") as unit:
            attempt, dialogue = await unit.attempt(make_attempt("a003").id), await unit.dialogue(person(3))

    assert resealed == 3 * MANY + MANY // 2 == condition.sealed
    assert (dict(condition.unreadable), condition.with_old_keys, condition.dead_letters) == ({}, 0, MANY)
    assert attempt == make_attempt("a003", person(3))
    assert dialogue is not None
    assert (dialogue.text, dialogue.panel) == ("text 3", "panel 3")


async def test_an_interrupted_rotation_continues_where_it_stopped(url: str) -> None:
    class Cut(Exception):
        pass

    def cut(column: str, number: int) -> None:
        if column == "dialogues.text" and number >= 2 * BATCH:
            raise Cut

    async with open_store(url, sealing=OLD) as store:
        await fill(store)
    with pytest.raises(Cut):
        await reseal(url, cut)
    remaining = await reseal(url)

    assert remaining == 3 * MANY + MANY // 2 - MANY - 2 * BATCH
    assert await reseal(url) == 0


async def test_a_rotation_overwrites_no_change_and_blocks_no_writer(
    url: str,
) -> None:
    async def write(store: SqlStore, stop: asyncio.Event) -> int:
        written = 0
        while not stop.is_set():
            written += 1
            for number in range(0, MANY, 3):
                async with open_unit(store, person(number)) as unit:
                    dialogue = await unit.dialogue(person(number))
                    assert dialogue is not None
                    await unit.save_dialogue(person(number), f"{dialogue.text}x", language=None, now=NOON)
        return written

    async with open_store(url, sealing=OLD) as store:
        await fill(store)
    stop = asyncio.Event()
    async with open_store(url, sealing=BOTH) as store:
        writing = asyncio.ensure_future(write(store, stop))
        await reseal(url)
        stop.set()
        written = await writing
    async with open_store(url, sealing=NEW) as store:
        for number in range(0, MANY, 3):
            async with open_unit(store, "look") as unit:
                dialogue = await unit.dialogue(person(number))
            assert dialogue is not None
            assert dialogue.text == f"text {number}" + "x" * written


async def test_a_unit_open_since_before_the_new_key_is_resealed_too(url: str) -> None:
    async with open_store(url, sealing=OLD) as running, open_store(url, sealing=BOTH):
        async with open_unit(running, person(1)) as unit:
            await unit.save_dialogue(person(1), "begun before", language="zh", now=NOON)
            resealing = asyncio.ensure_future(reseal(url))
            await asyncio.wait({resealing}, timeout=0.05)
        resealed = await resealing

    assert resealed == 1
    async with open_store(url, sealing=NEW) as store, open_unit(store, "look") as unit:
        dialogue = await unit.dialogue(person(1))
    assert dialogue is not None
    assert dialogue.text == "begun before"


async def test_a_key_added_during_a_rotation_seals_everything_too(url: str, tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    async with open_store(url, sealing=file.sealing()) as store, open_database(url) as database:
        await fill(store, BATCH)
        file.add_primary_key()
        ids = [next(iter(file.keys()))]

        def add_once(column: str, number: int) -> None:
            del column, number
            if len(ids) < 2:
                ids.append(file.add_primary_key())

        await KeyRotation(database, file.sealing(), BATCH).run(add_once)
        left = await KeyRotation(database, KeyFile(file.path).sealing()).remaining()

    assert next(iter(file.keys())) == ids[1]
    assert set(left.values()) == {0}


async def test_unreadable_values_are_counted_and_left(url: str) -> None:
    async with open_store(url, sealing=OLD) as store:
        await fill(store, 3)
    async with open_store(url, sealing=BOTH) as store, open_database(url) as database:
        async with database.transaction() as connection:
            await connection.fetch("UPDATE dialogues SET text = $1 WHERE person = $2", b"\x03oldgarbage", person(1))
        done = await store.key_rotation().run(lambda *_: None)
        condition = await inspect_database(database, BOTH)

    assert (done.resealed, done.unreadable) == (9, {"dialogues.text": 1})
    assert condition.unreadable == {"dialogues.text": 1}


async def test_every_sealed_column_of_the_schema_is_resealed(url: str) -> None:
    if url.startswith("postgres"):
        pytest.skip("one schema for both")
    async with open_store(url, sealing=OLD), open_database(url) as database, database.transaction() as connection:
        columns = await connection.fetch(
            "SELECT t.name, c.name FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c"
            " WHERE t.schema = 'main' AND c.type = 'BLOB' AND c.name NOT LIKE '%\\_index' ESCAPE '\\'"
        )

    assert set(columns) == {(table, column) for table, _, column in sql.SEALED} | {("key_checks", "value")}
