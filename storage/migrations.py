"""The schema's numbered migrations: each is applied once; those that are missing, all in one transaction."""

import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, NoReturn

from storage.database import Connection, Database
from storage.errors import NewerSchema
from verification.record import Record

_FOLDER = Path(__file__).parent / "schema"
_CREATE_TABLE = "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL)"
SCHEMA_VERSION = "SELECT coalesce(max(version), 0) FROM schema_versions"
_ADD_VERSION = "INSERT INTO schema_versions (version, name) VALUES ($1, $2)"


BeforeUpgrade = Callable[[Database, int, int], Awaitable[None]]
"""Is called with a database, its schema version and the new one."""


class Migration(Record, kw_only=True):
    """One migration of the schema."""

    hidden: ClassVar[frozenset[str]] = frozenset({"script"})

    version: int
    name: str
    script: str


def known_migrations(folder: Path = _FOLDER) -> Sequence[Migration]:
    """The migrations that this program knows, in order; their files are called `NNNN_name.sql`."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(version=int(file.stem[:4]), name=file.stem[5:], script=file.read_text("utf-8")) for file in files]


async def migrate(
    database: Database, migrations: Sequence[Migration], before_upgrade: BeforeUpgrade | None = None
) -> None:
    """Migrate a database to the newest schema; raises `NewerSchema` when it has a later one.

    `before_upgrade` is called before a database is changed that has a schema already.
    """
    newest = migrations[-1].version
    version = await database.run(partial(_current_version, database), "schema")
    if version > newest:
        raise NewerSchema(
            f"the database has schema {version}, this program knows up to {newest}: run the newer program"
        )
    if 0 < version < newest and before_upgrade is not None:
        await before_upgrade(database, version, newest)
    if version < newest:
        await database.run(partial(_apply_missing, database, migrations), "schema")


async def schema_version(database: Database) -> int:
    """The schema version of a database, without changing it; 0 for an empty one."""
    try:
        async with database.transaction("schema") as connection:
            _roll_back(await _current_version(database, connection))
    except _RollBack as seen:
        return seen.version


class _RollBack(Exception):
    """Rolls a transaction back and carries the version out of it."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def _roll_back(version: int) -> NoReturn:
    raise _RollBack(version)


async def _current_version(database: Database, connection: Connection) -> int:
    await connection.fetch(database.translate_schema(_CREATE_TABLE))
    [(version,)] = await connection.fetch(SCHEMA_VERSION)
    return int(version)


async def _apply_missing(database: Database, migrations: Sequence[Migration], connection: Connection) -> None:
    # Read again inside the transaction: another program may have migrated meanwhile.
    version = await _current_version(database, connection)
    for migration in migrations:
        if migration.version > version:
            # The number comes first: a group of SQLite is rolled back only when a body that fails has changed a row.
            await connection.fetch(_ADD_VERSION, migration.version, migration.name)
            for statement in _statements(database.translate_schema(migration.script)):
                await connection.fetch(statement)


def _statements(script: str) -> Iterator[str]:
    # One at a time, because sqlite3's own executescript commits before it begins.
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
