"""Opens the database that the settings name, with the encryption keys that the settings or `DATA_DIR` hold."""

from contextlib import AbstractAsyncContextManager

from bot.settings import BadSetting, Settings
from storage import Sealing, SqlStore, open_store
from storage.encryption.key_file import KeyFile
from storage.encryption.sealing import parse_sealing


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


def open_configured_store(settings: Settings, sealing: Sealing | None = None) -> AbstractAsyncContextManager[SqlStore]:
    """Open the store and apply new migrations; raises `BadSetting` or a `StorageError`."""
    try:
        return open_store(settings.store_url, sealing=sealing or load_sealing(settings))
    except ValueError as error:
        raise BadSetting(str(error)) from None
