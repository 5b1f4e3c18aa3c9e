"""PostgreSQL: a pool of connections, and one transaction a unit.

`alone_with` is an advisory lock of the transaction, so it holds among all programs on the database and ends with the
transaction, however that ends. In this process units with one key stand in line before they take a connection: they are
served in order, and a crowd with one key leaves the pool to the others. Messages never quote the server: its details
hold values, and its address may hold a password.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import asyncpg

from storage.database import OnBusy, Row, StillHeld, Value
from storage.errors import ConstraintViolated, StoreUnavailable

if TYPE_CHECKING:
    # Generic in the types' package alone.
    from asyncpg.pool import Pool, PoolConnectionProxy
    from asyncpg.transaction import Transaction as AsyncpgTransaction

    _Connection = PoolConnectionProxy[asyncpg.Record]

_CONNECTIONS = 10
_CONNECT_SECONDS = 10
_COMMAND_SECONDS = 30
_CLOSE_SECONDS = 2
_RETRY_SECONDS = 1
_SETTINGS = {
    "application_name": "realname-bot",
    "lock_timeout": "10s",
    # A program that hangs inside a unit, or a machine that vanished with one, lets go of its locks.
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_DIALECT = (
    ("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    (" INTEGER", " BIGINT"),
    (" BLOB", " BYTEA"),
    # Bytes in their own order, as SQLite has them: no upgrade of the system's locales breaks an index.
    (" TEXT", ' TEXT COLLATE "C"'),
    (") STRICT, WITHOUT ROWID;", ");"),
    (") STRICT;", ");"),
)
_OLDER_TRANSACTIONS = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $2 AND pid <> pg_backend_pid()
    AND (extract(epoch FROM xact_start) * 1000000)::bigint <= $1
LIMIT 1
"""
# The internal kind is what asyncpg has for a connection that was ended while nothing was asked over it.
_FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise ConstraintViolated(f"{type(error).__name__}: {error.constraint_name or error.column_name}") from None
    except asyncpg.DataError as error:
        raise ConstraintViolated(f"{type(error).__name__}: a value that the database cannot hold") from None
    except _FAULTS as error:
        raise StoreUnavailable(f"the database does not answer ({_kind(error)})") from None


class _Transaction:
    """The connection as one transaction sees it: closed to it once the transaction is left."""

    def __init__(self, connection: "_Connection", transaction: "AsyncpgTransaction") -> None:
        self._connection: _Connection | None = connection
        self._transaction = transaction
        self._broken = False

    async def begin(self, lock_key: str | None) -> None:
        with _translate_errors():
            await self._transaction.start()
        if lock_key is not None:
            await self.fetch("SELECT pg_advisory_xact_lock($1)", _advisory_lock_id(f"unit:{lock_key}"))

    async def commit(self) -> None:
        if self._broken:
            # PostgreSQL answers COMMIT with a quiet ROLLBACK after a statement that failed.
            raise ConstraintViolated("a statement of this unit was refused, so nothing of the unit can stand")
        with _translate_errors():
            await self._transaction.commit()

    async def rollback(self) -> None:
        # Where the connection is gone, the server has rolled back already.
        with suppress(*_FAULTS):
            await self._transaction.rollback()

    def detach(self) -> None:
        self._connection = None

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        if self._connection is None:
            raise RuntimeError("this unit was left already")
        try:
            with _translate_errors():
                found = await self._connection.fetch(statement, *values)
        except BaseException:
            self._broken = True
            raise
        return [tuple(row) for row in found]

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(f"{statement} FOR UPDATE", *values)

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(f"{statement} FOR UPDATE SKIP LOCKED", *values)


class PostgresDatabase:
    """An open PostgreSQL database."""

    def __init__(self, url: str, pool: "Pool[asyncpg.Record]") -> None:
        self._url = url
        self._pool = pool
        self._local_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._busy_tasks: set[asyncio.Task[object] | None] = set()

    @asynccontextmanager
    async def transaction(self, lock_key: str | None = None) -> AsyncIterator[_Transaction]:
        """Open a transaction; with a key, alone with that key on the whole database."""
        task = asyncio.current_task()
        if task in self._busy_tasks:
            raise RuntimeError("a unit inside a unit might wait for itself")
        self._busy_tasks.add(task)
        try:
            async with self._local_lock(lock_key), self._connection() as connection:
                transaction = _Transaction(connection, connection.transaction(isolation="read_committed"))
                try:
                    await transaction.begin(lock_key)
                    yield transaction
                    await transaction.commit()
                except BaseException:
                    await transaction.rollback()
                    raise
                finally:
                    transaction.detach()
        finally:
            self._busy_tasks.discard(task)

    @asynccontextmanager
    async def read_transaction(self) -> AsyncIterator[_Transaction]:
        """Read one moment of the database; the server refuses whoever would change anything."""
        async with self._connection() as connection:
            transaction = _Transaction(connection, connection.transaction(isolation="repeatable_read", readonly=True))
            try:
                await transaction.begin(None)
                yield transaction
            finally:
                transaction.detach()
                await transaction.rollback()

    @asynccontextmanager
    async def _local_lock(self, lock_key: str | None) -> AsyncIterator[None]:
        if lock_key is None:
            yield
            return
        async with self._local_locks.setdefault(lock_key, asyncio.Lock()):
            yield

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["_Connection"]:
        with _translate_errors():
            connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            # What was committed stands, whatever becomes of the connection.
            with suppress(*_FAULTS):
                await self._pool.release(connection)

    async def wait_for_open_transactions(self) -> None:
        """Ask the server who is still in a transaction; one that hangs is ended by the settings above."""
        async with self.transaction() as connection:
            [(now,)] = await connection.fetch("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        while True:
            async with self.transaction() as connection:
                if not await connection.fetch(_OLDER_TRANSACTIONS, now, _SETTINGS["application_name"]):
                    return
            await asyncio.sleep(_RETRY_SECONDS)

    async def purge_deleted(self) -> None:
        """Leave it to the server: its vacuum clears away what was deleted, and all of it was sealed."""

    def translate_schema(self, script: str) -> str:
        """Say a step of the schema in PostgreSQL's words."""
        for word, own in _DIALECT:
            script = script.replace(word, own)
        return script

    @asynccontextmanager
    async def polling_lease(self, on_busy: OnBusy) -> AsyncIterator[StillHeld]:
        """Hold an advisory lock on a connection of its own: the server frees it when the connection falls."""
        with _translate_errors():
            connection = await asyncpg.connect(
                self._url, timeout=_CONNECT_SECONDS, command_timeout=_CONNECT_SECONDS, server_settings=_SETTINGS
            )

        async def still_mine() -> bool:
            try:
                await connection.fetchval("SELECT 1")
            except _FAULTS:
                return False
            return True

        try:
            await _wait_for_polling_lock(connection, on_busy)
            yield still_mine
        finally:
            # The lock falls with the connection, however that is closed.
            with suppress(*_FAULTS):
                await connection.close(timeout=_CLOSE_SECONDS)
            connection.terminate()


async def _wait_for_polling_lock(connection: "asyncpg.Connection[asyncpg.Record]", on_busy: OnBusy) -> None:
    told = False
    while True:
        with _translate_errors():
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _advisory_lock_id("polling")):
                return
        if not told:
            on_busy()
            told = True
        await asyncio.sleep(_RETRY_SECONDS)


@asynccontextmanager
async def open_postgres(url: str) -> AsyncIterator[PostgresDatabase]:
    """Open a PostgreSQL database; raises `StoreUnavailable`."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings=_SETTINGS,
        )
    except (*_FAULTS, ValueError) as error:
        raise StoreUnavailable(f"DATABASE_URL: cannot open the database ({_kind(error)})") from None
    try:
        yield PostgresDatabase(url, pool)
    finally:
        # All units are left by now; a server that is gone must not hold up the end.
        with suppress(*_FAULTS):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await pool.close()
        pool.terminate()


def _advisory_lock_id(key: str) -> int:
    """The number of a key's advisory lock; two keys with one number only wait for each other."""
    return int.from_bytes(hashlib.blake2b(f"realname-bot:{key}".encode(), digest_size=8).digest(), signed=True)


def _kind(error: BaseException) -> str:
    return type(error).__name__
