"""A lock between the programs of one machine: a file that one of them holds, until it lets go or dies.

The system frees the lock with the process, kill -9 included. The file itself stays: deleting it would let two programs
hold two files of one name.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.database import Busy, StillMine
from storage.errors import StoreUnavailable

_LOOK_SECONDS = 0.25

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@asynccontextmanager
async def holding(path: Path, busy: Busy) -> AsyncIterator[StillMine]:
    """Wait for the lock on a file, made where it is missing, and hold it until left; raises `StoreUnavailable`."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot open {path}: {error}") from error

    async def still_mine() -> bool:
        # Somebody may have cleaned up, and a new file of this name belongs to whoever comes first.
        return os.fstat(handle).st_nlink > 0

    try:
        await _win(handle, busy)
        yield still_mine
    finally:
        os.close(handle)


async def _win(handle: int, busy: Busy) -> None:
    told = False
    while not _won(handle):
        if not told:
            busy()
            told = True
        await asyncio.sleep(_LOOK_SECONDS)


def _won(handle: int) -> bool:
    try:
        _lock(handle)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise StoreUnavailable(f"the file system knows no locks: {error}") from error
    return True
