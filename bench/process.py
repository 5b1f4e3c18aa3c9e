"""Starts a bot on a core of its own, and reads from /proc what it costs. Linux only."""

import asyncio
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SQLITE = b"SQLite format 3\0"
_STOPS_WITHIN = 15
"""Seconds."""


@cache
def cores() -> tuple[int, int]:
    """The core of the bot and the core of the load: the first two that this process may use before it is pinned."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[min(1, len(usable) - 1)]


@contextmanager
def pinned_to(core: int) -> Iterator[None]:
    """Run this thread, and what it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class MeasuredProcess:
    """A bot's process. A child has the core that its parent's thread has when it starts."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], folder: Path, log: Path) -> None:
        with log.open("ab") as output, pinned_to(cores()[0]):
            self._process = subprocess.Popen(
                command, env=dict(env), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def cpu_seconds(self) -> float:
        """Its processor time so far, user and system, all threads."""
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> tuple[float, float]:
        """Its resident memory now, and at most so far, in MiB."""
        lines = dict(line.split(":", 1) for line in self._read("status").splitlines())
        return int(lines["VmRSS"].split()[0]) / 1024, int(lines["VmHWM"].split()[0]) / 1024

    async def stop(self) -> None:
        """Ask it to end, and kill it when it does not."""
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self._process.wait, _STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text("utf-8")


def machine_seconds() -> float:
    """The processor time that all programs of this machine have used so far."""
    user, nice, system, _, _, *interrupts = map(
        int, Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + sum(interrupts)) / _TICKS


def stored_bytes(folder: Path) -> int:
    """What a bot keeps in its folder: the pages of its databases that are in use, and its other files."""
    return sum(_bytes_of(path) for path in folder.rglob("*") if path.is_file() and not _belongs_to_database(path))


def _belongs_to_database(path: Path) -> bool:
    return path.name.endswith(("-wal", "-shm", "-journal"))


def _bytes_of(path: Path) -> int:
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            return path.stat().st_size
    with closing(sqlite3.connect(path)) as database:
        pages, free, size = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)
