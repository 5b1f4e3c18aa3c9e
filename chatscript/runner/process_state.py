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
    try:
        # The state follows the name of the program, which is in parentheses and may contain some.
        state = (thread / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
        children = (thread / "children").read_text("ascii").split()
    except OSError:
        return True  # it has just ended, or its children are not told
    return state not in _AT_WORK and all(is_asleep(int(child), processes) for child in children)
