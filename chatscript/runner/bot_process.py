"""Starts and kills the bot under test, and moves its clock.

The bot can be written in any language: it gets everything by its environment, and its output goes to a log file. The
environment is built anew, so that neither a developer's variables nor a .env file reach a test.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
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
        """Its exit code, or None while it runs."""

    async def kill(self) -> None:
        """Kill it and wait until it has ended. Does nothing when it has ended already."""

    async def wait(self) -> int:
        """Wait until it ends and return its exit code."""


class BotLauncher(Protocol):
    """Starts the bot."""

    async def start(self, env: Mapping[str, str], log: Path) -> BotProcess:
        """Start it with exactly this environment; append its output to the log. Raises `OSError`."""


_SYSTEM = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")
_PYTHON = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONWARNINGS", "SSL_CERT_FILE", "SSL_CERT_DIR")
_INHERITED = frozenset(_SYSTEM + _PYTHON)


def base_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that any program needs, without those that configure a bot."""
    inherited = {name: value for name, value in outer.items() if name in _INHERITED}
    return inherited | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


@dataclass(frozen=True, slots=True)
class CommandLauncher:
    """Starts a command in a process group of its own; its working folder is by default the bot's data folder."""

    arguments: Sequence[str]
    folder: Path | None = None

    @classmethod
    def python(cls, program: Path) -> Self:
        """Return a launcher for a Python program, with the interpreter of this process."""
        return cls((sys.executable, str(program.resolve())))

    async def start(self, env: Mapping[str, str], log: Path) -> BotProcess:
        """Start the command."""
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
                os.killpg(self.pid, signal.SIGKILL)  # with its children
        await self._process.wait()

    async def wait(self) -> int:
        return await self._process.wait()


_NEVER = 1_000_000_000  # a time of access that only we set, in nanoseconds since 1970


class ClockOffsetFile:
    """The file that CLOCK_OFFSET_FILE names to the bot: the seconds that it adds to the system's time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0.0
        self._write()
        self._shows_reads = self._notices_a_read()

    def seems_unread(self) -> bool:
        """Whether nobody has read the last offset. False where the file system does not tell."""
        return self._shows_reads and self.path.stat().st_atime_ns == _NEVER

    def _notices_a_read(self) -> bool:
        probe = self.path.with_suffix(".probe")
        probe.write_bytes(b"0")
        os.utime(probe, ns=(_NEVER, time.time_ns()))
        probe.read_bytes()
        noticed = probe.stat().st_atime_ns != _NEVER
        probe.unlink()
        return noticed

    def advance(self, seconds: float) -> None:
        """Move the bot's clock forward."""
        self._offset += seconds
        self._write()

    def _write(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{self._offset}\n", encoding="ascii")
        os.utime(fresh, ns=(_NEVER, time.time_ns()))
        fresh.replace(self.path)
