"""`keys rotate` reseals everything with a new key while the bot runs.

With a key file the command does everything: every program reads the file again, so the old key is removed when nothing
is sealed with it. With keys from settings, every program must first be started with the new key; the command can only
ask for that.
"""

from bot.cli.report import CommandFailed, Say
from bot.open_store import key_file, load_sealing, open_configured_store
from bot.settings import Settings
from storage import SqlStore
from storage.encryption.key_file import KeyFile
from storage.encryption.key_rotation import OnProgress, RotationResult
from storage.encryption.sealing import Sealing, parse_keys
from storage.lockfile import file_lock

_EVERY = 1000


async def count(settings: Settings, say: Say) -> int:
    """Print how many values a rotation would reseal, and change nothing."""
    async with open_configured_store(settings) as store:
        rotation = store.key_rotation()
        has_begun = len(_keys(settings)) > 1
        counts = await (rotation.remaining() if has_begun else rotation.sealed_counts())
    for column, number in counts.items():
        say(f"{column}: {number} to reseal")
    return 0


async def rotate(settings: Settings, say: Say) -> int:
    """Reseal everything with a new key, or continue a rotation that was interrupted."""
    sealing = load_sealing(settings)
    async with open_configured_store(settings, sealing) as store:
        if settings.encryption_keys is not None:
            return await _by_settings(settings, store, say)
        file = key_file(settings)
        async with file_lock(file.path.with_name(f"{file.path.name}.rotating"), _refuse):
            return await _by_file(file, sealing, store, say)


async def _by_file(file: KeyFile, sealing: Sealing, store: SqlStore, say: Say) -> int:
    if len(file.keys()) == 1:
        say(f"new key: {file.add_primary_key()}; programs seal with it from now on")
    else:
        say(f"continuing with key {next(iter(file.keys()))}: a rotation was interrupted")
    await store.check_keys()
    result = await store.key_rotation().run(_progress(say))
    if not _print_result(result, say):
        return 1
    old = list(file.keys())[1:]
    file.drop_old_keys()
    say(f"removed: {', '.join(old)}; older copies of the database open only with an older copy of the key file")
    return 0


async def _by_settings(settings: Settings, store: SqlStore, say: Say) -> int:
    first, *old = _keys(settings)
    if not old:
        say("ENCRYPTION_KEYS holds one key, and everything is sealed with it. To rotate:")
        say("1. put a new key first, id:base64 of 32 random bytes (openssl rand -base64 32), keep the old one second,")
        say("   and restart every program with both")
        say("2. run this command again with both: it reseals everything with the new key")
        say("3. remove the old key, and restart every program")
        return 0
    if not _print_result(await store.key_rotation().run(_progress(say)), say):
        return 1
    say(f"everything is sealed with {first}. If every program was restarted with it first, remove: {', '.join(old)}")
    return 0


def _keys(settings: Settings) -> list[str]:
    given = settings.encryption_keys
    return list(key_file(settings).keys() if given is None else parse_keys(given.get_secret_value()))


def _print_result(result: RotationResult, say: Say) -> bool:
    say(f"resealed: {result.resealed}")
    for column, number in result.unreadable.items():
        say(f"{column}: {number} cannot be opened with any of the keys; the old keys stay")
    return not result.unreadable


def _progress(say: Say) -> OnProgress:
    def progress(column: str, number: int) -> None:
        if number % _EVERY == 0:
            say(f"{column}: {number} …")

    return progress


def _refuse() -> None:
    raise CommandFailed("another program is rotating the keys")
