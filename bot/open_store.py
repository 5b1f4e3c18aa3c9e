"""Opens the database that the settings name, with the encryption keys that the settings or `DATA_DIR` hold."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from bot.settings import BadSetting, Settings
from storage import Sealing, SqlStore, open_database, open_store, sqlite_path
from storage.backup import copy_database
from storage.encryption.key_file import KeyFile
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


@asynccontextmanager
async def open_configured_store(settings: Settings, sealing: Sealing | None = None) -> AsyncIterator[SqlStore]:
    """Open the store and apply new migrations; raises `BadSetting` or a `StorageError`."""
    try:
        if sealing is None:
            await _refuse_lost_keys(settings)
            sealing = load_sealing(settings)
        store = open_store(settings.store_url, sealing=sealing, before_upgrade=partial(_before_upgrade, settings))
    except ValueError as error:
        raise BadSetting(str(error)) from None
    async with store as opened:
        yield opened


async def _refuse_lost_keys(settings: Settings) -> None:
    """Refuse to make new keys for a database that has keys: they would open nothing, and hide that the old are lost."""
    path = sqlite_path(settings.store_url)
    file = key_file(settings).path
    if settings.encryption_keys is not None or file.exists() or (path is not None and not path.exists()):
        return
    async with open_database(settings.store_url) as database:
        if await has_keys(database):
            raise BadSetting(
                f"DATA_DIR: {file} is missing, but the database was made with keys; put that file back, or set"
                " ENCRYPTION_KEYS and INDEX_KEY; without them no name and no number can be read"
            )


def _before_upgrade(settings: Settings, version: int, newest: int) -> None:
    path = sqlite_path(settings.store_url)
    if path is None:
        log.info("migrating the database from schema %d to %d", version, newest)
        return
    copy = path.with_name(f"{path.name}.schema-{version}")
    # It is there when another program begins the same migration, or when one was interrupted.
    with suppress(FileExistsError):
        copy_database(path, target=copy)
    log.info("migrating the database from schema %d to %d; a copy from before is %s", version, newest, copy)
