"""An empty SQLite database with the present schema: migrated once in a process, then copied for each test."""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from storage import open_database
from storage.migrations import known_migrations, migrate


def sqlite_url(folder: Path) -> str:
    """The URL of the database in this folder, which is made when it is missing."""
    path = folder / "bot.sqlite3"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        path = Path(folder) / "bot.sqlite3"
        # In another thread, because a loop may run in this one.
        thread.submit(asyncio.run, _migrate(path)).result()
        return path.read_bytes()


async def _migrate(path: Path) -> None:
    async with open_database(f"sqlite:///{path}") as database:
        await migrate(database, known_migrations())
