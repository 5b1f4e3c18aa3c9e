"""The storage of the core and the dialogues; `open_store` opens the store of a DATABASE_URL."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from storage.database import Database
from storage.encryption.sealing import Sealing
from storage.errors import (
    BadKeys,
    ConstraintViolated,
    DecryptionFailed,
    NewerSchema,
    StorageError,
    StoreUnavailable,
    WrongBot,
    WrongKeys,
)
from storage.migrations import BeforeUpgrade, known_migrations, migrate
from storage.sqlite import open_sqlite
from storage.store import SqlStore
from storage.unit import SqlUnit

__all__ = [
    "BadKeys",
    "ConstraintViolated",
    "DecryptionFailed",
    "NewerSchema",
    "Sealing",
    "SqlStore",
    "SqlUnit",
    "StorageError",
    "StoreUnavailable",
    "WrongBot",
    "WrongKeys",
    "open_database",
    "open_store",
    "sqlite_path",
]


def open_store(
    url: str, *, sealing: Sealing, before_upgrade: BeforeUpgrade | None = None
) -> AbstractAsyncContextManager[SqlStore]:
    """Open the store of a DATABASE_URL and migrate its schema; raises `ValueError` for a URL of no known database.

    `before_upgrade` is called before a schema is migrated.
    """
    return _open_prepared(open_database(url), sealing, before_upgrade)


def sqlite_path(url: str) -> Path | None:
    """The file of a DATABASE_URL; None when it names another kind of database or is malformed."""
    scheme, _, rest = url.partition("://")
    names_a_file = scheme == "sqlite" and rest.startswith("/") and rest not in {"/", "/:memory:"}
    return Path(rest[1:]) if names_a_file else None


def open_database(url: str) -> AbstractAsyncContextManager[Database]:
    """Open the database of a DATABASE_URL without migrating it; raises `ValueError` for a URL of no known database."""
    path = sqlite_path(url)
    if path is not None:
        return open_sqlite(path)
    match url.partition("://")[0]:
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
async def _open_prepared(
    database: AbstractAsyncContextManager[Database], sealing: Sealing, before_upgrade: BeforeUpgrade | None
) -> AsyncIterator[SqlStore]:
    async with database as opened:
        await migrate(opened, known_migrations(), before_upgrade)
        store = SqlStore(opened, sealing)
        await store.check_keys()
        yield store
