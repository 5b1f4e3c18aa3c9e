"""The embedded database: one SQLite file, one connection that writes, one transaction at a time.

Commits reach the disk before they count (WAL, synchronous=FULL). Every transaction takes the write lock at once, so
none can fail half way because another program writes. Statements go to one thread through a queue: a ROLLBACK that
was asked for runs before whatever is asked for next, even when the asker was cancelled meanwhile. What may read for
long has a second connection, which nobody waits for.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import aiosqlite

from storage.database import OnBusy, Row, StillHeld, Value
from storage.errors import ConstraintViolated, StoreUnavailable
from storage.lockfile import file_lock
from storage.private_files import make_private_folder

_WAIT_SECONDS = 10
_SETTINGS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
)
_READER_SETTINGS = ("PRAGMA trusted_schema = OFF", "PRAGMA temp_store = MEMORY")


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConstraintViolated(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(str(error)) from error


class _Transaction:
    """The connection as one transaction sees it: closed to it once the transaction is left."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection: aiosqlite.Connection | None = connection

    def detach(self) -> None:
        self._connection = None

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        if self._connection is None:
            raise RuntimeError("this unit was left already")
        # SQLite takes $1 as a name, so the text needs no rewriting.
        named = {str(number): value for number, value in enumerate(values, 1)}
        with _translate_errors():
            return list(await self._connection.execute_fetchall(statement, named))

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        """With one transaction at a time, every row is."""
        return await self.fetch(statement, *values)

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        """With one transaction at a time, nobody else changes any."""
        return await self.fetch(statement, *values)


class SqliteDatabase:
    """An open SQLite file."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path.absolute()
        self._write_lock = asyncio.Lock()
        self._reader: aiosqlite.Connection | None = None
        self._read_lock = asyncio.Lock()
        self._owner_task: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def transaction(self, lock_key: str | None = None) -> AsyncIterator[_Transaction]:
        """Open a transaction; with one at a time, each is alone with every key."""
        if self._owner_task is asyncio.current_task():
            raise RuntimeError("a unit inside a unit would wait for itself")
        async with self._write_lock:
            self._owner_task = asyncio.current_task()
            transaction = _Transaction(self._connection)
            try:
                with _translate_errors():
                    await self._connection.execute_fetchall("BEGIN IMMEDIATE")
                yield transaction
                with _translate_errors():
                    await self._connection.commit()
            except BaseException:
                # Does nothing where the commit came through after all.
                await self._connection.rollback()
                raise
            finally:
                transaction.detach()
                self._owner_task = None

    @asynccontextmanager
    async def read_transaction(self) -> AsyncIterator[_Transaction]:
        """Read from the log as it is now; one at a time, on a connection of its own."""
        async with self._read_lock:
            with _translate_errors():
                self._reader = self._reader or await _open_reader(self._path.as_uri())
                await self._reader.execute_fetchall("BEGIN")
            transaction = _Transaction(self._reader)
            try:
                yield transaction
            finally:
                transaction.detach()
                await self._reader.rollback()

    async def close(self) -> None:
        """Let go of the file."""
        # Whoever writes goes last, and puts the log back into the file.
        try:
            if self._reader is not None:
                await self._reader.close()
        finally:
            await self._connection.close()

    async def wait_for_open_transactions(self) -> None:
        """With one transaction at a time, whoever has the next has outlived all others."""
        async with self.transaction():
            pass

    async def purge_deleted(self) -> None:
        """Overwritten pages still stand in the log until it is written back and cut, which no reader lets happen."""
        async with self._read_lock, self._write_lock:
            with _translate_errors():
                await self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    def translate_schema(self, script: str) -> str:
        """Leave it as it is: these are SQLite's words."""
        return script

    def polling_lease(self, on_busy: OnBusy) -> AbstractAsyncContextManager[StillHeld]:
        """Hold the lock on a file beside the database."""
        return file_lock(self._path.with_name(f"{self._path.name}.polling"), on_busy)


@asynccontextmanager
async def open_sqlite(path: Path) -> AsyncIterator[SqliteDatabase]:
    """Open a SQLite file, made with its folder where it is missing; raises `StoreUnavailable`."""
    try:
        _make_private_file(path)
        connection = await aiosqlite.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)
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
    [(mode,)] = await connection.execute_fetchall("PRAGMA journal_mode = WAL")
    if mode != "wal":
        raise StoreUnavailable(f"DATABASE_URL: the file system of {path} does not allow write-ahead logging")
    for setting in _SETTINGS:
        await connection.execute_fetchall(setting)


async def _open_reader(address: str) -> aiosqlite.Connection:
    reader = await aiosqlite.connect(f"{address}?mode=ro", uri=True, timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        for setting in _READER_SETTINGS:
            await reader.execute_fetchall(setting)
    except BaseException:
        await reader.close()
        raise
    return reader


def _make_private_file(path: Path) -> None:
    make_private_folder(path.parent)
    # SQLite gives its log the mode of the file.
    path.touch(mode=0o600)


def _unavailable(path: Path, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"DATABASE_URL: cannot open {path}: {error}")
