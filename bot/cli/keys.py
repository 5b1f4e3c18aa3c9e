"""`keys rotate`: everything sealed goes under a new key, while the bot runs.

With a key file nothing else is to be done: programs follow the file, so the old key can go once nothing is sealed with
it. With keys from settings every program must be started with the new key first, which this one can only ask for.
"""

from bot.cli.report import CommandFailed, Say
from bot.open_store import key_file, load_sealing, open_configured_store
from bot.settings import Settings
from storage import SqlStore
from storage.key_rotation import OnProgress, RotationResult
from storage.keyfile import KeyFile
from storage.lockfile import file_lock
from storage.sealing import Sealing, parse_keys

_EVERY = 1000


async def count(settings: Settings, say: Say) -> int:
    """Tell what a rotation would seal anew, and change nothing."""
    async with open_configured_store(settings) as store:
        resealing = store.key_rotation()
        begun = len(_keys(settings)) > 1
        counted = await (resealing.remaining() if begun else resealing.sealed_counts())
    for column, number in counted.items():
        say(f"{column}: {number} to seal anew")
    return 0


async def rotate(settings: Settings, say: Say) -> int:
    """Bring everything sealed under a new key, or go on where a rotation was cut short."""
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
        say(f"going on with key {next(iter(file.keys()))}: a rotation was cut short")
    await store.check_keys()
    done = await store.key_rotation().run(_progress(say))
    if not _print_result(done, say):
        return 1
    old = list(file.keys())[1:]
    file.drop_old_keys()
    say(f"taken out: {', '.join(old)}; copies of the database made before open with the key file of then only")
    return 0


async def _by_settings(settings: Settings, store: SqlStore, say: Say) -> int:
    first, *old = _keys(settings)
    if not old:
        say("ENCRYPTION_KEYS holds one key, and everything is sealed with it. To rotate:")
        say(
            "1. put a new one in front, id:base64 of 32 random bytes (openssl rand -base64 32), keep the old one behind"
        )
        say("   it, and start every program anew with both")
        say("2. run this command again with both: it seals everything with the new one")
        say("3. take the old one out, and start every program anew")
        return 0
    if not _print_result(await store.key_rotation().run(_progress(say)), say):
        return 1
    say(f"everything is sealed with {first}. If every program was started with it in front, take out: {', '.join(old)}")
    return 0


def _keys(settings: Settings) -> list[str]:
    given = settings.encryption_keys
    return list(key_file(settings).keys() if given is None else parse_keys(given.get_secret_value()))


def _print_result(done: RotationResult, say: Say) -> bool:
    say(f"sealed anew: {done.resealed}")
    for column, number in done.unreadable.items():
        say(f"{column}: {number} cannot be opened with any key at hand; the old keys stay")
    return not done.unreadable


def _progress(say: Say) -> OnProgress:
    def progress(column: str, number: int) -> None:
        if number % _EVERY == 0:
            say(f"{column}: {number} …")

    return progress


def _refuse() -> None:
    raise CommandFailed("another program is rotating the keys")
