"""Folders and files for what only the program's own user may read."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it where they are missing; what is new is closed to other users."""
    for step in (*reversed(folder.parents), folder):
        step.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def temporary_file_beside(path: Path) -> Iterator[Path]:
    """Make an empty file beside a path, closed to other users; what is left of it afterwards goes."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def move_into_place(draft: Path, *, path: Path) -> None:
    """Give a finished draft its name, for good; raises `FileExistsError` where there is a file of that name."""
    try:
        # A link never replaces.
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems know no links.
        if path.exists():
            raise FileExistsError(path) from None
        draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a new name in a folder to the disk: syncing the file alone does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
