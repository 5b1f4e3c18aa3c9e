"""A lock between the programs of one machine: a locked file.

The system frees the lock when the process ends, kill -9 included. The file itself stays: if it were deleted, two
programs could each lock a different file of the same name.
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
    """Wait for the lock on a file, which is created if missing, and hold it until left; raises `StoreUnavailable`."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot open {path}: {error}") from error

    async def still_held() -> bool:
        # Somebody may have deleted the file; then another program may lock a new file of this name.
        return os.fstat(handle).st_nlink > 0

    try:
        await _wait_for_lock(handle, on_busy)
        yield still_held
    finally:
        os.close(handle)


async def _wait_for_lock(handle: int, on_busy: OnBusy) -> None:
    announced = False
    while not _try_lock(handle):
        if not announced:
            on_busy()
            announced = True
        await asyncio.sleep(_RETRY_SECONDS)


def _try_lock(handle: int) -> bool:
    try:
        _lock(handle)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise StoreUnavailable(f"the file system does not support locks: {error}") from error
    return True
