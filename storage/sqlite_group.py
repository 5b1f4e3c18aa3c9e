"""Group commit: transactions that wait at the same time share one commit, and so one write to the disk.

The bodies of a group run one after the other in the thread of the connection. They are driven there in one go, because
a body awaits only its connection, which never suspends. Callers are answered after the commit. When a body fails after
it wrote something, the group is rolled back and the other bodies run once more, so an error takes back one body and no
other: a body changes nothing but the database, and may run again. What fails the whole group (a full disk, a lock that
another program holds) fails every caller in it, as an outage.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from storage.database import Connection, DatabaseCounts, Row, Value
from storage.errors import ConstraintViolated, StoreUnavailable
from verification.errors import describe_error

MAX_GROUP_SECONDS = 0.01
"""A group takes no further body after this time, because the first of its callers already waits for the commit."""
MAX_DELAY_SECONDS = 0.2
"""The longest time that a body waits for others to be committed with it."""

InThread = Callable[[Callable[[sqlite3.Connection], None]], Awaitable[None]]
"""Runs a function in the connection's thread, while nobody else uses the connection."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise the errors of SQLite as those of the store."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(error) from error


def _translated(error: sqlite3.DatabaseError) -> ConstraintViolated | StoreUnavailable:
    return (ConstraintViolated if isinstance(error, sqlite3.IntegrityError) else StoreUnavailable)(str(error))


# Without a repr: aiosqlite logs what it executes.
@dataclass(slots=True, eq=False, repr=False)
class _Job:
    body: Callable[[Connection], Coroutine[Any, Any, Any]]
    answer: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SoleConnection(ABC):
    """The connection of the only transaction at a time: every row is locked for it, and it holds every key."""

    @abstractmethod
    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        """Run one statement, as `Connection.fetch` says."""

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(statement, *values)

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        return await self.fetch(statement, *values)

    async def lock(self, key: str) -> None:
        del key


_NUMBERS = tuple(map(str, range(1, 100)))


def named(values: Sequence[Value]) -> Mapping[str, Value]:
    """The values for `$1`, `$2`…: SQLite takes these for names, so a statement needs no rewriting."""
    return dict(zip(_NUMBERS, values, strict=False))


@dataclass(slots=True)
class _BodyConnection(SoleConnection):
    """The connection as one body sees it, in the connection's thread; it cannot be used after the body has ended."""

    connection: sqlite3.Connection | None

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        if self.connection is None:
            raise RuntimeError("this unit was left already")
        # Every statement of a turn passes here; a context manager would cost a fifth of it.
        try:
            return self.connection.execute(statement, named(values)).fetchall()
        except sqlite3.DatabaseError as error:
            raise _translated(error) from error


@dataclass(slots=True)
class GroupCommit:
    """The line of bodies that wait for the writing connection."""

    in_thread: InThread
    counts: DatabaseCounts
    _waiting: deque[_Job] = field(default_factory=deque)
    _worker: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _closed: bool = False

    async def run(self, body: Callable[[Connection], Coroutine[Any, Any, Any]], *, soon: bool) -> Any:
        """Run a body in the next group, and return its result once that is committed."""
        if self._closed:
            raise StoreUnavailable("the database is closed")
        loop = asyncio.get_running_loop()
        job = _Job(body, loop.create_future())
        self._waiting.append(job)
        if soon:
            self._start()
        elif self._worker is None and self._timer is None:
            self._timer = loop.call_later(MAX_DELAY_SECONDS, self._start)
        return await job.answer

    async def close(self) -> None:
        """Commit what waits, and refuse what comes later."""
        self._closed = True
        self._start()
        if self._worker is not None:
            await self._worker

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._worker is None and self._waiting:
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                done: list[_Job] = []
                try:
                    await self.in_thread(partial(self._run_group, done=done, clock=asyncio.get_running_loop().time))
                except BaseException as error:
                    # The connection is closed, or the worker is cancelled: nobody may wait for ever.
                    for job in (*done, *self._waiting):
                        job.error = StoreUnavailable(f"the database does not answer ({describe_error(error)})")
                    done += self._waiting
                    self._waiting.clear()
                for job in done:
                    _answer(job)
        finally:
            self._worker = None

    def _run_group(self, connection: sqlite3.Connection, *, done: list[_Job], clock: Callable[[], float]) -> None:
        """Run waiting bodies until none is left or the time is up, and commit them; runs in the connection's thread."""
        changes = connection.total_changes
        try:
            connection.execute("BEGIN IMMEDIATE")
            until = clock() + MAX_GROUP_SECONDS
            while self._waiting and (not done or clock() < until):
                job = self._waiting.popleft()
                if not job.answer.cancelled():
                    done.append(job)
                    if not _run_body(connection, job):
                        _run_again(connection, done)
            began = clock()
            connection.execute("COMMIT")
            self.counts.on_commit(clock() - began)
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not done:
                # They all have waited as long as SQLite does for a lock: nobody waits for a second time.
                done += self._waiting
                self._waiting.clear()
            for job in done:
                job.error = StoreUnavailable(str(error))
        self.counts.round_trips += 1
        self.counts.commits += connection.total_changes > changes


def _run_again(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> None:
    """Begin the group anew without the bodies that have failed, because the last of them left something behind.

    Errors are rare: this costs less than a savepoint for each body.
    """
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    for job in jobs:
        if job.error is None and not _run_body(connection, job):
            return _run_again(connection, jobs)
    return None


def _run_body(connection: sqlite3.Connection, job: _Job) -> bool:
    """Run one body; False when it failed and may have written something."""
    unit = _BodyConnection(connection)
    changes = connection.total_changes
    try:
        job.result = _drive(job.body(unit))
    except BaseException as error:
        job.error = error
        return connection.in_transaction and connection.total_changes == changes
    finally:
        unit.connection = None
    return True


def _drive(body: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never suspends."""
    try:
        body.send(None)
    except StopIteration as done:
        return done.value
    body.close()
    raise RuntimeError("a transaction inside a transaction, or one that waits for something else than its unit")


def _answer(job: _Job) -> None:
    if job.answer.done():
        return
    if job.error is None:
        job.answer.set_result(job.result)
    else:
        job.answer.set_exception(job.error)
