"""Copies a SQLite file while programs use it: a consistent snapshot, checked, without any key."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from storage.encryption.private_files import move_into_place, sync_folder, temporary_file_for
from storage.errors import StoreUnavailable

_WAIT_SECONDS = 30


def copy_database(source: Path, *, target: Path) -> int:
    """Copy a database to a new file that only its owner may read; returns its size in bytes.

    Raises `FileExistsError` instead of overwriting, and `StoreUnavailable` for a missing or damaged database.
    """
    try:
        with new_copy(target) as draft:
            _copy(source, draft=draft)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"cannot copy {source}: {error}") from error
    return size_of(target)


@contextmanager
def new_copy(target: Path) -> Iterator[Path]:
    """Give a draft that only its owner may read; it becomes the target when it is finished without an error.

    Raises `FileExistsError` instead of overwriting.
    """
    if target.exists():
        raise FileExistsError(target)
    with temporary_file_for(target) as draft:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        move_into_place(draft, path=target)


def size_of(file: Path) -> int:
    """The size of a file in bytes."""
    return file.stat().st_size


def replace_database(path: Path, *, by: Path, mark: str) -> Path | None:
    """Put a finished file in the place of a database that no program uses; returns the former one, renamed.

    Raises `StoreUnavailable` when a program has the database open.
    """
    former = path.with_name(f"{path.name}.{mark}")
    existed = path.exists()
    if existed:
        _close_log(path)
        path.rename(former)
    # A log that is left would be applied to another file of that name.
    for log in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}{log}").rename(f"{former}{log}")
    by.replace(path)
    sync_folder(path.parent)
    return former if existed else None


def _close_log(path: Path) -> None:
    """Write the log back into the file, which SQLite does only for the last connection."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as database:
            [(mode,)] = database.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{path}: a program uses it; stop the bot first ({error})") from None
    except sqlite3.DatabaseError:
        # A damaged file is set aside as it is.
        return
    if mode != "delete":
        raise StoreUnavailable(f"{path}: a program uses it; stop the bot first")


def _copy(source: Path, *, draft: Path) -> None:
    # With a URL of mode=rw, SQLite does not create a missing database.
    live = sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", timeout=_WAIT_SECONDS, uri=True)
    with closing(live), closing(sqlite3.connect(draft)) as copy:
        # One step for all pages: with smaller steps each commit of another program would restart the copy.
        live.backup(copy, pages=-1)
        # This leaves one file instead of three; the program that opens it enables the log again.
        check_copy(copy)


def check_copy(copy: sqlite3.Connection) -> None:
    """Close the log of a finished copy, and raise `sqlite3.DatabaseError` when it is not sound."""
    copy.execute("PRAGMA journal_mode = DELETE")
    [(verdict,), *_] = copy.execute("PRAGMA integrity_check").fetchall()
    if verdict != "ok" or copy.execute("PRAGMA foreign_key_check").fetchall():
        raise sqlite3.DatabaseError("the copy is damaged, so the database is damaged too")
    copy.execute("SELECT max(version) FROM schema_versions")
