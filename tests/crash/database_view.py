"""A bot's database, read from outside while the bot runs and after a crash."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import asyncpg

PENDING_WORK = """
SELECT (SELECT count(*) FROM dialogues WHERE shown < revision) + (SELECT count(*) FROM notices WHERE settled = 0)
     + (SELECT count(*) FROM litter)
"""


class DatabaseView:
    """One database of either kind, by its DATABASE_URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._file = url.removeprefix("sqlite:///") if url.startswith("sqlite:") else ""
        self._one_by_one = asyncio.Lock()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        if self._file:
            return await asyncio.to_thread(self._of_file, statement)
        async with self._one_by_one:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._url)
            return [tuple(row) for row in await self._connection.fetch(statement)]

    async def pending_work(self) -> int:
        """How many replies, notices and deletions are pending."""
        [(owing,)] = await self.rows(PENDING_WORK)
        return int(owing)

    async def integrity(self) -> str:
        """The result of the database's own integrity check."""
        return str((await self.rows("PRAGMA integrity_check"))[0][0]) if self._file else "ok"

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()

    def _of_file(self, statement: str) -> list[tuple[Any, ...]]:
        # Read only: closing a writable connection would clean up after a crash, which is the next start's work.
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(statement).fetchall()
