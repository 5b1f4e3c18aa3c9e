"""The PostgreSQL database: a pool of connections, and one transaction per unit.

A `lock_key` is an advisory lock of the transaction: it holds among all programs on the database and ends with the
transaction, however that ends. Within this process, units with the same key queue before they take a connection. They
run in order, and many units with one key leave the pool to other keys. Error messages never quote the server: its
details hold values, and its address may hold a password.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import asyncpg

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
from storage.errors import ConstraintViolated, StoreUnavailable
from verification.errors import describe_error
from verification.ids import FrontEnd

if TYPE_CHECKING:
    # These classes are generic only in the type stubs.
    from asyncpg.pool import Pool, PoolConnectionProxy

    _Connection = PoolConnectionProxy[asyncpg.Record]

_CONNECTIONS = 10
_CONNECT_SECONDS = 10
_COMMAND_SECONDS = 30
_CLOSE_SECONDS = 2
_RETRY_SECONDS = 1
_SETTINGS = {
    "application_name": "realname-bot",
    "lock_timeout": "10s",
    # This frees the locks of a program that hangs inside a unit, or of a machine that is lost.
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_DIALECT = (
    ("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    (" INTEGER", " BIGINT"),
    (" BLOB", " BYTEA"),
    # Byte order, as in SQLite: an upgrade of the system's locales does not break an index.
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
_POLLING_NAME = "realname-bot-polling"
"""The name of the connection that holds the polling lease. A holder of an earlier release has another, and stays."""
# Every statement on the holder's connection is a sign of life. A role that may not see it sees NULL.
_LOCK_HOLDER = """
SELECT pid, query_start FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND classid::bigint = $1 AND objid::bigint = $2 AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND application_name = $3 AND query_start IS NOT NULL
"""
# asyncpg raises InternalClientError for a connection that ended while it was idle.
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
    """The connection as one transaction sees it; it cannot be used after the transaction has ended."""

    def __init__(self, connection: "_Connection", counts: DatabaseCounts) -> None:
        self._connection: _Connection | None = connection
        self._counts = counts
        self._broken = False

    async def begin(self, mode: str, lock_key: str | None) -> None:
        """Begin, and take the lock in the same round trip."""
        lock = "" if lock_key is None else f"; SELECT pg_advisory_xact_lock({_advisory_lock_id(f'unit:{lock_key}')})"
        await self._execute(f"BEGIN ISOLATION LEVEL {mode}{lock}")

    async def commit(self) -> None:
        if self._broken:
            # After a failed statement PostgreSQL silently turns COMMIT into ROLLBACK.
            raise ConstraintViolated("a statement of this unit was refused, so the unit cannot commit")
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._execute("COMMIT")
        self._counts.on_commit(clock() - began)
        self._counts.commits += 1

    async def rollback(self) -> None:
        # When the connection is lost, the server has rolled back already.
        with suppress(StoreUnavailable):
            await self._execute("ROLLBACK")

    async def _execute(self, statement: str) -> None:
        assert self._connection is not None  # noqa: S101 - it is taken away after the last of these statements
        self._counts.round_trips += 1
        with _translate_errors():
            await self._connection.execute(statement)

    def detach(self) -> None:
        self._connection = None

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        if self._connection is None:
            raise RuntimeError("this unit was left already")
        try:
            self._counts.round_trips += 1
            with _translate_errors():
                rows = await self._connection.fetch(statement, *values)
        except BaseException:
            self._broken = True
            raise
        return [tuple(row) for row in rows]

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(f"{statement} FOR UPDATE", *values)

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(f"{statement} FOR UPDATE SKIP LOCKED", *values)

    async def lock(self, key: str) -> None:
        await self.fetch("SELECT pg_advisory_xact_lock($1)", _advisory_lock_id(f"unit:{key}"))


class PostgresDatabase:
    """An open PostgreSQL database."""

    # Later migrations may name what PostgreSQL named after a table or column that has another name since.
    squashes_migrations = False

    def __init__(self, url: str, pool: "Pool[asyncpg.Record]") -> None:
        self._url = url
        self._pool = pool
        self.counts = DatabaseCounts()
        self._local_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._busy_tasks: set[asyncio.Task[object] | None] = set()

    async def run(self, body: Body[T], lock_key: str | None = None, *, soon: bool = True) -> T:
        """Run a body on a connection of the pool; the server commits transactions of different connections together."""
        del soon
        async with self.transaction(lock_key) as connection:
            return await body(connection)

    @asynccontextmanager
    async def transaction(self, lock_key: str | None = None) -> AsyncIterator[_Transaction]:
        """Open a transaction; with a key it holds that key's lock in the whole database."""
        task = asyncio.current_task()
        if task in self._busy_tasks:
            raise RuntimeError("a unit inside a unit might wait for itself")
        self._busy_tasks.add(task)
        try:
            async with self._local_lock(lock_key), self._connection() as connection:
                transaction = _Transaction(connection, self.counts)
                try:
                    await transaction.begin("READ COMMITTED", lock_key)
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
        """Open a read-only snapshot; the server refuses writes in it."""
        async with self._connection() as connection:
            transaction = _Transaction(connection, self.counts)
            try:
                await transaction.begin("REPEATABLE READ READ ONLY", None)
                yield transaction
            finally:
                await transaction.rollback()
                transaction.detach()

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
            # A failure here must not hide that the transaction is committed.
            with suppress(*_FAULTS):
                await self._pool.release(connection)

    async def wait_for_open_transactions(self) -> None:
        """Ask the server for open transactions; the settings above end one that hangs."""
        async with self.transaction() as connection:
            [(now,)] = await connection.fetch("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        while True:
            async with self.transaction() as connection:
                if not await connection.fetch(_OLDER_TRANSACTIONS, now, _SETTINGS["application_name"]):
                    return
            await asyncio.sleep(_RETRY_SECONDS)

    async def purge_deleted(self) -> None:
        """Do nothing: the server's vacuum removes deleted rows, and all their secrets were sealed."""

    def translate_schema(self, script: str) -> str:
        """Translate a migration to PostgreSQL's dialect."""
        for sqlite, postgres in _DIALECT:
            script = script.replace(sqlite, postgres)
        return script

    @asynccontextmanager
    async def polling_lease(
        self, front_end: FrontEnd, on_busy: OnBusy, on_silence: OnSilence = ignore_silence
    ) -> AsyncIterator[StillHeld]:
        """Hold an advisory lock on a separate connection: the server frees it when the connection ends."""
        with _translate_errors():
            connection = await asyncpg.connect(
                self._url,
                timeout=_CONNECT_SECONDS,
                command_timeout=_CONNECT_SECONDS,
                server_settings=_SETTINGS | {"application_name": _POLLING_NAME},
            )

        async def still_held() -> bool:
            try:
                await connection.fetchval("SELECT 1")
            except _FAULTS:
                return False
            return True

        try:
            lock_id = _advisory_lock_id(polling_lock(front_end))
            await _wait_for_polling_lock(connection, lock_id, on_busy, HolderWatch(on_silence))
            yield still_held
        finally:
            # The lock ends with the connection, even when it cannot be closed properly.
            with suppress(*_FAULTS):
                await connection.close(timeout=_CLOSE_SECONDS)
            connection.terminate()


async def _wait_for_polling_lock(
    connection: "asyncpg.Connection[asyncpg.Record]", lock_id: int, on_busy: OnBusy, watch: HolderWatch
) -> None:
    announced = False
    while True:
        with _translate_errors():
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_id):
                return
            holder = await connection.fetchrow(_LOCK_HOLDER, *divmod(lock_id % 2**64, 2**32), _POLLING_NAME)
            if holder is not None and watch.is_silent(tuple(holder)):
                # Its lock ends with its connection, and so it learns that it has lost it.
                await connection.execute("SELECT pg_terminate_backend($1)", holder["pid"])
        if not announced:
            on_busy()
            announced = True
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
            reset=_nothing_to_reset,
        )
    except (*_FAULTS, ValueError) as error:
        raise StoreUnavailable(f"DATABASE_URL: cannot open the database ({_kind(error)})") from None
    try:
        yield PostgresDatabase(url, pool)
    finally:
        # All units have ended by now; a lost server must not delay the shutdown.
        with suppress(*_FAULTS):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await pool.close()
        pool.terminate()


async def _nothing_to_reset(_: object) -> None:
    """Save a round trip: a connection keeps nothing from one transaction to the next."""


def _advisory_lock_id(key: str) -> int:
    """The id of a key's advisory lock; if two keys share an id, their units only wait for each other."""
    return int.from_bytes(hashlib.blake2b(f"realname-bot:{key}".encode(), digest_size=8).digest(), signed=True)


def _kind(error: BaseException) -> str:
    return describe_error(error)
