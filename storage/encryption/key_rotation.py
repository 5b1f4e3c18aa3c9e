"""Reseals every sealed value with the first key, while other programs use the database.

It works in batches, each in its own transaction. Rows that another transaction has locked are left for the next pass,
so nobody waits and no change is overwritten. After an interrupted run the next one continues with the rest.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping

from storage import statements as sql
from storage.database import Connection, Database
from storage.encryption.sealing import Sealing
from storage.errors import DecryptionFailed
from storage.mapping import associated_data
from verification.record import Record

_BATCH = 100
_PAUSE = 0.1

OnProgress = Callable[[str, int], None]
"""Called after each batch with the column and the number of its values resealed so far."""


class RotationResult(Record):
    """The result of a run: how many values were resealed, and how many could not be opened, by column."""

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
        """Count the values that are not sealed with the first key, by column."""
        return {
            f"{table}.{column}": await self._count(table, self._sealed_otherwise(column), self._first)
            for table, _, column in sql.SEALED
        }

    async def sealed_counts(self) -> Mapping[str, int]:
        """Count the sealed values, by column."""
        return {
            f"{table}.{column}": await self._count(table, f"{column} IS NOT NULL") for table, _, column in sql.SEALED
        }

    async def _count(self, table: str, which: str, *values: bytes) -> int:
        async with self._database.transaction() as connection:
            [(number,)] = await connection.fetch(f"SELECT count(*) FROM {table} WHERE {which}", *values)  # noqa: S608
        return int(number)

    async def run(self, on_progress: OnProgress) -> RotationResult:
        """Reseal every value that can be opened.

        When it returns without unreadable values, nothing is sealed with another key any more: transactions that
        started before the first key was known have ended, and later ones use it.
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
            # Other programs' transactions hold the rest; they end soon.
            await asyncio.sleep(_PAUSE)

    async def _pass(self, table: str, key: str, column: str, on_progress: OnProgress) -> int:
        """Reseal one column once; returns how many values cannot be opened."""
        last, unreadable, batch_size = "", 0, self._batch
        statement = (
            f"SELECT {key}, {column} FROM {table} WHERE {key} > $2 AND {self._sealed_otherwise(column)}"  # noqa: S608
            f" ORDER BY {key} LIMIT {self._batch}"
        )
        while batch_size == self._batch:
            async with self._database.transaction() as connection:
                self._sealing.renew_keys()
                rows = await connection.fetch_skip_locked(statement, self._first, last)
                for row, sealed in rows:
                    unreadable += not await self._reseal(connection, (table, key, column), row, bytes(sealed))
            batch_size, last = len(rows), rows[-1][0] if rows else last
            if rows:
                on_progress(f"{table}.{column}", self._resealed[f"{table}.{column}"])
        return unreadable

    async def _reseal(self, connection: Connection, position: tuple[str, str, str], row: str, sealed: bytes) -> bool:
        table, key, column = position
        try:
            plain = self._sealing.open(sealed, associated_data(table=table, row=row, column=column))
        except DecryptionFailed:
            return False
        resealed = self._sealing.seal(plain, associated_data(table=table, row=row, column=column))
        await connection.fetch(f"UPDATE {table} SET {column} = $2 WHERE {key} = $1", row, resealed)  # noqa: S608
        self._resealed[f"{table}.{column}"] += 1
        return True

    @property
    def _first(self) -> bytes:
        return self._sealing.prefixes()[0]

    def _sealed_otherwise(self, column: str) -> str:
        return f"substr({column}, 1, {len(self._first)}) <> $1"
