"""Inspects a database without changing it: its schema, whether the keys fit, whether every sealed value opens."""

from collections.abc import Mapping

from msgspec import field

from storage import statements as sql
from storage.database import Database
from storage.encryption.sealing import AssociatedData, Sealing
from storage.errors import DecryptionFailed
from storage.mapping import associated_data
from storage.migrations import known_migrations, schema_version
from storage.store import SqlStore
from verification.record import Record
from verification.result_outbox import ResultBacklog

_BATCH = 500


class InspectionReport(Record, kw_only=True):
    """The findings; for a database whose schema is not this program's, only the version numbers."""

    schema: int
    newest: int
    sealed: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    with_old_keys: int = 0
    dead_letters: int = 0
    results: ResultBacklog = ResultBacklog()


async def has_keys(database: Database) -> bool:
    """Whether the database was ever opened with keys: then it opens only with the same ones."""
    if not await schema_version(database):
        return False
    async with database.transaction("keys") as connection:
        return bool(await connection.fetch(sql.KEY_CHECK, "index"))


async def inspect_database(database: Database, sealing: Sealing) -> InspectionReport:
    """Inspect everything; raises `WrongKeys` or `StoreUnavailable`."""
    schema, newest = await schema_version(database), known_migrations()[-1].version
    if schema != newest:
        return InspectionReport(schema=schema, newest=newest)
    store = SqlStore(database, sealing)
    await store.check_keys()
    counts = {
        f"{table}.{column}": await _inspect_column(database, sealing, table, key, column)
        for table, key, column in sql.SEALED
    }
    async with database.transaction() as connection:
        [(dead,)] = await connection.fetch("SELECT count(*) FROM dead_updates")
    return InspectionReport(
        schema=schema,
        newest=newest,
        sealed=sum(count for count, _ in counts.values()),
        unreadable={column: unreadable for column, (_, unreadable) in counts.items() if unreadable},
        with_old_keys=sum((await store.key_rotation().remaining()).values()),
        dead_letters=int(dead),
        results=await store.result_outbox().backlog(),
    )


async def _inspect_column(database: Database, sealing: Sealing, table: str, key: str, column: str) -> tuple[int, int]:
    """Open every value of a column; returns how many there are, and how many do not open."""
    statement = (
        f"SELECT {key}, {column} FROM {table} WHERE {key} > $1 AND {column} IS NOT NULL"  # noqa: S608 - our own names
        f" ORDER BY {key} LIMIT {_BATCH}"
    )
    last, count, unreadable = "", 0, 0
    while True:
        async with database.transaction() as connection:
            rows = await connection.fetch(statement, last)
        unreadable += sum(
            not _opens(sealing, bytes(sealed), associated_data(table=table, row=row, column=column))
            for row, sealed in rows
        )
        count += len(rows)
        if len(rows) < _BATCH:
            return count, unreadable
        last = rows[-1][0]


def _opens(sealing: Sealing, sealed: bytes, aad: AssociatedData) -> bool:
    try:
        sealing.open(sealed, aad)
    except DecryptionFailed:
        return False
    return True
