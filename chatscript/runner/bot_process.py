"""Starts and kills the bot under test, and moves its clock.

Any bot in any language: it is told everything by its environment, and its output goes to a log file.
The environment is made fresh, so that neither a developer's variables nor a .env file leak into a test.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self


class BotProcess(Protocol):
    """A bot process."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""

    async def kill(self) -> None:
        """End it at once and wait until it is gone; also fine when it has ended already."""

    async def wait(self) -> int:
        """Wait until it ends and return its exit code."""


class BotLauncher(Protocol):
    """A way to start the bot."""

    async def start(self, env: Mapping[str, str], log: Path) -> BotProcess:
        """Start it with exactly this environment, its output appended to the log."""


_SYSTEM = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")
_PYTHON = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONWARNINGS", "SSL_CERT_FILE", "SSL_CERT_DIR")
_INHERITED = frozenset(_SYSTEM + _PYTHON)


def base_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """Keep of an environment what any program needs, and nothing that configures a bot."""
    kept = {name: value for name, value in outer.items() if name in _INHERITED}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


@dataclass(frozen=True, slots=True)
class CommandLauncher:
    """Starts a command as a process of its own, in its own group; by default in the bot's empty data folder."""

    arguments: Sequence[str]
    folder: Path | None = None

    @classmethod
    def python(cls, program: Path) -> Self:
        """Run a Python program with this very interpreter."""
        return cls((sys.executable, str(program.resolve())))

    async def start(self, env: Mapping[str, str], log: Path) -> BotProcess:
        """Start it."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *self.arguments,
                env=dict(env),
                cwd=self.folder or env["DATA_DIR"],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return _SubprocessBot(process)


class _SubprocessBot:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    async def kill(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # its children too
        await self._process.wait()

    async def wait(self) -> int:
        return await self._process.wait()


class ClockOffsetFile:
    """The bot's clock: a file with the seconds to add, read by the bot through CLOCK_OFFSET_FILE."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0.0
        self._write()

    def advance(self, seconds: float) -> None:
        """Let that much time pass for the bot."""
        self._offset += seconds
        self._write()

    def _write(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{self._offset}\n", encoding="ascii")
        fresh.replace(self.path)
