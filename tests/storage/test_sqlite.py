import asyncio
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import aiosqlite
import pytest

from storage import (
    ConstraintViolated,
    NewerSchema,
    Sealing,
    StoreUnavailable,
    WrongKeys,
    mapping,
    open_database,
    open_store,
    sqlite_path,
    support_statements,
)
from storage.migrations import Migration, known_migrations, migrate
from storage.sqlite import SqliteDatabase, open_sqlite
from storage.statements import LIVE
from tests.fakes import NOON, TELEGRAM, make_sealing
from tests.open_unit import open_unit
from verification.ids import Account, PersonId
from verification.ports import MAX_ACCOUNTS
from verification.support.funnel import Dimension, FunnelQuery

PERSON = PersonId("telegram:100012345")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.sqlite3"


@pytest.fixture
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """A second connection to a database that a store has created."""

    async def make() -> None:
        async with open_store(f"sqlite:///{path}", sealing=make_sealing()):
            pass

    asyncio.run(make())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def reopen(path: Path, sealing: Sealing | None = None) -> None:
    async def open_it() -> None:
        async with open_store(f"sqlite:///{path}", sealing=sealing or make_sealing()) as store:
            await store.pending_replies(TELEGRAM, 1)

    asyncio.run(open_it())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://bot.sqlite3", "sqlite:///:memory:"])
def test_a_url_without_a_file_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL: a SQLite file is written"):
        open_store(url, sealing=make_sealing())


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"], ids=["long", "short"])
def test_a_server_is_named_by_either_scheme(scheme: str) -> None:
    url = f"{scheme}://localhost/bot"

    assert sqlite_path(url) is None
    assert isinstance(open_database(url), AbstractAsyncContextManager)


@pytest.mark.parametrize("url", ["", "mysql://localhost/bot", "data/bot.sqlite3", "sqlite:bot.sqlite3"])
def test_an_unknown_url_is_an_error_that_says_what_is_expected(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL: must begin with sqlite:/// or postgresql://"):
        open_store(url, sealing=make_sealing())


async def test_a_relative_url_is_a_file_under_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_store("sqlite:///data/bot.sqlite3", sealing=make_sealing()):
        assert (tmp_path / "data" / "bot.sqlite3").is_file()


async def test_the_file_its_log_and_its_folder_are_closed_to_others(path: Path) -> None:
    async with open_store(f"sqlite:///{path}", sealing=make_sealing()) as store:
        await store.store_dead_letter("update:1", person=None, raw="raw", now=NOON)
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["bot.sqlite3", "bot.sqlite3-shm", "bot.sqlite3-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_commit_is_on_the_disk_before_it_counts(path: Path) -> None:
    async with open_sqlite(path) as database, database.transaction() as connection:
        settings = [
            await connection.fetch(f"PRAGMA {name}")
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        ]

    assert [value for [(value,)] in settings] == ["wal", 2, 1, 1, 10_000]


@pytest.mark.parametrize("table", ["attempts", "places", "dialogues", "seen_events"])
def test_tables_are_strict(raw: sqlite3.Connection, table: str) -> None:
    [(strict,)] = raw.execute("SELECT strict FROM pragma_table_list WHERE name = ?", (table,))

    assert strict == 1


def test_the_schema_allows_as_many_quota_slots_as_the_core(raw: sqlite3.Connection) -> None:
    statement = "INSERT INTO places VALUES (x'00', ?, ?, 'a', 'wechat', 0, 0)"
    for slot in range(1, MAX_ACCOUNTS + 1):
        raw.execute(statement, (slot, f"telegram:{slot}"))

    for slot in (0, 1, MAX_ACCOUNTS + 1):
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(statement, (slot, f"telegram:other-{slot}"))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT id FROM attempts WHERE expires_at <= 1 AND {live} ORDER BY expires_at, id LIMIT 5", "attempts_due"),
        ("SELECT id FROM attempts WHERE account = 'a' AND {live}", "attempts_live"),
        (
            "SELECT id FROM attempts WHERE method = 'a' AND status IN ('opened', 'confirming')"
            " AND (asked_at <= 1 OR asked_at > 2) ORDER BY asked_at, id LIMIT 5",
            "attempts_asked",
        ),
        ("SELECT id FROM attempts WHERE method = 'a' AND {live} ORDER BY expires_at, id LIMIT 5", "attempts_due"),
        (
            "SELECT min(id) FROM notices WHERE front_end = 'a' AND settled = 0 GROUP BY contact",
            "notices_open (front_end=?)",
        ),
        (
            "SELECT 1 FROM notices WHERE front_end = 'a' AND contact = 'b' AND settled = 0",
            "notices_open (front_end=? AND contact=?)",
        ),
        (
            "SELECT 1 FROM dialogues WHERE front_end = 'a' AND shown < revision AND blocked = 0"
            " ORDER BY changed_at LIMIT 5",
            "dialogues_owed (front_end=?)",
        ),
        (
            "SELECT 1 FROM litter WHERE front_end = 'a' ORDER BY written_at, person, message_id LIMIT 5",
            "litter_written (front_end=?)",
        ),
        (
            "SELECT id FROM results AS waiting WHERE (waiting.outcome IS NULL OR waiting.outcome = 'pending')"
            " AND (waiting.due_at <= 1 OR waiting.tried_at > 2) ORDER BY waiting.due_at, waiting.id LIMIT 5",
            "results_owed",
        ),
        (
            "SELECT 1 FROM caller_requests WHERE front_end = 'a' AND (requested_at, attempt) < (1, 'b')"
            " ORDER BY requested_at DESC, attempt DESC LIMIT 5",
            "caller_requests_made (front_end=? AND (requested_at,attempt)<(?,?))",
        ),
    ],
)
def test_frequent_queries_use_an_index(raw: sqlite3.Connection, query: str, index: str) -> None:
    plan = raw.execute("EXPLAIN QUERY PLAN " + query.format(live=LIVE)).fetchall()

    assert index in str(plan)


def test_inv32_a_store_opens_its_own_database_again(path: Path) -> None:
    reopen(path)
    reopen(path)


def test_inv32_a_newer_schema_is_refused(raw: sqlite3.Connection, path: Path) -> None:
    raw.execute("INSERT INTO schema_versions (version, name) VALUES (99, 'from the future')")

    with pytest.raises(NewerSchema, match="99"):
        reopen(path)


def test_another_index_key_is_refused_because_the_quota_would_restart(raw: sqlite3.Connection, path: Path) -> None:
    with pytest.raises(WrongKeys, match="INDEX_KEY"):
        reopen(path, Sealing({"k1": b"1" * 32}, b"x" * 32))


@pytest.mark.parametrize("keys", [{"k2": b"2" * 32}, {"k1": b"2" * 32}])
def test_keys_without_the_key_in_use_are_refused(raw: sqlite3.Connection, path: Path, keys: dict[str, bytes]) -> None:
    with pytest.raises(WrongKeys, match="ENCRYPTION_KEYS"):
        reopen(path, Sealing(keys, b"i" * 32))


def test_a_new_key_comes_first_and_the_old_one_may_be_removed_later(raw: sqlite3.Connection, path: Path) -> None:
    reopen(path, Sealing({"k2": b"2" * 32, "k1": b"1" * 32}, b"i" * 32))
    reopen(path, Sealing({"k2": b"2" * 32}, b"i" * 32))

    with pytest.raises(WrongKeys):
        reopen(path)


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database, and long enough to be read as one " * 100)

    with pytest.raises(StoreUnavailable, match=r"bot\.sqlite3"):
        reopen(path)


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")

    with pytest.raises(StoreUnavailable, match="DATABASE_URL"):
        reopen(tmp_path / "data" / "bot.sqlite3")


async def test_a_reader_that_cannot_be_set_up_is_closed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    class RecordingConnection(aiosqlite.Connection):
        async def close(self) -> None:
            await super().close()
            closed.append(self)

    monkeypatch.setattr("storage.sqlite._READER_SETTINGS", "no SQL")
    monkeypatch.setattr("aiosqlite.core.Connection", RecordingConnection)
    async with open_sqlite(path) as database:
        with pytest.raises(StoreUnavailable, match="syntax error"):
            async with database.read_transaction():
                pass

        assert len(closed) == 1


async def test_inv27_a_failing_database_raises_and_works_again_afterwards(path: Path) -> None:
    async with open_store(f"sqlite:///{path}", sealing=make_sealing()) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("ALTER TABLE dead_updates RENAME TO elsewhere")
            with pytest.raises(StoreUnavailable):
                await store.store_dead_letter("update:1", person=None, raw="raw", now=NOON)
            other.execute("ALTER TABLE elsewhere RENAME TO dead_updates")
        await store.store_dead_letter("update:1", person=None, raw="raw", now=NOON)


async def test_inv27_a_full_disk_fails_one_unit_and_no_other(path: Path) -> None:
    async with open_sqlite(path) as database:
        await migrate(database, known_migrations())
        [(pages,)] = await fetch(database, "PRAGMA page_count")
        await fetch(database, f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreUnavailable, match="full"):
            await fetch(
                database, "INSERT INTO dead_updates (event_id, raw, buried_at) VALUES ('update:1', zeroblob(100000), 0)"
            )
        await fetch(database, "PRAGMA max_page_count = 1000000")
        await fetch(
            database, "INSERT INTO dead_updates (event_id, raw, buried_at) VALUES ('update:1', zeroblob(100000), 0)"
        )


async def fetch(database: SqliteDatabase, statement: str) -> list[tuple[object, ...]]:
    async with database.transaction() as connection:
        return [tuple(row) for row in await connection.fetch(statement)]


STEPS = [
    Migration(version=1, name="one", script="CREATE TABLE one (a INTEGER);"),
    Migration(version=2, name="two", script="-- two\nCREATE TABLE two (b TEXT);"),
]


async def test_inv32_migrations_are_applied_once_and_in_order(path: Path) -> None:
    async with open_sqlite(path) as database:
        await migrate(database, STEPS[:1])
        await migrate(database, STEPS)
        await migrate(database, STEPS)
        assert await fetch(database, "SELECT version, name FROM schema_versions ORDER BY version") == [
            (1, "one"),
            (2, "two"),
        ]


async def test_a_new_file_gets_what_the_migrations_make_one_after_the_other(path: Path) -> None:
    async with open_sqlite(path) as new, open_sqlite(path.with_name("old.sqlite3")) as old:
        await migrate(new, known_migrations())
        for count in range(1, len(known_migrations()) + 1):
            await migrate(old, known_migrations()[:count])

    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path.with_name("old.sqlite3"))) as other:
        assert sorted(one.iterdump()) == sorted(other.iterdump())


async def test_two_programs_may_migrate_one_database_at_once(path: Path) -> None:
    async with open_sqlite(path) as one, open_sqlite(path) as two:
        await asyncio.gather(migrate(one, STEPS), migrate(two, STEPS))
        assert await fetch(two, "SELECT count(*) FROM schema_versions") == [(2,)]


async def test_a_failed_migration_changes_nothing(path: Path) -> None:
    broken = Migration(version=2, name="broken", script="CREATE TABLE two (b TEXT);\nINSERT INTO nowhere VALUES (1);")
    async with open_sqlite(path) as database:
        await migrate(database, STEPS[:1])
        with pytest.raises(StoreUnavailable):
            await migrate(database, [STEPS[0], broken])
        await migrate(database, STEPS)


def test_migrations_are_numbered_without_a_gap() -> None:
    versions = [step.version for step in known_migrations()]

    assert versions == list(range(1, len(versions) + 1))


async def test_a_violated_constraint_raises_its_own_error(path: Path) -> None:
    async with open_sqlite(path) as database:
        await migrate(database, known_migrations())
        with pytest.raises(ConstraintViolated):
            await fetch(database, "INSERT INTO places VALUES (x'00', 4, 'a', 'a', 'wechat', 0, 0)")


async def test_a_key_in_use_cannot_be_removed(tmp_path: Path) -> None:
    url, index = f"sqlite:///{tmp_path}/bot.sqlite3", b"i" * 32
    old, new = {"old": b"1" * 32}, {"new": b"2" * 32}
    person = PersonId("telegram:200000001")
    async with open_store(url, sealing=Sealing(old, index)) as store, open_unit(store, person) as unit:
        await unit.save_dialogue(person, "a dialogue", language="zh", now=NOON)
    async with open_store(url, sealing=Sealing(new | old, index)):
        pass

    with pytest.raises(WrongKeys, match="ENCRYPTION_KEYS"):
        async with open_store(url, sealing=Sealing(new, index)):
            pass


@pytest.mark.parametrize(
    ("campaign", "account", "index"),
    [(None, None, "links_made"), ("spring", None, "links_campaign"), (None, Account("acme:1"), "links_account")],
)
def test_links_are_listed_by_an_index(
    raw: sqlite3.Connection, campaign: str | None, account: Account | None, index: str
) -> None:
    statement, values = support_statements.select_links(campaign, account, ("waiting", 0))
    named = {str(number): value for number, value in enumerate((20, 0, *values), 1)}

    assert f"USING INDEX {index}" in str(raw.execute(f"EXPLAIN QUERY PLAN {statement}", named).fetchall())


def test_an_accounts_attempts_are_listed_by_an_index(raw: sqlite3.Connection) -> None:
    values = {"1": 20, "2": 0, "3": "acme:1"}
    plan = raw.execute(f"EXPLAIN QUERY PLAN {support_statements.ATTEMPT_SUMMARIES_OF}", values).fetchall()

    assert "USING INDEX attempts_account" in str(plan)


@pytest.mark.parametrize("by", [None, Dimension.CAMPAIGN, Dimension.METHOD, Dimension.LANGUAGE])
@pytest.mark.parametrize("language", [None, "zh"])
@pytest.mark.parametrize("sums", [support_statements.select_counts, support_statements.select_durations])
def test_a_funnel_is_summed_up_in_the_order_of_its_table(
    raw: sqlite3.Connection, sums: Callable[[FunnelQuery], str], language: str | None, by: Dimension | None
) -> None:
    query = FunnelQuery(since=NOON.date(), until=NOON.date(), language=language, by=by)
    values = {str(number): value for number, value in enumerate(mapping.query_values(query), 1)}

    plan = [step for *_, step in raw.execute(f"EXPLAIN QUERY PLAN {sums(query)}", values)]

    # One sort of the few remaining sums; sorting all rows would take seconds.
    assert [step for step in plan if "TEMP B-TREE" in step] == ["USE TEMP B-TREE FOR GROUP BY"]


async def test_open_transactions_of_other_programs_are_waited_for_too(path: Path) -> None:
    async with open_sqlite(path) as database:
        await fetch(database, "PRAGMA busy_timeout = 10")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked"):
                await database.wait_for_open_transactions()
            other.execute("ROLLBACK")
        await database.wait_for_open_transactions()


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that writes to a new file, before it logs ahead."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE one (two)")
        connection.execute("BEGIN IMMEDIATE")
        yield connection


async def test_two_programs_may_open_a_new_file_at_the_same_time(path: Path, writer: sqlite3.Connection) -> None:
    async def open_it() -> int:
        async with open_sqlite(path) as database, database.transaction() as transaction:
            return len(await transaction.fetch("SELECT name FROM sqlite_master"))

    async with asyncio.TaskGroup() as tasks:
        opening = tasks.create_task(open_it())
        done, _ = await asyncio.wait({opening}, timeout=0.1)
        writer.execute("COMMIT")

    assert not done
    assert opening.result() == 1


async def test_a_program_that_writes_for_too_long_is_named(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sqlite._WAIT_SECONDS", 0.05)

    with pytest.raises(StoreUnavailable, match="database is locked"):
        async with open_sqlite(path):
            pass
    assert writer.in_transaction
