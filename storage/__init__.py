"""Keeps what the core and the dialogue must not lose: `open_store` gives a store for a DATABASE_URL."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from storage.database import Database
from storage.errors import (
    BadKeys,
    NewerSchema,
    SchemaRefused,
    StorageError,
    StoreUnavailable,
    Unsealable,
    WrongKeys,
)
from storage.migrations import known_migrations, migrate
from storage.sealing import Sealing
from storage.sqlite import open_sqlite
from storage.store import Store

__all__ = [
    "BadKeys",
    "NewerSchema",
    "SchemaRefused",
    "Sealing",
    "StorageError",
    "Store",
    "StoreUnavailable",
    "Unsealable",
    "WrongKeys",
    "open_store",
]


def open_store(url: str, *, sealing: Sealing) -> AbstractAsyncContextManager[Store]:
    """Open the store a DATABASE_URL names, its schema brought up to date; a URL that names none is a `ValueError`."""
    return _prepared(_database(url), sealing)


def _database(url: str) -> AbstractAsyncContextManager[Database]:
    scheme, _, rest = url.partition("://")
    match scheme:
        case "sqlite" if rest.startswith("/") and rest not in {"/", "/:memory:"}:
            return open_sqlite(Path(rest[1:]))
        case "sqlite":
            raise ValueError(
                "DATABASE_URL: a SQLite file is written sqlite:///data/bot.sqlite3, or sqlite:////var/lib/…"
            )
        case "postgresql" | "postgres":
            return _postgres(url)
        case _:
            raise ValueError("DATABASE_URL: must begin with sqlite:/// or postgresql://")


def _postgres(url: str) -> AbstractAsyncContextManager[Database]:
    try:
        from storage.postgres import open_postgres
    except ImportError:
        raise ValueError("DATABASE_URL: PostgreSQL needs the package asyncpg: pip install asyncpg") from None
    return open_postgres(url)


@asynccontextmanager
async def _prepared(database: AbstractAsyncContextManager[Database], sealing: Sealing) -> AsyncIterator[Store]:
    async with database as opened:
        await migrate(opened, known_migrations())
        store = Store(opened, sealing)
        await store.check_keys()
        yield store
