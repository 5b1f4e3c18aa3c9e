"""What a database must be able to do to stand under the store; everything above it is shared."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Value = str | int | bytes | None

Row = Sequence[Any]
"""Columns in the order of the statement; `rows` gives them their types."""


OnBusy = Callable[[], None]
"""Told once, when another program holds what is waited for."""

StillHeld = Callable[[], Awaitable[bool]]
"""Whether what was won is still held."""


class Connection(Protocol):
    """An open transaction."""

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        """Run one statement whose `$1`, `$2`… are these values, and give its rows.

        Raises `SchemaRefused` when it breaks a rule of the schema, `StoreUnavailable` when the database fails.
        """

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        """Do as `fetch` does; nobody else changes these rows before this transaction ends."""

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        """Do as `fetch_locked` does, but leave out the rows somebody else is changing, and wait for nobody."""


class Database(Protocol):
    """A place that runs transactions."""

    def transaction(self, lock_key: str | None = None) -> AbstractAsyncContextManager[Connection]:
        """Open a transaction: leaving commits, any exception rolls back, a cancellation too.

        Two transactions with the same `alone_with` never run at once; those who wait are served in order.
        """

    def read_transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Open a transaction that changes nothing: it sees one moment, and nobody who writes waits for it."""

    async def wait_for_open_transactions(self) -> None:
        """Wait until every transaction that is open now, of whatever program of ours, has ended."""

    async def purge_deleted(self) -> None:
        """Let what was deleted vanish from the files too, as far as the database can."""

    def translate_schema(self, script: str) -> str:
        """Say a step of the schema, which is written in SQLite's words, in this database's own."""

    def polling_lease(self, on_busy: OnBusy) -> AbstractAsyncContextManager[StillHeld]:
        """Wait for the one turn of this database to poll, and hold it until left or dead."""
