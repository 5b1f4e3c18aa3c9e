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

from storage.database import Busy, Row, StillMine, Value
from storage.errors import SchemaRefused, StoreUnavailable
from storage.folders import make_private_folder
from storage.lockfile import holding

_WAIT_SECONDS = 10
_SETTINGS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
)
_READING = ("PRAGMA trusted_schema = OFF", "PRAGMA temp_store = MEMORY")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise SchemaRefused(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(str(error)) from error


class _Transaction:
    """The connection as one transaction sees it: closed to it once the transaction is left."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection: aiosqlite.Connection | None = connection

    def leave(self) -> None:
        self._connection = None

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        if self._connection is None:
            raise RuntimeError("this unit was left already")
        # SQLite takes $1 as a name, so the text needs no rewriting.
        named = {str(number): value for number, value in enumerate(values, 1)}
        with _translated():
            return list(await self._connection.execute_fetchall(statement, named))

    async def fetch_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        """With one transaction at a time, every row is."""
        return await self.fetch(statement, *values)

    async def fetch_free(self, statement: str, *values: Value) -> Sequence[Row]:
        """With one transaction at a time, nobody else changes any."""
        return await self.fetch(statement, *values)


class SqliteDatabase:
    """An open SQLite file."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path.absolute()
        self._turn = asyncio.Lock()
        self._reader: aiosqlite.Connection | None = None
        self._reading = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def transaction(self, alone_with: str | None = None) -> AsyncIterator[_Transaction]:
        """Open a transaction; with one at a time, each is alone with every key."""
        if self._holder is asyncio.current_task():
            raise RuntimeError("a unit inside a unit would wait for itself")
        async with self._turn:
            self._holder = asyncio.current_task()
            transaction = _Transaction(self._connection)
            try:
                with _translated():
                    await self._connection.execute_fetchall("BEGIN IMMEDIATE")
                yield transaction
                with _translated():
                    await self._connection.commit()
            except BaseException:
                # Does nothing where the commit came through after all.
                await self._connection.rollback()
                raise
            finally:
                transaction.leave()
                self._holder = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[_Transaction]:
        """Read from the log as it is now; one at a time, on a connection of its own."""
        async with self._reading:
            with _translated():
                self._reader = self._reader or await _reader(self._path.as_uri())
                await self._reader.execute_fetchall("BEGIN")
            transaction = _Transaction(self._reader)
            try:
                yield transaction
            finally:
                transaction.leave()
                await self._reader.rollback()

    async def close(self) -> None:
        """Let go of the file."""
        # Whoever writes goes last, and puts the log back into the file.
        try:
            if self._reader is not None:
                await self._reader.close()
        finally:
            await self._connection.close()

    async def outlive(self) -> None:
        """With one transaction at a time, whoever has the next has outlived all others."""
        async with self.transaction():
            pass

    async def scrub(self) -> None:
        """Overwritten pages still stand in the log until it is written back and cut, which no reader lets happen."""
        async with self._reading, self._turn:
            with _translated():
                await self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    def in_own_words(self, script: str) -> str:
        """Leave it as it is: these are SQLite's words."""
        return script

    def polling_turn(self, busy: Busy) -> AbstractAsyncContextManager[StillMine]:
        """Hold the lock on a file beside the database."""
        return holding(self._path.with_name(f"{self._path.name}.polling"), busy)


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


async def _reader(address: str) -> aiosqlite.Connection:
    reader = await aiosqlite.connect(f"{address}?mode=ro", uri=True, timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        for setting in _READING:
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
