"""Copies a PostgreSQL database to a SQLite file of the same schema, and back.

A copy holds the rows of one REPEATABLE READ snapshot, so programs may go on meanwhile. Both databases have the tables
of the same migrations. So a copy opens as any SQLite database of ours: the same code checks it, and it can be restored
into a database of either kind.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from storage.backup.sqlite_copy import check_copy, new_copy, size_of
from storage.database import Connection, Database
from storage.errors import StoreUnavailable
from storage.migrations import SCHEMA_VERSION, known_migrations, migrate
from storage.sqlite import open_sqlite

_BATCH = 500
"""Rows; a statement of PostgreSQL takes 32,767 values, and no table has 60 columns."""
_TABLES = """
SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema
WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_versions' ORDER BY rowid
"""
_COLUMNS = "SELECT name FROM pragma_table_info(?) ORDER BY cid"
_SEQUENCE = "SELECT pg_get_serial_sequence($1, 'id')::text"
_SET_SEQUENCE = "SELECT setval(pg_get_serial_sequence($1, 'id'), $2::bigint)"


async def save_rows(database: Database, target: Path) -> int:
    """Copy a PostgreSQL database to a new file that only its owner may read; returns its size in bytes.

    Raises `FileExistsError` instead of overwriting, and `StoreUnavailable` when the copy does not hold every row.
    """
    with new_copy(target) as draft:
        async with database.read_transaction() as connection:
            await _make_tables(connection, draft)
            with closing(sqlite3.connect(draft)) as file:
                for table, counts_ids in file.execute(_TABLES).fetchall():
                    await _save_table(connection, file, table)
                    if counts_ids:
                        await _save_sequence(connection, file, table)
                file.commit()
                check_copy(file)
    return size_of(target)


async def load_rows(source: Path, database: Database) -> None:
    """Put the rows of a file in the place of a database's, in one transaction; both have the same schema."""
    with closing(sqlite3.connect(source)) as file:
        tables = file.execute(_TABLES).fetchall()
        async with database.transaction() as connection:
            # All at once, because some refer to others. It waits until nobody reads or writes.
            await connection.fetch(f"TRUNCATE {', '.join(table for table, _ in tables)}")
            for table, counts_ids in tables:
                await _load_table(connection, file, table)
                if counts_ids:
                    for (last,) in file.execute("SELECT seq FROM sqlite_sequence WHERE name = ? AND seq > 0", (table,)):
                        await connection.fetch(_SET_SEQUENCE, table, last)


async def _make_tables(connection: Connection, draft: Path) -> None:
    [(known,)] = await connection.fetch("SELECT to_regclass('schema_versions')::text")
    if known is None:
        raise StoreUnavailable("the database is empty: there is nothing to copy")
    [(version,)] = await connection.fetch(SCHEMA_VERSION)
    async with open_sqlite(draft) as copy:
        await migrate(copy, [each for each in known_migrations() if each.version <= version])


async def _save_table(connection: Connection, file: sqlite3.Connection, table: str) -> None:
    columns = _columns(file, table)
    places = ", ".join("?" for _ in columns)
    # A cursor, because a table may be larger than the memory; named, because the driver keeps what it knows of a text.
    await connection.fetch(f"DECLARE all_{table} NO SCROLL CURSOR FOR SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
    while batch := await connection.fetch(f"FETCH {_BATCH} FROM all_{table}"):
        file.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", batch)  # noqa: S608
    await connection.fetch(f"CLOSE all_{table}")
    count = f"SELECT count(*) FROM {table}"  # noqa: S608
    if file.execute(count).fetchall() != list(await connection.fetch(count)):
        raise StoreUnavailable(f"the copy does not hold every row of {table}")


async def _save_sequence(connection: Connection, file: sqlite3.Connection, table: str) -> None:
    """Note the last id that was given, so that an id of a deleted row is never given again."""
    [(sequence,)] = await connection.fetch(_SEQUENCE, table)
    for (last,) in await connection.fetch(f"SELECT last_value FROM {sequence} WHERE is_called"):  # noqa: S608
        file.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        file.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


async def _load_table(connection: Connection, file: sqlite3.Connection, table: str) -> None:
    columns = _columns(file, table)
    rows = file.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
    while batch := rows.fetchmany(_BATCH):
        numbers = iter(range(1, len(batch) * len(columns) + 1))
        values = ", ".join(f"({', '.join(f'${next(numbers)}' for _ in columns)})" for _ in batch)
        await connection.fetch(
            f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE VALUES {values}",  # noqa: S608
            *(value for row in batch for value in row),
        )


def _columns(file: sqlite3.Connection, table: str) -> list[str]:
    return [name for (name,) in file.execute(_COLUMNS, (table,))]
