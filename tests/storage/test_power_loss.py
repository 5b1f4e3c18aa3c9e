"""After a power loss the SQLite file is sound, and everything that was committed is in it."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from storage.backup.sqlite_copy import copy_database, replace_database
from storage.database import Connection
from storage.encryption.key_file import KeyFile
from storage.sqlite import open_sqlite
from tests.reliability import Proof
from tests.storage.power_loss import Disk, Promised, recorded

WRITERS, COMMITS, LOSSES = 3, 10, 3


async def write(path: Path, disk: Disk) -> int:
    """Commit rows, two in each transaction, several transactions in a group, and note what each caller was told."""
    committed = 0

    async def insert(connection: Connection) -> None:
        for half in ("a", "b"):
            await connection.fetch("INSERT INTO steps (half, filler) VALUES (?1, ?2)", half, "x" * 700)

    async with open_sqlite(path) as database:
        await database.run(lambda connection: connection.fetch("CREATE TABLE steps (half TEXT, filler TEXT)"))
        for n in range(COMMITS):
            await asyncio.gather(*(database.run(insert) for _ in range(WRITERS)))
            committed += WRITERS
            disk.events.append(Promised(committed))
            if n % 4 == 2:
                await database.purge_deleted()
        return len(disk.events)


def steps_in(folder: Path) -> tuple[int, int]:
    """How many first and second halves the file in this folder holds, after SQLite has repaired it."""
    with closing(sqlite3.connect(folder / "bot.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'steps'").fetchall():
            return 0, 0
        first, second = connection.execute("SELECT sum(half = 'a'), sum(half = 'b') FROM steps").fetchone()
        return first or 0, second or 0


@pytest.mark.slow("crash")
async def test_inv28_after_a_power_loss_at_any_moment_everything_committed_is_there(
    tmp_path: Path, proof: Proof
) -> None:
    original, random = tmp_path / "original", Random(1)
    try:
        with recorded(original) as disk:
            end = await write(original / "bot.db", disk)
    except OSError as error:
        pytest.skip(str(error))

    for cut in range(end + 1):
        folder = tmp_path / str(cut)
        for _ in range(LOSSES):
            folder.mkdir()
            for name, content in disk.files_after_loss(cut, random).items():
                (folder / name).write_bytes(content)
            first, second = steps_in(folder)

            assert first == second
            assert first >= disk.promised_before(cut)
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
    assert disk.promised_before(end) == WRITERS * COMMITS
    proof(cases=end * LOSSES, faults=end * LOSSES)


def rotated(change: Callable[[KeyFile], object]) -> Callable[[Path], object]:
    """Rotates the keys of an existing key file."""

    def rotate(target: Path) -> None:
        KeyFile(target).sealing()
        change(KeyFile(target))

    return rotate


def copied(target: Path) -> None:
    with closing(sqlite3.connect(target.with_name("source"))) as source:
        source.execute("CREATE TABLE schema_versions (version INTEGER)")
    copy_database(target.with_name("source"), target=target)


def replaced(target: Path) -> None:
    copied(target.with_name("copy"))
    replace_database(target, by=target.with_name("copy"), mark="before")


@pytest.mark.parametrize(
    "make",
    [
        lambda target: KeyFile(target).sealing(),
        rotated(KeyFile.add_primary_key),
        rotated(KeyFile.drop_old_keys),
        copied,
        replaced,
    ],
    ids=["new keys", "a new key", "old keys dropped", "a copy", "a restored copy"],
)
def test_a_file_is_on_the_disk_before_its_new_name_and_both_before_anybody_relies_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object]
) -> None:
    target, synced, sync = tmp_path / "file", list[tuple[int, int | None]](), os.fsync

    def noted(handle: int) -> None:
        synced.append((os.fstat(handle).st_ino, target.stat().st_ino if target.exists() else None))
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    make(target)
    file, folder = target.stat().st_ino, tmp_path.stat().st_ino

    assert file in [synced_file for synced_file, named in synced if named != file]
    assert synced[-1] == (folder, file)
