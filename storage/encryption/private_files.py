"""Folders and files that only the program's own user may read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Create a folder and its parents where they are missing; new ones are closed to other users."""
    for each in (*reversed(folder.parents), folder):
        each.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def temporary_file_for(path: Path) -> Iterator[Path]:
    """Create an empty file in the folder of a path, closed to other users; it is deleted afterwards."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def move_into_place(draft: Path, *, path: Path) -> None:
    """Give a finished file its name; raises `FileExistsError` when a file of that name exists."""
    try:
        # Creating a link never replaces a file.
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems do not support links.
        if path.exists():
            raise FileExistsError(path) from None
        draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk: syncing a new file alone does not do that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
