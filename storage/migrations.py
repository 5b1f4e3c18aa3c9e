"""The schema's numbered steps: each is applied once, in its own transaction together with its number."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from storage.database import Database
from storage.errors import NewerSchema

_FOLDER = Path(__file__).parent / "schema"
_CREATE_TABLE = "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL)"
_VERSION = "SELECT coalesce(max(version), 0) FROM schema_versions"
_ADD_VERSION = "INSERT INTO schema_versions (version, name) VALUES ($1, $2)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    script: str = field(repr=False)


def known_migrations(folder: Path = _FOLDER) -> Sequence[Migration]:
    """The steps this program knows, in order; their files are called `NNNN_name.sql`."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(version=int(file.stem[:4]), name=file.stem[5:], script=file.read_text("utf-8")) for file in files]


async def migrate(database: Database, migrations: Sequence[Migration]) -> None:
    """Bring a database to the newest schema; raises `NewerSchema` for one that is further already."""
    newest = migrations[-1].version
    async with database.transaction("schema") as connection:
        await connection.fetch(database.translate_schema(_CREATE_TABLE))
        [(version,)] = await connection.fetch(_VERSION)
    if version > newest:
        raise NewerSchema(
            f"the database has schema {version}, this program knows up to {newest}: run the newer program"
        )
    for migration in migrations:
        await _apply(database, migration)


async def schema_version(database: Database) -> int:
    """Which schema a database has, without making any; 0 for an empty one."""
    try:
        async with database.transaction("schema") as connection:
            await connection.fetch(database.translate_schema(_CREATE_TABLE))
            [(version,)] = await connection.fetch(_VERSION)
            _roll_back(int(version))
    except _RollBack as seen:
        return seen.version


class _RollBack(Exception):
    """Leaves a transaction without a trace."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def _roll_back(version: int) -> NoReturn:
    raise _RollBack(version)


async def _apply(database: Database, migration: Migration) -> None:
    async with database.transaction("schema") as connection:
        # Asked again inside: another program may be starting at this very moment.
        [(version,)] = await connection.fetch(_VERSION)
        if version >= migration.version:
            return
        for statement in _statements(database.translate_schema(migration.script)):
            await connection.fetch(statement)
        await connection.fetch(_ADD_VERSION, migration.version, migration.name)


def _statements(script: str) -> Iterator[str]:
    # One by one: sqlite3's own executescript commits before it begins.
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
