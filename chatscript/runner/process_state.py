"""Tells whether a bot's program sleeps: no thread of it computes, waits for a turn on a CPU, or writes to a disk."""

from __future__ import annotations

from pathlib import Path

PROCESSES = Path("/proc")
_AT_WORK = frozenset("RD")


def is_asleep(pid: int, processes: Path = PROCESSES) -> bool:
    """Whether every thread of a process and of its children sleeps. True where the system does not tell (no Linux)."""
    try:
        threads = list((processes / str(pid) / "task").iterdir())
    except OSError:
        return True
    return all(_thread_sleeps(thread, processes) for thread in threads)


def _thread_sleeps(thread: Path, processes: Path) -> bool:
    # The state follows the name of the program, which is in parentheses and may contain some.
    words = _read(thread / "stat").rpartition(")")[2].split()
    if words and words[0] in _AT_WORK:
        return False
    return all(is_asleep(int(child), processes) for child in _read(thread / "children").split())


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""  # the thread has just ended, or the system does not tell
