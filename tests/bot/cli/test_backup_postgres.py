"""`backup` and `restore` of a PostgreSQL database: a checked SQLite file of the same rows, and back."""

import asyncio
import logging
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from bot.cli import data
from bot.cli.report import STDOUT, CommandFailed
from bot.engine.messages import FRONT_END
from bot.open_store import load_sealing, open_configured_store
from bot.settings import BadSetting, Settings
from storage import SqlStore, StoreUnavailable, open_database
from storage.backup.postgres_copy import _save_table, save_rows
from storage.database import Row, Value
from storage.encryption.private_files import make_private_folder
from storage.inspection import inspect_database
from storage.migrations import known_migrations
from tests.fakes import NOON, NUMBER, make_attempt
from tests.open_unit import open_unit
from tests.postgres_server import Server
from tests.reliability import Proof
from verification.ids import PersonId
from verification.ports import NoticeKind

NEWEST = known_migrations()[-1].version
TABLES = ("attempts", "notices", "dialogues", "bots", "key_checks")


@pytest.fixture
async def settings(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings(data_dir=tmp_path / "data", database_url=SecretStr(await server.new_database()))


def files(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(folder.glob(pattern))


def mode_of(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def set_clock(seconds: int) -> None:
    Path("clock").write_text(str(seconds), encoding="ascii")


async def store_people(store: SqlStore, first: int, count: int) -> None:
    for number in range(first, first + count):
        person = PersonId(f"telegram:{number}")
        async with open_unit(store, person) as unit:
            attempt = make_attempt(f"a{number}", person)
            await unit.save_attempt(attempt)
            await unit.post_notice(NoticeKind.PROGRESS, attempt, NOON)
            await unit.save_dialogue(person, f"王小明 {NUMBER}", language="zh", now=NOON)


async def count(url: str) -> list[int]:
    async with open_database(url) as database, database.read_transaction() as connection:
        return [int((await connection.fetch(f"SELECT count(*) FROM {table}"))[0][0]) for table in TABLES]  # noqa: S608


@pytest.mark.slow("programs")
async def test_a_copy_is_restored_and_a_copy_of_the_former_rows_stays(settings: Settings) -> None:
    lines: list[str] = []
    async with open_configured_store(settings) as store:
        await store_people(store, 1, 3)
        async with open_unit(store, PersonId("telegram:3")) as unit:
            await unit.erase(person=PersonId("telegram:3"), account=make_attempt("a3", PersonId("telegram:3")).account)
    assert await data.backup(settings, Path("copy.sqlite3"), lines.append) == 0
    async with open_configured_store(settings) as store:
        await store_people(store, 10, 2)
    assert await data.restore(settings, Path("copy.sqlite3"), lines.append) == 0

    url = settings.store_url
    [former] = files(settings.data_dir, "bot.sqlite3.before-*")
    assert lines[1:] == [
        f"{former}: the database as it was",
        "the database of DATABASE_URL: restored from copy.sqlite3, and checked with the keys; start the bot",
    ]
    assert mode_of("copy.sqlite3") == 0o600
    assert await count(url) == await count("sqlite:///copy.sqlite3") == [2, 2, 2, 0, 2]
    assert await count(f"sqlite:///{former}") == [4, 4, 4, 0, 2]
    async with open_configured_store(settings) as store, open_database(url) as database:
        await store_people(store, 20, 1)
        report = await inspect_database(database, load_sealing(settings))
        async with database.read_transaction() as connection:
            ids = [row[0] for row in await connection.fetch("SELECT id FROM notices ORDER BY id")]
    assert report.unreadable == {}
    assert ids == [1, 2, 4], "an id that was given once is not given again"


@pytest.mark.slow("fuzz")
async def test_inv33_a_copy_during_writes_holds_one_snapshot_and_reveals_nothing(
    settings: Settings, tmp_path: Path, proof: Proof
) -> None:
    async with open_configured_store(settings) as store, open_database(settings.store_url) as database:
        await store_people(store, 1, 20)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(store_people(store, 100, 40))
            await save_rows(database, tmp_path / "copy")

    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        counted = [copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES[:3]]  # noqa: S608
    assert len(set(counted)) == 1
    assert counted[0] >= 20
    assert [name for name in ("王小明", NUMBER) if name.encode() in (tmp_path / "copy").read_bytes()] == []
    async with open_database(f"sqlite:///{tmp_path}/copy") as file:
        assert (await inspect_database(file, load_sealing(settings))).unreadable == {}
    proof(cases=60)


async def test_copies_are_named_by_their_time_counted_and_never_overwritten(settings: Settings) -> None:
    make_private_folder(Path("copies"))
    async with open_configured_store(settings):
        pass
    lines: list[str] = []
    for second in range(3):
        set_clock(second * 10)
        timed = settings.model_copy(update={"clock_offset_file": Path("clock")})
        await data.backup(timed, Path("copies"), lines.append, keep=2)
    assert len(files(Path("copies"))) == 2
    assert lines[-1].endswith(": deleted")

    [copy, _] = files(Path("copies"))
    with pytest.raises(CommandFailed, match="exists already"):
        await data.backup(settings, copy, lines.append)


async def test_a_copy_goes_to_standard_output(settings: Settings, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    async with open_configured_store(settings):
        pass
    await data.backup(settings, STDOUT, print)

    assert capfdbinary.readouterr().out.startswith(b"SQLite format 3\0")


class OneRowLess:
    """A connection that loses a row of each batch."""

    async def fetch(self, statement: str, *_: Value) -> Sequence[Row]:
        """Answer as a table of one row and one column, whose row never arrives."""
        return [(1,)] if statement.startswith("SELECT count") else []

    fetch_for_update = fetch_skip_locked = fetch

    async def lock(self, key: str) -> None:
        """Lock nothing."""


async def test_a_copy_that_lacks_a_row_is_not_kept() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute("CREATE TABLE things (id TEXT)")
        with pytest.raises(StoreUnavailable, match="does not hold every row of things"):
            await _save_table(OneRowLess(), file, "things")


async def test_an_empty_database_is_not_copied(settings: Settings) -> None:
    with pytest.raises(StoreUnavailable, match="nothing to copy"):
        await data.backup(settings, Path("copy.sqlite3"), print)
    assert files(Path(), "*copy*") == []


async def test_nothing_is_restored_while_a_program_polls(settings: Settings) -> None:
    lines: list[str] = []
    async with open_configured_store(settings) as store:
        await store_people(store, 1, 1)
        await data.backup(settings, Path("copy.sqlite3"), lines.append)
        async with store.polling_lease(FRONT_END, lambda: None):
            with pytest.raises(CommandFailed, match="a program with this database runs"):
                await data.restore(settings, Path("copy.sqlite3"), lines.append)
    assert await count(settings.store_url) == [1, 1, 1, 0, 2]


async def _step_back(url: str) -> None:
    async with open_database(url) as database, database.transaction() as connection:
        await connection.fetch("DELETE FROM schema_versions WHERE version = $1", NEWEST)


@pytest.mark.slow("programs")
async def test_before_a_migration_a_copy_is_made_by_itself(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.open_store")
    async with open_configured_store(settings):
        pass
    await _step_back(settings.store_url)
    copy = settings.data_dir / f"bot.sqlite3.schema-{NEWEST - 1}"

    # The schema is in truth the newest one, so the last step cannot be made again.
    with pytest.raises(StoreUnavailable):
        async with open_configured_store(settings):
            pass

    assert caplog.messages == [
        f"migrating the database from schema {NEWEST - 1} to {NEWEST}; a copy from before is {copy}"
    ]
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT max(version) FROM schema_versions").fetchall() == [(NEWEST - 1,)]


async def test_no_migration_begins_where_its_copy_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    async with open_configured_store(settings) as store:
        await store.check_keys()
        sealing = load_sealing(settings)
    await _step_back(settings.store_url)
    set_clock(0)
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "clock" / "data"})

    with pytest.raises(BadSetting, match=r"cannot be written before the migration \((Not a directory|File exists)\)$"):
        async with open_configured_store(elsewhere, sealing):
            pass

    connection = await asyncpg.connect(settings.store_url)
    assert await connection.fetchval("SELECT max(version) FROM schema_versions") == NEWEST - 1
    await connection.close()
