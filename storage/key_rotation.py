"""Brings everything sealed under the first key, while programs go on working with the rows.

Batch by batch, each in a transaction of its own; rows that somebody is changing are left for the next pass, so nobody
waits and no change is overwritten. A pass that was cut short has done what it has done: the next one finds the rest.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from storage import statements as sql
from storage.database import Connection, Database
from storage.errors import DecryptionFailed
from storage.mapping import associated_data
from storage.sealing import Sealing

_BATCH = 100
_PAUSE = 0.1

OnProgress = Callable[[str, int], None]
"""Told after each batch: of which column, and how many values of it are done so far."""


@dataclass(frozen=True, slots=True)
class RotationResult:
    """What a run has come to: how many values it sealed anew, and what it had to leave, by column."""

    resealed: int
    unreadable: Mapping[str, int]


class KeyRotation:
    """One run over a database."""

    def __init__(self, database: Database, sealing: Sealing, batch: int = _BATCH) -> None:
        self._database = database
        self._sealing = sealing
        self._batch = batch
        self._resealed: Counter[str] = Counter()

    async def remaining(self) -> Mapping[str, int]:
        """Count what is sealed otherwise than with the first key, by column."""
        return {
            f"{table}.{column}": await self._count(table, self._sealed_otherwise(column), self._first)
            for table, _, column in sql.SEALED
        }

    async def sealed_counts(self) -> Mapping[str, int]:
        """Count what is sealed, by column."""
        return {
            f"{table}.{column}": await self._count(table, f"{column} IS NOT NULL") for table, _, column in sql.SEALED
        }

    async def _count(self, table: str, which: str, *values: bytes) -> int:
        async with self._database.transaction() as connection:
            [(number,)] = await connection.fetch(f"SELECT count(*) FROM {table} WHERE {which}", *values)  # noqa: S608
        return int(number)

    async def run(self, on_progress: OnProgress) -> RotationResult:
        """Seal everything anew that can be read.

        Nothing is sealed with another key any more when this ends and nothing was unreadable: whoever began before the
        first key was known has ended, and whoever began later uses it.
        """
        await self._database.wait_for_open_transactions()
        while True:
            unreadable = {
                f"{table}.{column}": await self._pass(table, key, column, on_progress)
                for table, key, column in sql.SEALED
            }
            if all(number <= unreadable[column] for column, number in (await self.remaining()).items()):
                return RotationResult(
                    self._resealed.total(), {column: count for column, count in unreadable.items() if count}
                )
            # The others' changes end soon.
            await asyncio.sleep(_PAUSE)

    async def _pass(self, table: str, key: str, column: str, on_progress: OnProgress) -> int:
        """Go once through a column; says how many values nobody can open."""
        last, unreadable, found = "", 0, self._batch
        statement = (
            f"SELECT {key}, {column} FROM {table} WHERE {key} > $2 AND {self._sealed_otherwise(column)}"  # noqa: S608
            f" ORDER BY {key} LIMIT {self._batch}"
        )
        while found == self._batch:
            async with self._database.transaction() as connection:
                rows = await connection.fetch_skip_locked(statement, self._first, last)
                for row, sealed in rows:
                    unreadable += not await self._reseal(connection, (table, key, column), row, bytes(sealed))
            found, last = len(rows), rows[-1][0] if rows else last
            if rows:
                on_progress(f"{table}.{column}", self._resealed[f"{table}.{column}"])
        return unreadable

    async def _reseal(self, connection: Connection, place: tuple[str, str, str], row: str, sealed: bytes) -> bool:
        table, key, column = place
        try:
            plain = self._sealing.open(sealed, associated_data(table=table, row=row, column=column))
        except DecryptionFailed:
            return False
        anew = self._sealing.seal(plain, associated_data(table=table, row=row, column=column))
        await connection.fetch(f"UPDATE {table} SET {column} = $2 WHERE {key} = $1", row, anew)  # noqa: S608
        self._resealed[f"{table}.{column}"] += 1
        return True

    @property
    def _first(self) -> bytes:
        return self._sealing.prefixes()[0]

    def _sealed_otherwise(self, column: str) -> str:
        return f"substr({column}, 1, {len(self._first)}) <> $1"
