import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from storage import Sealing, StoreUnavailable, WrongKeys, open_database, open_store
from storage.backup.sqlite_copy import copy_database
from storage.inspection import InspectionReport, inspect_database
from tests.fakes import NOON, NUMBER, make_attempt, make_sealing
from tests.open_unit import open_unit
from tests.reliability import Proof
from verification.ids import PersonId
from verification.ports import NoticeKind
from verification.result_outbox import ResultBacklog

COPIES = 5


async def test_inv33_a_copy_during_writes_opens_as_one_consistent_snapshot(tmp_path: Path, proof: Proof) -> None:
    stop = asyncio.Event()
    async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=make_sealing()) as store:

        async def write() -> int:
            number = 0
            while not stop.is_set():
                number += 1
                who = PersonId(f"telegram:{number}")
                async with open_unit(store, who) as unit:
                    attempt = make_attempt(f"a{number}", who)
                    await unit.save_attempt(attempt)
                    await unit.post_notice(NoticeKind.PROGRESS, attempt, NOON)
                    await unit.save_dialogue(who, f"王小明 {NUMBER}", language="zh", now=NOON)
            return number

        writing = asyncio.ensure_future(write())
        for number in range(COPIES):
            await asyncio.to_thread(copy_database, tmp_path / "bot.sqlite3", target=tmp_path / f"copy{number}")
        stop.set()
        written = await writing

    sizes = []
    for number in range(COPIES):
        assert [name for name in ("王小明", NUMBER) if name.encode() in (tmp_path / f"copy{number}").read_bytes()] == []
        async with open_database(f"sqlite:///{tmp_path}/copy{number}") as copy:
            condition = await inspect_database(copy, make_sealing())
            async with copy.transaction() as connection:
                counted = [
                    (await connection.fetch(f"SELECT count(*) FROM {table}"))[0][0]  # noqa: S608
                    for table in ("attempts", "notices", "dialogues")
                ]
        assert len(set(counted)) == 1
        assert (condition.sealed, condition.unreadable) == (2 * counted[0], {})
        sizes.append(counted[0])
    assert sizes == sorted(sizes)
    assert sizes[-1] <= written
    proof(cases=written)


async def test_inv33_a_copy_without_its_keys_does_not_open(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=make_sealing()):
        copy_database(tmp_path / "bot.sqlite3", target=tmp_path / "copy")

    for foreign in (Sealing({"k1": b"2" * 32}, b"i" * 32), Sealing({"k1": b"1" * 32}, b"j" * 32)):
        with pytest.raises(WrongKeys):
            async with open_store(f"sqlite:///{tmp_path}/copy", sealing=foreign):
                pass


async def test_a_copy_is_one_file_closed_to_others(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=make_sealing()):
        size = copy_database(tmp_path / "bot.sqlite3", target=copies / "copy")

    assert [file.name for file in copies.iterdir()] == ["copy"]
    assert stat.S_IMODE((copies / "copy").stat().st_mode) == 0o600
    assert (copies / "copy").stat().st_size == size


async def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=make_sealing()):
        (tmp_path / "copy").write_text("mine", "utf-8")
        with pytest.raises(FileExistsError):
            copy_database(tmp_path / "bot.sqlite3", target=tmp_path / "copy")

    assert (tmp_path / "copy").read_text("utf-8") == "mine"


@pytest.mark.parametrize("content", [None, b"no database at all", b""])
def test_a_file_that_is_no_database_is_not_copied(tmp_path: Path, content: bytes | None) -> None:
    source = tmp_path / "bot # 1?.sqlite3"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="cannot copy"):
        copy_database(source, target=tmp_path / "copy")

    assert not (tmp_path / "copy").exists()
    assert source.exists() == (content is not None)


def test_a_damaged_database_is_reported_and_not_copied(tmp_path: Path) -> None:
    source = tmp_path / "bot.sqlite3"
    with closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE one (a TEXT PRIMARY KEY)")
        database.executemany("INSERT INTO one VALUES (?)", [(f"{number:0200}",) for number in range(500)])
        database.commit()
    content = bytearray(source.read_bytes())
    content[4096 * 5 : 4096 * 6] = b"\xff" * 4096
    source.write_bytes(content)

    with pytest.raises(StoreUnavailable, match=r"damaged|malformed"):
        copy_database(source, target=tmp_path / "copy")
    assert [file.name for file in tmp_path.iterdir()] == ["bot.sqlite3"]


def test_a_report_of_another_schema_found_nothing() -> None:
    nothing = ResultBacklog(undelivered=0, since=None, abandoned=0)

    assert InspectionReport(schema=1, newest=2) == InspectionReport(
        schema=1, newest=2, sealed=0, unreadable={}, with_old_keys=0, dead_letters=0, results=nothing
    )
