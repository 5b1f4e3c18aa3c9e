"""A bot that dies where it is told to and is started again at once, as a supervisor does."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from chatscript.runner.bot_process import BotLauncher, ClockOffsetFile
from playground.world.update_queue import UpdateQueue
from tests.crash import checker
from tests.crash.crash_points import NOWHERE, CrashTarget
from tests.crash.crashing_bot import TARGET_FOLDER
from tests.crash.database_view import DatabaseView
from tests.crash.process import ManagedBot
from tests.simulator_fixture import PATIENCE, Simulator

LEASE_SECONDS = 6
"""Longer than what a dead program leased stays leased."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """One death: whether anything was owed to people then, since only that may be said twice, and what it broke."""

    replies_pending: bool
    broken: Sequence[str]


class CrashingBot(ManagedBot):
    """A bot with an aim, and the books it keeps."""

    def __init__(self, town: Simulator, folder: Path, launch: BotLauncher, url: str = "", **settings: str) -> None:
        self.clock = ClockOffsetFile(folder / "clock")
        self.target = CrashTarget(folder)
        self.crashes: list[CrashReport] = []
        self._reviving: asyncio.Task[None] | None = None
        extra = {"DATABASE_URL": url} if url else {}
        super().__init__(
            town,
            folder,
            launch,
            CLOCK_OFFSET_FILE=str(self.clock.path),
            **{TARGET_FOLDER: str(folder)},
            **extra,
            **settings,
        )
        self.confirmed = confirmed_to(town.playground.world.updates)
        self.database = DatabaseView(url or f"sqlite:///{self.data}/bot.sqlite3")

    async def wait_until_started(self) -> None:
        """Wait until it has set its commands and descriptions, behind its first look for updates, or died before."""
        async with asyncio.timeout(PATIENCE):
            while not (self.crashes or "after setChatMenuButton #1" in self.target.passed()):  # noqa: ASYNC110 - no bell
                await asyncio.sleep(0.02)

    async def wait_until_settled(self, deaths: int) -> None:
        """Wait until all is quiet and the bot will not die of this aim any more; it had died so often before."""
        await self.wait_until_quiet()
        while not (len(self.crashes) > deaths or self.target.drop()):
            await self.wait_until_quiet()

    async def wait_until_quiet(self) -> None:
        """Wait until it has nothing in hand and owes nothing."""
        try:
            async with asyncio.timeout(2 * PATIENCE):
                while not self._idle or await self.database.pending_work():
                    await asyncio.sleep(0.02)
                    if self._reviving is not None and self._reviving.done():
                        self._reviving.result()
        except TimeoutError:
            owing = await self.database.pending_work()
            what = f"never quiet: {owing} owed, idle {self._idle}, {self.crashes}"
            raise AssertionError(f"{what}\n{self.output()}") from None

    async def _died(self) -> CrashReport:
        try:
            return CrashReport(await self.database.pending_work() > 0, await checker.check_invariants(self.database))
        except (sqlite3.OperationalError, asyncpg.UndefinedTableError):
            # It died before it had made its tables.
            return CrashReport(replies_pending=False, broken=())

    @property
    def _idle(self) -> bool:
        return self.town.playground.world.idle

    @asynccontextmanager
    async def running(self, aim: str = NOWHERE) -> AsyncIterator[None]:
        """Start it, start it again whenever it was killed, and leave none behind; it may be killed while it starts."""
        self.target.take(aim)
        try:
            await self.launch()
            self._reviving = asyncio.ensure_future(self._revive())
            await self.wait_until_started()
            yield
        finally:
            if self._reviving is not None:
                self._reviving.cancel()
                await asyncio.wait({self._reviving})
            await self.kill()
            await self.database.close()

    async def _revive(self) -> None:
        """Start it again at every death, and let the leases of the dead run out."""
        updates = self.town.playground.world.updates
        while (code := await self.ended()) == -signal.SIGKILL:
            death = await self._died()
            await self.town.wait_until(lambda: not updates.has_waiting_poll, lambda: "the dead bot polls")
            self.clock.advance(LEASE_SECONDS)
            await self.start()
            self.crashes.append(death)
        raise AssertionError(f"the bot ended with {code}\n{self.output()}")


def confirmed_to(updates: UpdateQueue) -> set[int]:
    """The updates that a bot confirms from now on; those that grew too old are none of them."""
    confirmed, confirm = set[int](), updates.confirm

    def noting(offset: int) -> None:
        confirmed.update(update.id for update in updates._pending if update.id < offset)
        confirm(offset)

    updates.confirm = noting  # type: ignore[method-assign]  # as good as before
    return confirmed
