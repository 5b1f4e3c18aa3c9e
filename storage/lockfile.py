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

from storage.database import OnBusy, StillHeld
from storage.errors import StoreUnavailable

_RETRY_SECONDS = 0.25

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@asynccontextmanager
async def file_lock(path: Path, on_busy: OnBusy) -> AsyncIterator[StillHeld]:
    """Wait for the lock on a file, made where it is missing, and hold it until left; raises `StoreUnavailable`."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot open {path}: {error}") from error

    async def still_mine() -> bool:
        # Somebody may have cleaned up, and a new file of this name belongs to whoever comes first.
        return os.fstat(handle).st_nlink > 0

    try:
        await _wait_for_lock(handle, on_busy)
        yield still_mine
    finally:
        os.close(handle)


async def _wait_for_lock(handle: int, on_busy: OnBusy) -> None:
    told = False
    while not _try_lock(handle):
        if not told:
            on_busy()
            told = True
        await asyncio.sleep(_RETRY_SECONDS)


def _try_lock(handle: int) -> bool:
    try:
        _lock(handle)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise StoreUnavailable(f"the file system knows no locks: {error}") from error
    return True
