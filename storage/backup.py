"""A copy of a SQLite file while programs work with it: one moment of it, whole and checked, without any key."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from storage.errors import StoreUnavailable
from storage.private_files import move_into_place, temporary_file_beside

_WAIT_SECONDS = 30


def copy_database(source: Path, *, target: Path) -> int:
    """Copy a database to a new file that only its owner may read, and say how many bytes it has.

    Raises `FileExistsError` rather than overwrite, and `StoreUnavailable` for a database that is not there or damaged.
    """
    if target.exists():
        raise FileExistsError(target)
    try:
        with temporary_file_beside(target) as draft:
            _copy(source, draft=draft)
            move_into_place(draft, path=target)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"cannot copy {source}: {error}") from error
    return target.stat().st_size


def _copy(source: Path, *, draft: Path) -> None:
    # As a URL, so that a database that is missing is not made.
    live = sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", timeout=_WAIT_SECONDS, uri=True)
    with closing(live), closing(sqlite3.connect(draft)) as copy:
        # In one step: writers go on meanwhile, and step by step each of their commits would begin it anew.
        live.backup(copy, pages=-1)
        # One file, not three; the program that opens it turns the log on again.
        copy.execute("PRAGMA journal_mode = DELETE")
        [(verdict,), *_] = copy.execute("PRAGMA integrity_check").fetchall()
        if verdict != "ok" or copy.execute("PRAGMA foreign_key_check").fetchall():
            raise sqlite3.DatabaseError("the copy is damaged, as the database must be")
        copy.execute("SELECT max(version) FROM schema_versions")
    with draft.open("rb") as file:
        os.fsync(file.fileno())
