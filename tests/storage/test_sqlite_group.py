"""Group commit on SQLite: waiting transactions share a commit, and each takes effect whole or not at all."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import NoneType

import pytest

from storage.database import Body, Connection, Row
from storage.errors import ConstraintViolated, StoreUnavailable
from storage.sqlite import SqliteDatabase, open_sqlite

ADD = "INSERT INTO numbers (n) VALUES ($1)"
ALL = "SELECT n FROM numbers ORDER BY rowid"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.sqlite3"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with open_sqlite(path) as opened:
        await opened.run(execute("CREATE TABLE numbers (n INTEGER UNIQUE)"))
        yield opened


def execute(statement: str, *values: int) -> Body[Sequence[Row]]:
    async def body(connection: Connection) -> Sequence[Row]:
        return await connection.fetch(statement, *values)

    return body


async def numbers(database: SqliteDatabase) -> list[int]:
    return [number for (number,) in await database.run(execute(ALL))]


async def test_transactions_that_wait_share_one_commit(database: SqliteDatabase) -> None:
    commits, groups = database.counts.commits, database.counts.round_trips
    await asyncio.gather(*(database.run(execute(ADD, number)) for number in range(50)))

    assert (database.counts.commits - commits, database.counts.round_trips - groups) == (1, 1)
    assert await numbers(database) == list(range(50))


async def test_a_read_is_no_commit(database: SqliteDatabase) -> None:
    commits = database.counts.commits
    await numbers(database)

    assert database.counts.commits == commits


async def test_an_error_takes_back_one_transaction_and_no_other(database: SqliteDatabase) -> None:
    async def fails(connection: Connection) -> None:
        await connection.fetch(ADD, 1)
        await connection.fetch(ADD, 2)
        raise ZeroDivisionError

    results = await asyncio.gather(
        database.run(execute(ADD, 1)),
        database.run(fails),
        database.run(execute(ADD, 1)),
        database.run(execute(ADD, 3)),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [list, ConstraintViolated, ConstraintViolated, list]
    assert await numbers(database) == [1, 3]


async def test_after_a_body_that_wrote_and_failed_the_others_run_once_more(database: SqliteDatabase) -> None:
    runs: list[int] = []

    def counted(number: int, *, fails: bool = False) -> Body[None]:
        async def body(connection: Connection) -> None:
            runs.append(number)
            await connection.fetch(ADD, number)
            if fails:
                raise ZeroDivisionError

        return body

    results = await asyncio.gather(
        *(database.run(counted(number, fails=number in (1, 3))) for number in range(5)), return_exceptions=True
    )

    assert [type(result) for result in results] == [NoneType, ZeroDivisionError, NoneType, ZeroDivisionError, NoneType]
    assert runs == [0, 1, 0, 2, 3, 0, 2, 4]
    assert await numbers(database) == [0, 2, 4]


async def test_after_a_body_that_only_read_and_failed_nothing_runs_again(database: SqliteDatabase) -> None:
    runs: list[str] = []

    async def writes(connection: Connection) -> None:
        runs.append("writes")
        await connection.fetch(ADD, 1)

    async def refuses(connection: Connection) -> None:
        runs.append("refuses")
        await connection.fetch(ALL)
        raise ZeroDivisionError

    await asyncio.gather(database.run(writes), database.run(refuses), return_exceptions=True)

    assert (runs, await numbers(database)) == (["writes", "refuses"], [1])


async def test_inv27_a_disk_that_is_full_fails_the_whole_group_as_an_outage(database: SqliteDatabase) -> None:
    [(pages,)] = await database.run(execute("PRAGMA page_count"))
    await database.run(execute("CREATE TABLE blobs (b BLOB)"))
    await database.run(execute(f"PRAGMA max_page_count = {pages + 1}"))
    results = await asyncio.gather(
        database.run(execute(ADD, 1)),
        database.run(execute("INSERT INTO blobs VALUES (zeroblob(1000000))")),
        database.run(execute(ADD, 2)),
        return_exceptions=True,
    )
    await database.run(execute("PRAGMA max_page_count = 1000000"))

    # Whether SQLite takes back the statement or the whole transaction, nobody hears of a commit that did not happen.
    heard = [number for number, result in zip((1, 2), (results[0], results[2]), strict=True) if type(result) is list]
    assert isinstance(results[1], StoreUnavailable)
    assert await numbers(database) == heard
    await database.run(execute(ADD, 7))
    assert (await numbers(database))[-1] == 7


async def test_a_database_that_another_program_holds_fails_everybody_at_once(
    database: SqliteDatabase, path: Path
) -> None:
    await database.run(execute("PRAGMA busy_timeout = 10"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(database.run(execute(ADD, number)) for number in range(5)), return_exceptions=True
        )
        other.execute("ROLLBACK")

    assert {type(result) for result in results} == {StoreUnavailable}
    assert await numbers(database) == []


async def test_a_transaction_whose_caller_is_gone_before_its_turn_does_not_run(database: SqliteDatabase) -> None:
    async with database.transaction():
        waiting = asyncio.ensure_future(database.run(execute(ADD, 1)))
        await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting

    assert await numbers(database) == []


async def test_a_transaction_that_runs_already_commits_although_its_caller_is_gone(database: SqliteDatabase) -> None:
    loop = asyncio.get_running_loop()
    task: asyncio.Future[None] | None = None

    async def cancels_its_caller(connection: Connection) -> None:
        await connection.fetch(ADD, 1)
        assert task is not None
        loop.call_soon_threadsafe(task.cancel)

    task = asyncio.ensure_future(database.run(cancels_its_caller))
    with suppress(asyncio.CancelledError):
        await task

    assert await numbers(database) == [1]


async def test_a_body_that_waits_for_anything_else_is_refused(database: SqliteDatabase) -> None:
    async def sleeps(connection: Connection) -> None:
        await connection.fetch(ADD, 1)
        await asyncio.Future[None](loop=loop)

    loop = asyncio.get_running_loop()
    with pytest.raises(RuntimeError, match="waits for something else"):
        await database.run(sleeps)

    assert await numbers(database) == []


async def test_a_transaction_inside_a_transaction_is_refused(database: SqliteDatabase) -> None:
    async def nests(connection: Connection) -> None:
        await connection.fetch(ADD, 1)
        await database.run(execute(ADD, 2))

    with pytest.raises(RuntimeError):
        await database.run(nests)

    assert await numbers(database) == []


async def test_a_connection_that_is_kept_after_its_transaction_says_so(database: SqliteDatabase) -> None:
    async def leaks(connection: Connection) -> Connection:
        return connection

    connection = await database.run(leaks)
    with pytest.raises(RuntimeError, match="left already"):
        await connection.fetch(ALL)


async def test_what_may_wait_is_committed_with_the_next_transaction_and_before_it(database: SqliteDatabase) -> None:
    commits = database.counts.commits
    waits = asyncio.ensure_future(database.run(execute(ADD, 1), soon=False))
    await asyncio.sleep(0)
    seen = await numbers(database)

    assert (seen, waits.done(), database.counts.commits - commits) == ([1], True, 1)


async def test_what_may_wait_is_committed_by_itself_when_nobody_else_comes(database: SqliteDatabase) -> None:
    await database.run(execute(ADD, 1), soon=False)

    assert await numbers(database) == [1]


async def test_closing_commits_what_still_waits_and_refuses_what_comes_later(path: Path) -> None:
    async with open_sqlite(path) as database:
        await database.run(execute("CREATE TABLE numbers (n INTEGER UNIQUE)"))
        waits = asyncio.ensure_future(database.run(execute(ADD, 1), soon=False))
        await asyncio.sleep(0)
    await waits
    with pytest.raises(StoreUnavailable):
        await database.run(execute(ADD, 2))

    with closing(sqlite3.connect(path)) as look:
        assert look.execute(ALL).fetchall() == [(1,)]


async def test_a_connection_that_breaks_leaves_nobody_waiting(path: Path) -> None:
    async with open_sqlite(path) as database:
        await database._connection.close()
        results = await asyncio.gather(
            *(database.run(execute(ADD, number)) for number in range(3)), return_exceptions=True
        )

    assert {type(result) for result in results} == {StoreUnavailable}


async def test_no_value_reaches_a_log(database: SqliteDatabase, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await database.run(execute(ADD, 123454321))
    await numbers(database)

    assert "aiosqlite" in {record.name for record in caplog.records}
    assert "123454321" not in caplog.text
