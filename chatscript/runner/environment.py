"""What one case plays on: a fresh playground, a fresh bot process, its clock, its log, and the people."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chatscript import coverage
from chatscript.runner.bot_process import BotLauncher, BotProcess, ClockOffsetFile, base_environment
from chatscript.runner.event_waiter import EventWaiter, Timing
from chatscript.runner.simulator_client import BotStatus, SimulatorClient
from playground.server.app import Playground, serve_playground
from playground.world.world import World

TOKEN = "7000000001:stand-in-token-of-a-chat-script"  # noqa: S105 - it opens nothing but our own stand-in
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_LOG_LINES = 20


class BotStartFailed(Exception):
    """The bot ended, or asked for no updates in time."""


@dataclass(slots=True)
class CaseEnvironment:
    """A running bot in a playground of its own."""

    client: SimulatorClient
    clock: ClockOffsetFile
    timing: Timing
    _launcher: BotLauncher
    _variables: Mapping[str, str]
    _log: Path
    _notes: Path
    _bot: BotProcess | None = None
    _logged: int = 0
    listener: EventWaiter = field(init=False)

    def __post_init__(self) -> None:
        self.listener = EventWaiter(self.client, self.timing, self.alive)

    def alive(self) -> bool:
        """Whether the bot's process runs."""
        return self._bot is not None and self._bot.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """How the bot ended, if it did."""
        return self._bot.exit_code if self._bot else None

    async def start(self, settings: Mapping[str, str]) -> None:
        """Start the bot and wait until it asks for updates; `settings` come over its environment."""
        self._variables = {**self._variables, **settings}
        await self._run()

    async def crash(self) -> None:
        """Kill the bot, as kill -9 does, and start it again."""
        await self.stop()
        await self._run()

    async def stop(self) -> None:
        """Kill the bot for good."""
        if self._bot is not None:
            await self._bot.kill()

    def last_state(self) -> str | None:
        """Return the state that the bot noted last; None when it notes none."""
        return coverage.last_state(self._notes)

    def mark_log(self) -> None:
        """Remember where the log stands, so that a failure shows this step's lines."""
        self._logged = self._log.stat().st_size if self._log.exists() else 0

    def log_lines(self) -> list[str]:
        """Return the last lines that the bot wrote during this step."""
        if not self._log.exists():
            return []
        with self._log.open("rb") as log:
            log.seek(self._logged)
            text = log.read().decode(errors="replace")
        return [_UNPRINTABLE.sub("", line) for line in text.splitlines() if line.strip()][-_LOG_LINES:]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time()
        try:
            self._bot = await self._launcher.start(self._variables, self._log)
        except OSError as error:
            raise BotStartFailed(f"the bot did not start: {error}") from None
        while loop.time() - since < self.timing.start_timeout:
            bot = await self.client.bot_status()
            if self._bot.exit_code is not None:
                raise _bot_start_failed(f"its process ended with exit code {self._bot.exit_code}", bot)
            # A poll of the process before a crash does not count.
            if bot.connected and (bot.seconds_since_poll or 0) <= loop.time() - since:
                return
            await self.client.wait_idle(0.2)  # returns as soon as a poll waits
        why = f"no getUpdates or setWebhook within {self.timing.start_timeout:g} s"
        raise _bot_start_failed(why, await self.client.bot_status())


def _bot_start_failed(why: str, bot: BotStatus) -> BotStartFailed:
    called = f"its last call was {bot.last_method}" if bot.last_method else "it called nothing at BOT_API_URL"
    return BotStartFailed(f"the bot did not start: {why}; {bot.misdirected_call or called}")


@asynccontextmanager
async def case_environment(
    launcher: BotLauncher,
    timing: Timing,
    extra_environment: Mapping[str, str] | None = None,
    *,
    record_states: bool = False,
) -> AsyncIterator[CaseEnvironment]:
    """Build everything fresh, and leave nothing behind: no process, no folder, no port; `extra` is told to the bot.

    `noting` lets the bot note its states. Notes for all cases together are kept apart too, and put together at the end.
    """
    with tempfile.TemporaryDirectory(prefix="chat-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        data = home / "data"
        data.mkdir()
        clock = ClockOffsetFile(home / "clock")
        playground = Playground(World(token=TOKEN))
        async with serve_playground(playground) as address, SimulatorClient(address) as client:
            given = {
                "BOT_TOKEN": TOKEN,
                "BOT_API_URL": address,
                "DATA_DIR": str(data),
                "PORT": "0",
                "CLOCK_OFFSET_FILE": str(clock.path),
                "PACE_SENDING": "0",
                **(extra_environment or {}),
            }
            notes, together = home / "coverage", given.get(coverage.COVERAGE_VARIABLE)
            if record_states or together:
                given[coverage.COVERAGE_VARIABLE] = str(notes)
            built = CaseEnvironment(
                client, clock, timing, launcher, base_environment(os.environ) | given, home / "bot.log", notes
            )
            try:
                yield built
            finally:
                await built.stop()
                if together:
                    coverage.append_notes(Path(together), notes)
