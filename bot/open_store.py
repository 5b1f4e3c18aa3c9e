"""Opens the database that the settings name, with the encryption keys that the settings or `DATA_DIR` hold."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

from bot.settings import BadSetting, Settings
from storage import Sealing, SqlStore, open_database, open_store, sqlite_path
from storage.backup.postgres_copy import save_rows
from storage.backup.sqlite_copy import copy_database
from storage.database import Database
from storage.encryption.key_file import KeyFile
from storage.encryption.private_files import make_private_folder
from storage.encryption.sealing import parse_sealing
from storage.inspection import has_keys

log = logging.getLogger(__name__)


def key_file(settings: Settings) -> KeyFile:
    """Return the file that holds the keys where the settings hold none."""
    return KeyFile(settings.data_dir / "keys.json")


def load_sealing(settings: Settings) -> Sealing:
    """Load the keys, and create them at the first start; raises `BadKeys` or `BadSetting`."""
    if settings.encryption_keys is not None and settings.index_key is not None:
        return parse_sealing(
            encryption_keys=settings.encryption_keys.get_secret_value(), index_key=settings.index_key.get_secret_value()
        )
    try:
        return key_file(settings).sealing()
    except OSError as error:
        raise BadSetting(f"DATA_DIR: cannot be used ({error})") from None


async def copy_store(settings: Settings, target: Path, database: Database | None = None) -> int:
    """Copy the database, of either kind, to a new SQLite file and check it; returns its size in bytes.

    Raises `FileExistsError` instead of overwriting, another `OSError`, or `StoreUnavailable`.
    """
    path = sqlite_path(settings.store_url)
    if path is not None:
        return copy_database(path, target=target)
    async with open_database(settings.store_url) if database is None else nullcontext(database) as source:
        return await save_rows(source, target)


@asynccontextmanager
async def open_configured_store(settings: Settings, sealing: Sealing | None = None) -> AsyncIterator[SqlStore]:
    """Open the store and apply new migrations; raises `BadSetting` or a `StorageError`."""
    try:
        if sealing is None:
            await _check_keys_are_there(settings)
            sealing = load_sealing(settings)
        store = open_store(settings.store_url, sealing=sealing, before_upgrade=partial(_before_upgrade, settings))
    except ValueError as error:
        raise BadSetting(str(error)) from None
    async with store as opened:
        yield opened


async def _check_keys_are_there(settings: Settings) -> None:
    path = sqlite_path(settings.store_url)
    if _has_keys(settings) or (path is not None and not path.exists()):
        return
    async with open_database(settings.store_url) as database:
        await refuse_lost_keys(settings, database)


async def refuse_lost_keys(settings: Settings, database: Database) -> None:
    """Refuse to make new keys for a database that has keys: they would open nothing, and hide that the old are lost."""
    if not _has_keys(settings) and await has_keys(database):
        raise BadSetting(
            f"DATA_DIR: {key_file(settings).path} is missing, but the database was made with keys; put that file back,"
            " or set ENCRYPTION_KEYS and INDEX_KEY; without them no name and no number can be read"
        )


def _has_keys(settings: Settings) -> bool:
    return settings.encryption_keys is not None or key_file(settings).path.exists()


async def _before_upgrade(settings: Settings, database: Database, version: int, newest: int) -> None:
    path = sqlite_path(settings.store_url) or settings.data_dir / "bot.sqlite3"
    copy = path.with_name(f"{path.name}.schema-{version}")
    try:
        make_private_folder(copy.parent)
        # It is there when another program begins the same migration, or when one was interrupted.
        with suppress(FileExistsError):
            await copy_store(settings, copy, database)
    except OSError as error:
        raise BadSetting(f"{copy}: cannot be written before the migration ({error.strerror})") from None
    log.info("migrating the database from schema %d to %d; a copy from before is %s", version, newest, copy)
