"""A lock between the programs of one machine: a locked file.

The system frees the lock when the process ends, kill -9 included. The file itself stays: if it were deleted, two
programs could each lock a different file of the same name. Only a lock that is taken from a silent holder gets a new
file, which is locked before it has the name; the holder then sees that its own file has no name any more.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from storage.database import HolderWatch, OnBusy, StillHeld
from storage.errors import StoreUnavailable

_RETRY_SECONDS = 0.25
_BEATS = b"beats"
"""The content of a file whose holder shows signs of life; that of an earlier release shows none and is left alone."""

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@asynccontextmanager
async def file_lock(path: Path, on_busy: OnBusy, watch: HolderWatch | None = None) -> AsyncIterator[StillHeld]:
    """Wait for the lock on a file, which is created if missing, and hold it until left; raises `StoreUnavailable`.

    With a `watch` the lock is taken from a holder that is silent.
    """
    handle = await _acquire(path, on_busy, watch)

    async def still_held() -> bool:
        try:
            os.utime(handle if os.utime in os.supports_fd else path)
        except OSError:
            return False
        # Another program has taken the lock over, or somebody has deleted the file.
        return os.fstat(handle).st_nlink > 0

    try:
        if watch is not None:
            os.pwrite(handle, _BEATS, 0)
        yield still_held
    finally:
        os.close(handle)


async def _acquire(path: Path, on_busy: OnBusy, watch: HolderWatch | None) -> int:
    announced = False
    while True:
        handle = _open(path)
        try:
            # Where the file has lost its name meanwhile, another program has taken the lock over.
            if _try_lock(handle) and os.fstat(handle).st_nlink:
                return os.dup(handle)
            if not announced:
                on_busy()
                announced = True
            if watch is not None and os.pread(handle, len(_BEATS), 0) == _BEATS:
                status = os.fstat(handle)
                if watch.is_silent((status.st_ino, status.st_mtime_ns)):
                    taken = _take_over(path, status.st_ino)
                    if taken is not None:
                        return taken
        finally:
            os.close(handle)
        await asyncio.sleep(_RETRY_SECONDS)


def _take_over(path: Path, inode: int) -> int | None:
    """Put a locked file of our own in the place of the silent holder's; None when another program was faster."""
    guard = _open(path.with_name(f"{path.name}-takeover"))
    try:
        if not _try_lock(guard) or path.stat().st_ino != inode:
            return None
        fresh = path.with_name(f"{path.name}-new")
        handle = _open(fresh)
        _lock(handle)
        fresh.replace(path)
    finally:
        os.close(guard)
    return handle


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot open {path}: {error}") from error


def _try_lock(handle: int) -> bool:
    try:
        _lock(handle)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise StoreUnavailable(f"the file system does not support locks: {error}") from error
    return True
