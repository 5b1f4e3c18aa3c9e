"""Folders for what only the program's own user may read."""

import os
from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it where they are missing; what is new is closed to other users."""
    for step in (*reversed(folder.parents), folder):
        step.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring a new name in a folder to the disk: syncing the file alone does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
