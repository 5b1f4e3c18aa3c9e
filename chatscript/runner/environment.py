"""The environment of one case: a new simulator, a new bot process, its clock and its log."""

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
from chatscript.runner.process_state import is_asleep
from chatscript.runner.simulator_client import BotStatus, SimulatorClient, ask_in_process
from playground.server.app import Playground, serve_playground
from playground.world.world import World

TOKEN = "7000000001:simulator-token-of-a-chat-script"  # noqa: S105 - valid for the simulator only
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_LOG_LINES = 20
_LONGEST_LOG = 100
_TRACEBACK = "Traceback (most recent call last)"


class BotStartFailed(Exception):
    """The bot ended, or asked for no updates within the timeout."""


@dataclass(slots=True)
class CaseEnvironment:
    """A bot process and the simulator that it talks to."""

    client: SimulatorClient
    clock: ClockOffsetFile
    timing: Timing
    _launcher: BotLauncher
    _variables: Mapping[str, str]
    _log: Path
    _notes: Path
    _bot: BotProcess | None = None
    _logged: int = 0
    _refused: int = 0
    listener: EventWaiter = field(init=False)

    def __post_init__(self) -> None:
        self.listener = EventWaiter(self.client, self.timing, self.alive)

    def alive(self) -> bool:
        """Whether the bot's process runs."""
        return self._bot is not None and self._bot.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the bot, or None while it runs."""
        return self._bot.exit_code if self._bot else None

    async def start(self, settings: Mapping[str, str]) -> None:
        """Start the bot with further variables and wait until it asks for updates. Raises `BotStartFailed`."""
        self._variables = {**self._variables, **settings}
        await self._run()

    async def crash(self) -> None:
        """Kill the bot with SIGKILL and start it again. Raises `BotStartFailed`."""
        await self.stop()
        await self._run()

    async def stop(self) -> None:
        """Kill the bot."""
        if self._bot is not None:
            await self._bot.kill()

    async def wait_until_asleep(self) -> None:
        """Wait until the bot has handled the answers to its calls, too, or for the moment that a person takes to read.

        Many bots store the state of a dialogue after they have sent a question, often in another thread. No person
        answers as fast as a script, so a bot that would lose such an answer is not wrong.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timing.reading
        await self.client.wait_idle(self.timing.reading)
        asleep = 0
        # Twice, because the answer to the last call may be on its way when the program sleeps for the first time.
        while self._bot is not None and asleep < 2 and loop.time() < deadline:
            await asyncio.sleep(0.001)
            asleep = asleep + 1 if is_asleep(self._bot.pid) else 0

    def last_state(self) -> str | None:
        """Return the state that the bot wrote last, or None."""
        return coverage.last_state(self._notes)

    def mark_log(self) -> None:
        """Mark the end of the log, so that a failure shows only the lines and refusals of the current step."""
        self._refused = len(self.listener.refusals)
        self._logged = self._log.stat().st_size if self._log.exists() else 0

    def log_lines(self) -> list[str]:
        """Return the last lines that the bot wrote since `mark_log`; a traceback is not cut."""
        if not self._log.exists():
            return []
        with self._log.open("rb") as log:
            log.seek(self._logged)
            text = log.read().decode(errors="replace")
        return last_lines([_UNPRINTABLE.sub("", line) for line in text.splitlines() if line.strip()])

    def refusals(self) -> list[str]:
        """Return the calls that were refused since `mark_log`."""
        return self.listener.refusals[self._refused :]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            self._bot = await self._launcher.start(self._variables, self._log)
        except FileNotFoundError as error:
            raise BotStartFailed(f"the bot did not start: there is no program {error.filename}") from None
        except OSError as error:
            raise BotStartFailed(f"the bot did not start: {error}") from None
        while loop.time() - started < self.timing.start_timeout:
            bot = await self.client.bot_status()
            if self._bot.exit_code is not None:
                raise _bot_start_failed(f"its process ended with exit code {self._bot.exit_code}", bot)
            # A poll of the process that crashed before does not count.
            if bot.connected and (bot.seconds_since_poll or 0) <= loop.time() - started:
                return
            await self.client.wait_idle(0.2)  # returns as soon as a poll waits
        reason = (
            f"no getUpdates or setWebhook within {self.timing.start_timeout:g} s (a slow start: --start-within 120)"
        )
        raise _bot_start_failed(reason, await self.client.bot_status())


def last_lines(lines: list[str]) -> list[str]:
    """Return the last lines of a log. A traceback near its end is whole, up to a length."""
    first = max(len(lines) - _LOG_LINES, 0)
    longest = range(max(len(lines) - _LONGEST_LOG, 0), first)
    first = next((at for at in reversed(longest) if lines[at].startswith(_TRACEBACK)), first)
    return [f"... ({first} lines before)", *lines[first:]] if first else lines


def _bot_start_failed(reason: str, bot: BotStatus) -> BotStartFailed:
    last_call = f"its last call was {bot.last_method}" if bot.last_method else "it called nothing at BOT_API_URL"
    return BotStartFailed(f"the bot did not start: {reason}; {bot.misdirected_call or last_call}")


@asynccontextmanager
async def case_environment(
    launcher: BotLauncher,
    timing: Timing,
    extra_environment: Mapping[str, str] | None = None,
    *,
    record_states: bool = False,
    keep_answers: bool = False,
) -> AsyncIterator[CaseEnvironment]:
    """Start a simulator and yield the environment. At the end, no process, folder or port is left.

    The bot gets `extra_environment` too. `record_states` makes it write its states. When the extra environment names a
    coverage file for all cases, the bot writes to a file of its own, which is appended to that file at the end.
    """
    with tempfile.TemporaryDirectory(prefix="chat-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        data = home / "data"
        data.mkdir()
        clock = ClockOffsetFile(home / "clock")
        playground = Playground(World(token=TOKEN))
        playground.world.traffic.keeps_answers = keep_answers
        client = SimulatorClient(ask_in_process(playground.app))
        async with serve_playground(playground) as address:
            variables = {
                "BOT_TOKEN": TOKEN,
                "BOT_API_URL": address,
                "DATA_DIR": str(data),
                "PORT": "0",
                "CLOCK_OFFSET_FILE": str(clock.path),
                "RATE_LIMIT_SENDING": "0",
                **(extra_environment or {}),
            }
            notes, total = home / "coverage", variables.get(coverage.COVERAGE_VARIABLE)
            if record_states or total:
                variables[coverage.COVERAGE_VARIABLE] = str(notes)
            environment = CaseEnvironment(
                client, clock, timing, launcher, base_environment(os.environ) | variables, home / "bot.log", notes
            )
            try:
                yield environment
            finally:
                await environment.stop()
                if total:
                    coverage.append_notes(Path(total), notes)
