"""The embedded database: one SQLite file, one writing connection, one transaction at a time.

A commit counts only when it is on the disk (WAL, synchronous=FULL). Every transaction takes the write lock at its
start, so it cannot fail halfway because another program writes. `run` hands a whole transaction to the connection's
thread, where those that wait are committed together (`sqlite_group`). The statements of a `transaction` go to that
thread one by one: a requested ROLLBACK runs before any later statement, even when its caller was cancelled meanwhile.
Long reads use a second connection that writers do not wait for.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiosqlite

from storage.database import (
    Body,
    DatabaseCounts,
    HolderWatch,
    OnBusy,
    OnSilence,
    Row,
    StillHeld,
    T,
    Value,
    ignore_silence,
    polling_lock,
)
from storage.encryption.private_files import make_private_folder
from storage.errors import StoreUnavailable
from storage.lockfile import file_lock
from storage.sqlite_group import GroupCommit, SoleConnection, named, translate_errors
from verification.ids import FrontEnd

_WAIT_SECONDS = 10
_RETRY_SECONDS = 0.01
_SETTINGS = """
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA secure_delete = ON;
PRAGMA trusted_schema = OFF;
PRAGMA temp_store = MEMORY;
"""
_READER_SETTINGS = "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"


class _Transaction(SoleConnection):
    """The connection as one transaction sees it; it cannot be used after the transaction has ended."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection: aiosqlite.Connection | None = connection

    def detach(self) -> None:
        self._connection = None

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        if self._connection is None:
            raise RuntimeError("this unit was left already")
        with translate_errors():
            return list(await self._connection.execute_fetchall(statement, named(values)))


class SqliteDatabase:
    """An open SQLite file."""

    squashes_migrations = True

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        # Programs that reach one file by different names must find one lock.
        self._path = path.resolve()
        self._write_lock = asyncio.Lock()
        self._reader: aiosqlite.Connection | None = None
        self._read_lock = asyncio.Lock()
        self._owner_task: asyncio.Task[object] | None = None
        self.counts = DatabaseCounts()
        self._group_commit = GroupCommit(self._in_writer_thread, self.counts)

    async def run(self, body: Body[T], lock_key: str | None = None, *, soon: bool = True) -> T:
        """Run a body in the next group; only one body runs at a time, so each has every key to itself."""
        if self._owner_task is asyncio.current_task():
            raise RuntimeError("a unit inside a unit would wait for itself")
        result: T = await self._group_commit.run(body, soon=soon)
        return result

    async def _in_writer_thread(self, function: Callable[[sqlite3.Connection], None]) -> None:
        async with self._write_lock:
            # aiosqlite has no public way to run a function in its thread; the version is pinned, and tests show it.
            await self._connection._execute(function, self._connection._conn)  # type: ignore[no-untyped-call]  # noqa: SLF001

    @asynccontextmanager
    async def transaction(self, lock_key: str | None = None) -> AsyncIterator[_Transaction]:
        """Open a transaction; only one runs at a time, so each has every key to itself."""
        if self._owner_task is asyncio.current_task():
            raise RuntimeError("a unit inside a unit would wait for itself")
        async with self._write_lock:
            self._owner_task = asyncio.current_task()
            transaction = _Transaction(self._connection)
            try:
                with translate_errors():
                    await self._connection.execute_fetchall("BEGIN IMMEDIATE")
                yield transaction
                with translate_errors():
                    await self._connection.commit()
            except BaseException:
                # This does nothing if the commit has succeeded after all.
                await self._connection.rollback()
                raise
            finally:
                transaction.detach()
                self._owner_task = None

    @asynccontextmanager
    async def read_transaction(self) -> AsyncIterator[_Transaction]:
        """Read the current snapshot on a separate connection, one reader at a time."""
        async with self._read_lock:
            with translate_errors():
                self._reader = self._reader or await _open_reader(self._path.as_uri())
                await self._reader.execute_fetchall("BEGIN")
            transaction = _Transaction(self._reader)
            try:
                yield transaction
            finally:
                transaction.detach()
                await self._reader.rollback()

    async def close(self) -> None:
        """Close the file."""
        # The writer closes last, because it writes the log back into the file.
        try:
            await self._group_commit.close()
            if self._reader is not None:
                await self._reader.close()
        finally:
            await self._connection.close()

    async def wait_for_open_transactions(self) -> None:
        """The next transaction starts after all others have ended, also those of other programs on the file."""
        async with self.transaction():
            pass

    async def purge_deleted(self) -> None:
        """Write the log back and truncate it, because it still holds deleted pages; a reader would prevent that."""
        async with self._read_lock, self._write_lock:
            with translate_errors():
                await self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    def translate_schema(self, script: str) -> str:
        """Return it unchanged: migrations are written in SQLite's dialect."""
        return script

    def polling_lease(
        self, front_end: FrontEnd, on_busy: OnBusy, on_silence: OnSilence = ignore_silence
    ) -> AbstractAsyncContextManager[StillHeld]:
        """Hold the lock on a file next to the database."""
        path = self._path.with_name(f"{self._path.name}.{polling_lock(front_end)}")
        return file_lock(path, on_busy, HolderWatch(on_silence))


@asynccontextmanager
async def open_sqlite(path: Path) -> AsyncIterator[SqliteDatabase]:
    """Open a SQLite file, created with its folder if missing; raises `StoreUnavailable`."""
    try:
        _make_private_file(path)
        connection = await aiosqlite.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, cached_statements=256)
    except (OSError, sqlite3.Error) as error:
        raise _unavailable(path, error) from error
    database = SqliteDatabase(connection, path)
    try:
        try:
            await _set_up(connection, path)
        except sqlite3.Error as error:
            raise _unavailable(path, error) from error
        yield database
    finally:
        await database.close()


async def _set_up(connection: aiosqlite.Connection, path: Path) -> None:
    [(mode,)] = await _write_ahead(connection)
    if mode != "wal":
        raise StoreUnavailable(f"DATABASE_URL: the file system of {path} does not allow write-ahead logging")
    await connection.executescript(_SETTINGS)


async def _write_ahead(connection: aiosqlite.Connection) -> Iterable[sqlite3.Row]:
    """Switch to write-ahead logging; while another program writes to a new file, SQLite refuses that at once."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _WAIT_SECONDS
    while True:
        try:
            return await connection.execute_fetchall("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or clock() >= deadline:
                raise
        await asyncio.sleep(_RETRY_SECONDS)


async def _open_reader(address: str) -> aiosqlite.Connection:
    reader = await aiosqlite.connect(f"{address}?mode=ro", uri=True, timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        await reader.executescript(_READER_SETTINGS)
    except BaseException:
        await reader.close()
        raise
    return reader


def _make_private_file(path: Path) -> None:
    make_private_folder(path.parent)
    # SQLite creates its log with the mode of the file.
    path.touch(mode=0o600)


def _unavailable(path: Path, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"DATABASE_URL: cannot open {path}: {error}")
