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
from chatscript.runner.bot_process import Clock, Launch, Running, base_environment
from chatscript.runner.event_waiter import Listener, Timing
from chatscript.runner.simulator_client import BotNews, SimClient
from playground.server.app import Playground, serving
from playground.world.world import World

TOKEN = "7000000001:stand-in-token-of-a-chat-script"  # noqa: S105 - it opens nothing but our own stand-in
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_LOG_LINES = 20


class DidNotStart(Exception):
    """The bot ended, or asked for no updates in time."""


@dataclass(slots=True)
class Stage:
    """A running bot in a playground of its own."""

    client: SimClient
    clock: Clock
    timing: Timing
    _launch: Launch
    _environment: Mapping[str, str]
    _log: Path
    _notes: Path
    _bot: Running | None = None
    _logged: int = 0
    listener: Listener = field(init=False)

    def __post_init__(self) -> None:
        self.listener = Listener(self.client, self.timing, self.alive)

    def alive(self) -> bool:
        """Whether the bot's process runs."""
        return self._bot is not None and self._bot.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """How the bot ended, if it did."""
        return self._bot.exit_code if self._bot else None

    async def start(self, settings: Mapping[str, str]) -> None:
        """Start the bot and wait until it asks for updates; `settings` come over its environment."""
        self._environment = {**self._environment, **settings}
        await self._run()

    async def crash(self) -> None:
        """Kill the bot, as kill -9 does, and start it again."""
        await self.stop()
        await self._run()

    async def stop(self) -> None:
        """Kill the bot for good."""
        if self._bot is not None:
            await self._bot.kill()

    def state(self) -> str | None:
        """Return the state that the bot noted last; None when it notes none."""
        return coverage.last_state(self._notes)

    def begin_step(self) -> None:
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
            self._bot = await self._launch.start(self._environment, self._log)
        except OSError as error:
            raise DidNotStart(f"the bot did not start: {error}") from None
        while loop.time() - since < self.timing.start:
            bot = await self.client.bot()
            if self._bot.exit_code is not None:
                raise _did_not_start(f"its process ended with exit code {self._bot.exit_code}", bot)
            # A poll of the process before a crash does not count.
            if bot.connected and (bot.polled_ago or 0) <= loop.time() - since:
                return
            await self.client.idle(0.2)  # returns as soon as a poll waits
        why = f"no getUpdates or setWebhook within {self.timing.start:g} s"
        raise _did_not_start(why, await self.client.bot())


def _did_not_start(why: str, bot: BotNews) -> DidNotStart:
    called = f"its last call was {bot.last_method}" if bot.last_method else "it called nothing at BOT_API_URL"
    return DidNotStart(f"the bot did not start: {why}; {bot.astray or called}")


@asynccontextmanager
async def stage(
    launch: Launch, timing: Timing, extra: Mapping[str, str] | None = None, *, noting: bool = False
) -> AsyncIterator[Stage]:
    """Build everything fresh, and leave nothing behind: no process, no folder, no port; `extra` is told to the bot.

    `noting` lets the bot note its states. Notes for all cases together are kept apart too, and put together at the end.
    """
    with tempfile.TemporaryDirectory(prefix="chat-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        data = home / "data"
        data.mkdir()
        clock = Clock(home / "clock")
        playground = Playground(World(token=TOKEN))
        async with serving(playground) as address, SimClient(address) as client:
            given = {
                "BOT_TOKEN": TOKEN,
                "BOT_API_URL": address,
                "DATA_DIR": str(data),
                "PORT": "0",
                "CLOCK_OFFSET_FILE": str(clock.path),
                "PACE_SENDING": "0",
                **(extra or {}),
            }
            notes, together = home / "coverage", given.get(coverage.VARIABLE)
            if noting or together:
                given[coverage.VARIABLE] = str(notes)
            built = Stage(client, clock, timing, launch, base_environment(os.environ) | given, home / "bot.log", notes)
            try:
                yield built
            finally:
                await built.stop()
                if together:
                    coverage.add(Path(together), notes)
