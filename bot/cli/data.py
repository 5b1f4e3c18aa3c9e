"""The operators' commands on stored data: `backup`, `retention` and `erase`."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.cli.move_bot import refuse, refuse_running_programs
from bot.cli.report import STDOUT, CommandFailed, Say, write
from bot.clock import Clock
from bot.engine.messages import FRONT_END
from bot.jobs.cleanup import delete_expired_records
from bot.open_store import copy_store, load_sealing, open_configured_store, refuse_lost_keys
from bot.settings import BadSetting, Settings
from storage import SqlStore, SqlUnit, open_database, open_store, sqlite_path
from storage.backup.postgres_copy import load_rows, save_rows
from storage.backup.sqlite_copy import copy_database, replace_database
from storage.encryption.private_files import make_private_folder
from storage.migrations import known_migrations, schema_version
from verification.dialogue_store import DeletedCounts
from verification.identity import mask_account
from verification.ids import Account, PersonId, own_account

_TIME = "%Y%m%dT%H%M%SZ"


async def backup(settings: Settings, target: Path, say: Say, *, keep: int | None = None) -> int:
    """Copy the database to a SQLite file while the bot may use it.

    In a folder the copy gets a name with its time; with `keep` only that many of such copies stay there.
    """
    if target == STDOUT:
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            await copy_store(settings, copy)
            write(STDOUT, _content(copy))
        return 0
    copy = _name_copy(target, keep, Clock(settings.clock_offset_file).now())
    try:
        size = await copy_store(settings, copy)
    except FileExistsError:
        raise CommandFailed(f"{copy}: exists already, and is not overwritten") from None
    except OSError as error:
        raise CommandFailed(f"{copy}: {error.strerror}") from None
    say(f"{copy}: {size} bytes, checked; it opens only with the keys, which are not part of it")
    # The new copy is good, so old ones may go.
    for old in _old_copies(target, keep):
        old.unlink()
        say(f"{old}: deleted")
    return 0


def _name_copy(target: Path, keep: int | None, now: datetime) -> Path:
    if target.is_dir():
        return target / f"bot-{now:{_TIME}}.sqlite3"
    if keep is not None:
        raise BadSetting(f"--keep: {target} is no folder; copies are counted in a folder of their own")
    return target


def _old_copies(folder: Path, keep: int | None) -> list[Path]:
    return [] if keep is None else sorted(folder.glob("bot-*T*Z.sqlite3"))[:-keep]


def _content(file: Path) -> bytes:
    return file.read_bytes()


async def restore(settings: Settings, copy: Path, say: Say) -> int:
    """Put a copy in the place of the database; it is checked first, and a copy of the former database stays."""
    path = sqlite_path(settings.store_url)
    folder = settings.data_dir if path is None else path.parent
    make_private_folder(folder)
    with TemporaryDirectory(dir=folder, prefix=".restore-") as drafts:
        draft = Path(drafts) / "bot.sqlite3"
        copy_database(copy, target=draft)
        await _check_copy(settings, draft)
        mark = f"before-{Clock(settings.clock_offset_file).now():{_TIME}}"
        if path is not None:
            former = _restore_file(path, draft, mark)
        else:
            former = await _restore_server(settings, draft, folder / f"bot.sqlite3.{mark}")
    if former is not None:
        say(f"{former}: the database as it was")
    say(f"{path or 'the database of DATABASE_URL'}: restored from {copy}, and checked with the keys; start the bot")
    return 0


def _restore_file(path: Path, draft: Path, mark: str) -> Path | None:
    try:
        return replace_database(path, by=draft, mark=mark)
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from None


async def _restore_server(settings: Settings, draft: Path, former: Path) -> Path:
    sealing = load_sealing(settings)
    async with open_store(f"sqlite:///{draft}", sealing=sealing):
        pass  # Now it has this program's schema, as the server has it below.
    async with open_configured_store(settings, sealing) as store, open_database(settings.store_url) as database:
        await refuse_running_programs(store.bot_ownership(FRONT_END))
        async with store.polling_lease(FRONT_END, refuse):
            await save_rows(database, former)
            await load_rows(draft, database)
    return former


async def _check_copy(settings: Settings, copy: Path) -> None:
    url = f"sqlite:///{copy}"
    async with open_database(url) as database:
        await refuse_lost_keys(settings, database)
        schema, newest = await schema_version(database), known_migrations()[-1].version
        if schema > newest:
            raise CommandFailed(f"{copy.name}: it has schema {schema}, this program knows up to {newest}")
        await SqlStore(database, load_sealing(settings)).check_keys()


async def retention(settings: Settings, now: datetime, say: Say) -> int:
    """Delete the records that have expired at a time (UTC), and print how many of each kind."""
    async with open_configured_store(settings) as store:
        deleted = await delete_expired_records(store, now, timedelta(days=settings.retention_days))
    _print_counts(deleted, say)
    return 0


async def erase(settings: Settings, account: Account, say: Say, *, frees_slot: bool = False) -> int:
    """Erase what is stored about an account, as its person can in the chat; status 1 when nothing is stored.

    With `frees_slot` its quota slot goes too: another account may be verified with the same ID number.
    """
    masked = mask_account(account)
    async with open_configured_store(settings) as store:
        deleted = await _erase_people(store, account)
        has_slot = await store.transact(account, lambda unit: unit.slot_of(account)) is not None
        if frees_slot:
            await store.transact(account, lambda unit: unit.free_slot(account))
        own = own_account(PersonId(f"telegram:{account}"))
        has_namesake = account.isdecimal() and await _is_known(store, own)
    if has_slot and frees_slot:
        say(f"freed: the quota slot of {masked}; it is not verified any more")
    elif has_slot:
        say(f"kept: that {masked} is verified, and the quota slot of its ID number, by keyed index")
    if not any(deleted.values()):
        say(f"nothing else is stored about {masked}")
        if not has_slot and account.isdecimal():
            say(_namesake(own, known=has_namesake))
        return int(not has_slot)
    _print_counts(deleted, say)
    say(f"erased: what was stored about {masked}; older copies of the database still contain it, sealed")
    return 0


def _namesake(own: Account, *, known: bool) -> str:
    # An account of the cloud may have the same number as the Telegram id of somebody else, so it is never taken for it.
    if known:
        return f"something is stored about {own}, the person with that Telegram id; if that is meant: erase {own}"
    return f"nothing is stored about {own} either, the person with that Telegram id"


class _Found(Exception):
    """Rolls an erasure back that was only to find something."""


async def _is_known(store: SqlStore, account: Account) -> bool:
    async def look(unit: SqlUnit) -> None:
        deleted = await unit.erase(person=PersonId(account), account=account)
        if any(deleted.values()) or await unit.slot_of(account) is not None:
            raise _Found

    try:
        await store.transact(account, look)
    except _Found:
        return True
    return bool(await store.people_of(account))


async def _erase_people(store: SqlStore, account: Account) -> DeletedCounts:
    total: dict[str, int] = {}
    for person in sorted({PersonId(account), *await store.people_of(account)}):
        # One transaction per person, because the person's turns use the same lock.
        deleted = await store.transact(person, partial(SqlUnit.erase, person=person, account=account))
        total = {kind: total.get(kind, 0) + number for kind, number in deleted.items()}
    return total


def _print_counts(deleted: DeletedCounts, say: Say) -> None:
    for kind, number in deleted.items():
        say(f"{kind.replace('_', ' ')}: {number} deleted")
