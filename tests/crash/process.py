"""The bot as a separate process that can be killed at any moment and started again on the same data.

Where the system can, it is forked out of a process that has imported it already: a start then costs a tenth.
"""

import asyncio
import atexit
import json
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from functools import cache
from pathlib import Path

from bot.testing.fork_client import ForkClient
from chatscript.runner.bot_process import BotLauncher, BotProcess, CommandLauncher, base_environment
from tests.crash.crashing_bot import ARGUMENTS
from tests.simulator_fixture import PATIENCE, TOKEN, Simulator

ROOT = Path(__file__).parents[2]
RUN_BOT = ROOT / "run_bot.py"
PLAIN_LAUNCHER = CommandLauncher.python(RUN_BOT)
"""The bot as people start it."""


@cache
def fork_client() -> ForkClient:
    """The fork server of this process, shared by all tests."""
    opened = ForkClient((sys.executable, "-m", "tests.crash.crashing_bot"))
    atexit.register(opened.close)
    return opened


class ManagedBot:
    """A bot that can be killed and restarted; what must survive is in its folder."""

    def __init__(
        self, simulator: Simulator, folder: Path, launcher: BotLauncher | None = None, /, **settings: str
    ) -> None:
        self.simulator = simulator
        self.launcher = launcher or _quickest()
        # No other program gets the port while the bot is down: codes that were shown before contain it.
        port = bound()
        weakref.finalize(self, port.close)
        self.data = folder / "data"
        self.data.mkdir()
        self.log = folder / "log"
        self.env = base_environment(os.environ) | {
            "BOT_TOKEN": TOKEN,
            "BOT_API_URL": simulator.url,
            "DATA_DIR": str(self.data),
            "PORT": str(port.getsockname()[1]),
            "RATE_LIMIT_SENDING": "0",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        self._running: BotProcess | None = None

    async def start(self) -> None:
        """Start it, and wait until it asks for updates."""
        world = self.simulator.playground.world
        await self.launch()
        await self.simulator.wait_until(
            lambda: world.updates.has_waiting_poll or world.updates.webhook_active,
            lambda: f"the bot does not start\n{self.output()}",
        )

    async def launch(self) -> None:
        """Start it, and do not wait."""
        self._running = await self.launcher.start(self.env, self.log)

    async def kill(self) -> None:
        """Kill it between any two of its steps."""
        if self._running is not None:
            await self.kill_without_waiting()
            # The simulator notices when the connection closes.
            await self.simulator.wait_until(
                lambda: not self.simulator.playground.world.updates.has_waiting_poll, lambda: "the dead bot polls"
            )

    async def kill_without_waiting(self) -> None:
        """Kill it where another program may poll at once."""
        if self._running is not None:
            await self._running.kill()
        self._running = None

    async def kill_and_restart(self) -> None:
        """Kill it and start it again."""
        await self.kill()
        await self.start()

    async def wait_until_shown(self) -> None:
        """Wait until the bot has recorded all answers as shown: until then, it may send the last one twice."""
        async with asyncio.timeout(PATIENCE):
            await self.simulator.wait_until_idle()
            while self._pending_replies():  # noqa: ASYNC110 - a database cannot notify
                await asyncio.sleep(0.01)

    def _pending_replies(self) -> int:
        with closing(sqlite3.connect(self.data / "bot.sqlite3")) as database:
            [(owing,)] = database.execute("SELECT count(*) FROM dialogues WHERE shown < revision").fetchall()
        return int(owing)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._running is not None
        return self._running.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; one that has ended already takes none."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        assert self._running is not None
        return await self._running.wait()

    async def run_command(self, *words: str) -> tuple[int, str]:
        """Run an operator's command with its settings; return the exit code and the output."""
        if not isinstance(self.launcher, ForkClient):
            command = await self.start_command(*words)
            said, _ = await command.communicate()
            return command.returncode or 0, said.decode()
        with tempfile.NamedTemporaryFile() as log:
            forked = await self.launcher.start(self.env | {ARGUMENTS: json.dumps(words)}, Path(log.name))
            return await forked.wait(), log.read().decode()

    async def start_command(self, *words: str) -> asyncio.subprocess.Process:
        """Start an operator's command with its settings."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(RUN_BOT),
            *words,
            env=self.env,
            cwd=self.data,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def output(self) -> str:
        """Everything it printed."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def address(self) -> str:
        """Where its pages are, as printed at its last start."""
        return self.output().split("phone pages at ")[-1].split()[0]


def _quickest() -> BotLauncher:
    return fork_client() if hasattr(os, "fork") else PLAIN_LAUNCHER


def free_port() -> int:
    """A port that is free now."""
    with bound() as probe:
        return int(probe.getsockname()[1])


def bound() -> socket.socket:
    """A socket that reserves a port without listening: the system gives it to no program that asks for any port."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


@asynccontextmanager
async def running_bot_process(
    simulator: Simulator, folder: Path, launcher: BotLauncher | None = None, /, **settings: str
) -> AsyncIterator[ManagedBot]:
    """Start a bot, and leave none behind."""
    bot = ManagedBot(simulator, folder, launcher, **settings)
    try:
        await bot.start()
        yield bot
    finally:
        await bot.kill()
