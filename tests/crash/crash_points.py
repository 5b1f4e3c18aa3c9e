"""The points at which a bot can crash, by name, and the target that chooses one of them.

A point is named by what is about to happen or just happened, and by how often it happened since the target was set:
`before COMMIT person #2`. Between two statements of a transaction nothing leaves the process, so "after" one is
"before" the next. The target is a file in a folder; the trail in the same folder lists every point passed.
"""

import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from storage import statements, support_statements
from storage.database import Body, Connection, Database, OnBusy, OnSilence, Row, StillHeld, T, Value, ignore_silence
from verification.ids import FrontEnd

NOWHERE = "nowhere"
_PERIODIC = frozenset({"claim", "sweep", "asks", "forget"})
_NAMED_LOCKS = _PERIODIC | {"schema", "keys"}
_NAMES = {
    text: name
    for module in (statements, support_statements)
    for name, text in vars(module).items()
    if isinstance(text, str)
}


class CrashTarget:
    """Where the bot crashes next: the test writes it, the bot reads it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "aim"
        self._trail = folder / "trail"
        self._generation = 0
        self._point = NOWHERE

    def take(self, point: str) -> None:
        """Let the bot crash at this point, counted from now on."""
        self._generation += 1
        self._point = point
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{self._generation} {point}", encoding="utf-8")
        fresh.replace(self._file)

    def drop(self) -> bool:
        """Remove the target; False when the bot has crashed at it already."""
        try:
            self._file.unlink()
        except FileNotFoundError:
            return False
        return True

    def is_due(self) -> bool:
        """Whether the bot crashes as soon as it learns that what it was about to do is done."""
        moment, _, what = self._point.partition(" ")
        return self._file.exists() and moment == "after" and f"before {what}" in self.passed()

    def passed(self) -> list[str]:
        """The points passed since the target was set."""
        if not self._trail.exists():
            return []
        lines = (line.partition(" ") for line in self._trail.read_text("utf-8").splitlines())
        return [point for generation, _, point in lines if generation == str(self._generation)]


class CrashPoints:
    """Counts points in the bot's process, and kills it at the target."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "aim"
        self._trail = os.open(folder / "trail", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._generation = ""
        self._counts: Counter[str] = Counter()

    def reach(self, what: str) -> None:
        """Pass a point, or crash at it."""
        try:
            generation, _, target = self._file.read_text("utf-8").partition(" ")
        except FileNotFoundError:
            return
        if generation != self._generation:
            self._generation = generation
            self._counts.clear()
        self._counts[what] += 1
        point = f"{what} #{self._counts[what]}"
        os.write(self._trail, f"{generation} {point}\n".encode())
        if point == target:
            self._file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


class PointListener(Protocol):
    """Is called at every point."""

    def reach(self, what: str) -> None:
        """Pass a point, or crash at it."""


class CrashPointDatabase:
    """A database with points in every transaction."""

    def __init__(self, database: Database, points: PointListener) -> None:
        self._database = database
        self._points = points
        self._found_old: bool | None = None
        self.counts = database.counts
        self.squashes_migrations = database.squashes_migrations

    async def run(self, body: Body[T], lock_key: str | None = None, *, soon: bool = True) -> T:
        """Run a body; periodic queries have points only after they found something."""
        scope = _lock_name(lock_key)
        periodic = scope in _PERIODIC
        counts = not periodic

        async def body_with_points(connection: Connection) -> T:
            nonlocal counts
            with_points = _CrashPointConnection(connection, self._points, scope, counts=not periodic)
            result = await body(with_points)
            counts = with_points.counts
            if scope == "forget":
                self._found_old = bool(self._found_old) or counts
            if counts:
                self._points.reach(f"before COMMIT {scope}")
            return result

        if counts:
            self._points.reach(f"before BEGIN {scope}")
        result = await self._database.run(body_with_points, lock_key, soon=soon)
        if counts:
            self._points.reach(f"after COMMIT {scope}")
        return result

    @asynccontextmanager
    async def transaction(self, lock_key: str | None = None) -> AsyncIterator[Connection]:
        """Open one; periodic queries have points only after they found something."""
        scope = _lock_name(lock_key)
        periodic = scope in _PERIODIC
        if not periodic:
            self._points.reach(f"before BEGIN {scope}")
        async with self._database.transaction(lock_key) as connection:
            with_points = _CrashPointConnection(connection, self._points, scope, counts=not periodic)
            yield with_points
            if with_points.counts:
                self._points.reach(f"before COMMIT {scope}")
        if with_points.counts:
            self._points.reach(f"after COMMIT {scope}")

    def read_transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Read; a crash here could lose nothing."""
        return self._database.read_transaction()

    async def wait_for_open_transactions(self) -> None:
        """Wait for every transaction that is open now."""
        await self._database.wait_for_open_transactions()

    async def purge_deleted(self) -> None:
        """Remove deleted data from the file; after a retention run that deleted nothing there is nothing to lose."""
        if self._found_old is not False:
            self._points.reach("before scrub")
        self._found_old = None
        await self._database.purge_deleted()

    def translate_schema(self, script: str) -> str:
        """Translate the schema for this database."""
        return self._database.translate_schema(script)

    def polling_lease(
        self, front_end: FrontEnd, on_busy: OnBusy, on_silence: OnSilence = ignore_silence
    ) -> AbstractAsyncContextManager[StillHeld]:
        """Hold the polling lease."""
        return self._database.polling_lease(front_end, on_busy, on_silence)


class _CrashPointConnection:
    def __init__(self, connection: Connection, points: PointListener, scope: str, *, counts: bool) -> None:
        self._connection = connection
        self._points = points
        self._scope = scope
        self.counts = counts

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        self._reach(statement)
        return self._seen(await self._connection.fetch(statement, *values))

    async def fetch_for_update(self, statement: str, *values: Value) -> Sequence[Row]:
        self._reach(statement)
        return self._seen(await self._connection.fetch_for_update(statement, *values))

    async def fetch_skip_locked(self, statement: str, *values: Value) -> Sequence[Row]:
        self._reach(statement)
        return self._seen(await self._connection.fetch_skip_locked(statement, *values))

    async def lock(self, key: str) -> None:
        await self._connection.lock(key)

    def _reach(self, statement: str) -> None:
        if self.counts:
            self._points.reach(f"before {self._scope} {_name(statement)}")

    def _seen(self, found: Sequence[Row]) -> Sequence[Row]:
        self.counts = self.counts or bool(found)
        return found


def _name(statement: str) -> str:
    return _NAMES.get(statement) or " ".join(re.findall(r"[A-Za-z_]+", statement)[:4])


def _lock_name(lock_key: str | None) -> str:
    """Whom a transaction's lock belongs to, without the part that differs from run to run."""
    if lock_key is None:
        return "nobody"
    family, _, rest = lock_key.partition(":")
    if family in _NAMED_LOCKS:
        return family
    return "person" if family == "telegram" else "code" if rest else "attempt"
