"""The port of a database: what the store needs from SQLite or PostgreSQL."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, TypeVar

from verification.ids import FrontEnd

Value = str | int | bytes | None

Row = Sequence[Any]
"""Columns in the order of the statement; `mapping` gives them their types."""


OnBusy = Callable[[], None]
"""Called once, when another program holds the lease."""

OnSilence = Callable[[float], None]
"""Called again and again while another program holds the lease: for how many seconds it has shown no sign of life."""

StillHeld = Callable[[], Awaitable[bool]]
"""Whether this program still holds the lease; each call is a sign of life, which others see."""

TAKE_OVER_SECONDS = 10.0
"""A lease is taken from a holder without a sign of life for so long: it is stopped, or its event loop hangs."""


class HolderWatch:
    """How long the holder of a lease has shown no sign of life, measured with the clock of this process."""

    def __init__(self, on_silence: OnSilence, seconds: float = TAKE_OVER_SECONDS) -> None:
        self._on_silence = on_silence
        self._seconds = seconds
        self._sign: object = None
        self._since = monotonic()

    def is_silent(self, sign: object) -> bool:
        """Whether the holder is to be taken for dead, given its latest sign of life."""
        if sign != self._sign:
            self._sign, self._since = sign, monotonic()
        seconds = monotonic() - self._since
        self._on_silence(seconds)
        return seconds >= self._seconds


def ignore_silence(_: float) -> None:
    """Report nothing."""


def polling_lock(front_end: FrontEnd) -> str:
    """The name of a front end's polling lease; the first one keeps the name that it had when it was the only one."""
    return "polling" if front_end == "telegram" else f"polling-{front_end}"


class Connection(Protocol):
    """An open transaction."""

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        """Run one statement with these values for `$1`, `$2`… and return its rows.

        Raises `ConstraintViolated` when it breaks a rule of the schema, `StoreUnavailable` when the database fails.
        """

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        """Like `fetch`, and lock the rows: no other transaction changes them before this one ends."""

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        """Like `fetch_for_update`, but skip rows that another transaction has locked instead of waiting."""

    async def lock(self, key: str) -> None:
        """Hold this key's lock too, as `Database.transaction` does with its `lock_key`."""


T = TypeVar("T")

Body = Callable[[Connection], Coroutine[Any, Any, T]]
"""What one transaction does. It awaits nothing but its connection, because it may run whole in another thread."""


@dataclass(slots=True)
class DatabaseCounts:
    """What this process has asked of its database: commits that changed something, and round trips.

    A round trip goes to SQLite's thread or to PostgreSQL's server, and back. `on_commit` is called with the seconds
    that a commit took, maybe in another thread.
    """

    commits: int = 0
    round_trips: int = 0
    on_commit: Callable[[float], object] = lambda _: None


class Database(Protocol):
    """Runs transactions."""

    @property
    def counts(self) -> DatabaseCounts:
        """The counts since the start."""

    async def run(self, body: Body[T], lock_key: str | None = None, *, soon: bool = True) -> T:
        """Run a body as one transaction, and return its result once it is committed; an error rolls it back.

        Bodies that wait at the same time may be committed together; each takes effect whole or not at all, and in order
        of arrival. A body may run again when another one of its group has failed. The body of a caller that is
        cancelled while it waits does not run; later it commits all the same. With `soon=False` the body may wait a
        moment for others, to be committed with them.
        """

    def transaction(self, lock_key: str | None = None) -> AbstractAsyncContextManager[Connection]:
        """Open a transaction: leaving it commits; any exception, a cancellation too, rolls it back.

        For rare work that awaits other things in between: on SQLite nobody else writes meanwhile. Two transactions with
        the same `lock_key` never run at once; waiting ones run in order of arrival.
        """

    def read_transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Open a read-only transaction on a consistent snapshot; writers do not wait for it."""

    async def wait_for_open_transactions(self) -> None:
        """Wait until every transaction that is open now, in any of our programs, has ended."""

    async def purge_deleted(self) -> None:
        """Remove deleted content from the files too, as far as the database can."""

    squashes_migrations: bool
    """Whether a new database gets its schema at once, and not by all migrations in turn."""

    def translate_schema(self, script: str) -> str:
        """Translate a migration, which is written in SQLite's dialect, to this database's dialect."""

    def polling_lease(
        self, front_end: FrontEnd, on_busy: OnBusy, on_silence: OnSilence = ignore_silence
    ) -> AbstractAsyncContextManager[StillHeld]:
        """Wait for a front end's polling lease, and hold it until left; a crash frees it.

        A holder that shows no sign of life for `TAKE_OVER_SECONDS` loses it to the program that waits.
        """


async def fetch_alone(database: Database, statement: str, *values: Value, lock_key: str | None = None) -> Sequence[Row]:
    """Run one statement as a transaction of its own, and return its rows."""

    async def fetch(connection: Connection) -> Sequence[Row]:
        return await connection.fetch(statement, *values)

    return await database.run(fetch, lock_key)
