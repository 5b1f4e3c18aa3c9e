"""A bot that crashes at a chosen point and is restarted at once, as a supervisor does."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
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
"""Longer than the leases of a crashed program last."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """One crash: whether replies were pending, since only those may come twice, and what it broke."""

    replies_pending: bool
    broken: Sequence[str]


class CrashingBot(ManagedBot):
    """A bot with a crash target, and its database."""

    def __init__(self, simulator: Simulator, folder: Path, launch: BotLauncher, url: str = "", **settings: str) -> None:
        self.clock = ClockOffsetFile(folder / "clock")
        self.target = CrashTarget(folder)
        self.crashes: list[CrashReport] = []
        self._restarting: asyncio.Task[None] | None = None
        extra = {"DATABASE_URL": url} if url else {}
        super().__init__(
            simulator,
            folder,
            launch,
            CLOCK_OFFSET_FILE=str(self.clock.path),
            **{TARGET_FOLDER: str(folder)},
            **extra,
            **settings,
        )
        self.confirmed = confirmed_to(simulator.playground.world.updates)
        self.database = DatabaseView(url or f"sqlite:///{self.data}/bot.sqlite3")

    async def wait_until_started(self) -> None:
        """Wait until it has set its commands and descriptions, after its first poll, or has crashed before."""
        async with asyncio.timeout(PATIENCE):
            while not (self.crashes or "after setChatMenuButton #1" in self.target.passed()):  # noqa: ASYNC110 - nothing notifies
                await asyncio.sleep(0.02)

    async def wait_until_settled(self, crashes: int) -> None:
        """Wait until the bot is quiet and cannot crash at this target any more; `crashes` counts the crashes before."""
        await self.wait_until_quiet()
        # A commit and a call are seen from outside before the bot itself knows of them. A call that failed has no end.
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self.target.is_due():  # noqa: ASYNC110 - nothing notifies
                    await asyncio.sleep(0.02)
        while not (len(self.crashes) > crashes or self.target.drop()):
            await self.wait_until_quiet()

    async def wait_until_quiet(self) -> None:
        """Wait until it is idle and nothing is pending."""
        try:
            async with asyncio.timeout(2 * PATIENCE):
                while not self._idle or await self.database.pending_work():
                    await asyncio.sleep(0.02)
                    if self._restarting is not None and self._restarting.done():
                        self._restarting.result()
        except TimeoutError:
            owing = await self.database.pending_work()
            what = f"never quiet: {owing} owed, idle {self._idle}, {self.crashes}"
            raise AssertionError(f"{what}\n{self.output()}") from None

    async def _inspect_crash(self) -> CrashReport:
        try:
            return CrashReport(await self.database.pending_work() > 0, await checker.check_invariants(self.database))
        except (sqlite3.OperationalError, asyncpg.UndefinedTableError):
            # It crashed before it had created its tables.
            return CrashReport(replies_pending=False, broken=())

    @property
    def _idle(self) -> bool:
        return self.simulator.playground.world.idle

    @asynccontextmanager
    async def running(self, target: str = NOWHERE) -> AsyncIterator[None]:
        """Start it, restart it after every kill, also during its start, and leave none behind."""
        self.target.take(target)
        try:
            await self.launch()
            self._restarting = asyncio.ensure_future(self._restart())
            await self.wait_until_started()
            yield
        finally:
            if self._restarting is not None:
                self._restarting.cancel()
                await asyncio.wait({self._restarting})
            await self.kill()
            await self.database.close()

    async def _restart(self) -> None:
        """Restart it after every crash, and let the old leases expire."""
        updates = self.simulator.playground.world.updates
        while (code := await self.ended()) == -signal.SIGKILL:
            crash = await self._inspect_crash()
            await self.simulator.wait_until(lambda: not updates.has_waiting_poll, lambda: "the dead bot polls")
            self.clock.advance(LEASE_SECONDS)
            await self.start()
            self.crashes.append(crash)
        raise AssertionError(f"the bot ended with {code}\n{self.output()}")


def confirmed_to(updates: UpdateQueue) -> set[int]:
    """The updates that a bot confirms from now on, without those that expire."""
    confirmed, confirm = set[int](), updates.confirm

    def noting(offset: int) -> None:
        confirmed.update(update.id for update in updates._pending if update.id < offset)
        confirm(offset)

    updates.confirm = noting  # type: ignore[method-assign]  # same signature
    return confirmed
