"""The store's database: SQLite in memory, one for all processes of a story, with faults at any statement."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.flow.events import Event
from bot.flow.rows import Step
from bot.flow.states import State
from storage.database import Body, DatabaseCounts, OnBusy, OnSilence, Row, StillHeld, T, Value, ignore_silence
from storage.errors import StoreUnavailable
from storage.sqlite_group import MAX_DELAY_SECONDS, translate_errors
from tests.simulation.fault_schedule import DatabaseFault, FaultSchedule
from tests.simulation.process_life import ProcessLife
from verification.ids import FrontEnd


@dataclass(frozen=True, slots=True)
class ExecutedStatement:
    """An executed statement."""

    statement: str
    values: tuple[Value, ...]
    rows: Sequence[Row]


@dataclass(slots=True)
class Commit:
    """A transaction: its statements, and the steps the dialogue took within it."""

    statements: list[ExecutedStatement] = field(default_factory=list)
    steps: list[tuple[State, Event, Step]] = field(default_factory=list)

    def of(self, statement: str) -> Iterator[ExecutedStatement]:
        """Each execution of a statement."""
        return (done for done in self.statements if done.statement == statement)


class SimulatedDisk:
    """What survives a crash of the program; `committed` is called at every commit."""

    def __init__(self, committed: Callable[[Commit], None]) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._committed = committed
        self.open = Commit()
        self.holder: ProcessLife | None = None

    def run(self, statement: str, *values: Value) -> Sequence[Row]:
        """Execute a statement, in the open transaction or by itself."""
        named = {str(number): value for number, value in enumerate(values, 1)}
        with translate_errors():
            rows = self._connection.execute(statement, named).fetchall()
        self.open.statements.append(ExecutedStatement(statement, values, rows))
        return rows

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def begin(self) -> None:
        """Open a transaction."""
        self.open = Commit()
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Commit."""
        self._connection.execute("COMMIT")
        self._committed(self.open)

    def roll_back(self) -> None:
        """Roll back."""
        if self.is_open:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Leave nothing behind."""
        self._connection.close()


class SimulatedDatabase:
    """The database as one process of the program sees it."""

    squashes_migrations = False

    def __init__(self, disk: SimulatedDisk, faults: FaultSchedule, life: ProcessLife) -> None:
        self._disk = disk
        self._faults = faults
        self._life = life
        self._turn = asyncio.Lock()
        self.counts = DatabaseCounts()

    async def run(self, body: Body[T], lock_key: str | None = None, *, soon: bool = True) -> T:
        """Run a body; here it may suspend, so that faults happen between its statements."""
        if not soon:
            await self._life.gate()
            await asyncio.sleep(MAX_DELAY_SECONDS)
        async with self.transaction(lock_key) as connection:
            return await body(connection)

    @asynccontextmanager
    async def transaction(self, lock_key: str | None = None) -> AsyncIterator["_Transaction"]:
        """Open a transaction; since only one is open at a time, each holds every lock."""
        async with self._turn:
            transaction = _Transaction(self)
            try:
                await self.carry_out("BEGIN", self._disk.begin)
                yield transaction
                await self.carry_out("COMMIT", self._disk.commit)
            except BaseException:
                if not self._life.over:
                    self._disk.roll_back()
                raise
            finally:
                transaction.left = True

    @asynccontextmanager
    async def read_transaction(self) -> AsyncIterator["_Transaction"]:
        """Read between two transactions."""
        async with self._turn:
            transaction = _Transaction(self)
            try:
                yield transaction
            finally:
                transaction.left = True

    async def carry_out(self, statement: str, do: Callable[[], object]) -> None:
        await self._life.gate()
        await asyncio.sleep(self._faults.delay())
        await self._life.gate()
        fault = self._faults.next_database_fault(statement)
        if fault is DatabaseFault.DEATH:
            await self._life.die()
        if fault is DatabaseFault.DOWN:
            raise StoreUnavailable("the database does not answer")
        do()
        if fault is DatabaseFault.DEATH_DONE:
            await self._life.die()
        if fault is DatabaseFault.LOST:
            raise StoreUnavailable("the database does not answer any more")

    async def fetch(self, statement: str, values: tuple[Value, ...]) -> Sequence[Row]:
        found: list[Sequence[Row]] = []
        await self.carry_out(statement, lambda: found.append(self._disk.run(statement, *values)))
        return found[0]

    async def wait_for_open_transactions(self) -> None:
        """Wait for the open transaction."""
        async with self._turn:
            await self._life.gate()

    async def purge_deleted(self) -> None:
        """Do nothing: there is no file."""
        await self._life.gate()

    def translate_schema(self, script: str) -> str:
        """Return it unchanged: it is written for SQLite."""
        return script

    @asynccontextmanager
    async def polling_lease(
        self, front_end: FrontEnd, on_busy: OnBusy, on_silence: OnSilence = ignore_silence
    ) -> AsyncIterator[StillHeld]:
        """Hold the lease; it ends with its process."""
        del front_end, on_busy, on_silence
        await self._life.gate()
        holder = self._disk.holder
        assert holder is None or holder.over, "two lives at once"
        self._disk.holder = self._life

        async def still_mine() -> bool:
            return self._disk.holder is self._life

        try:
            yield still_mine
        finally:
            if not self._life.over:
                self._disk.holder = None


class _Transaction:
    def __init__(self, database: SimulatedDatabase) -> None:
        self._database = database
        self.left = False

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        assert not self.left, "this unit was left already"
        return await self._database.fetch(statement, values)

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(statement, *values)

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(statement, *values)

    async def lock(self, key: str) -> None:
        """Hold every lock already."""
