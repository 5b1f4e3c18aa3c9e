"""The operators' commands on stored data: `backup`, `retention` and `erase`."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.cli.report import CommandFailed, Say
from bot.jobs.cleanup import delete_expired_records
from bot.open_store import open_configured_store
from bot.settings import BadSetting, Settings
from storage import SqlStore, SqlUnit, sqlite_path
from storage.backup import copy_database
from verification.dialogue_store import DeletedCounts
from verification.identity import mask_account
from verification.ids import Account, PersonId


async def backup(settings: Settings, target: Path, say: Say) -> int:
    """Copy the SQLite database while the bot may use it."""
    source = sqlite_path(settings.store_url)
    if source is None:
        raise BadSetting("DATABASE_URL: this is not a SQLite file; copy a PostgreSQL database with pg_dump")
    try:
        size = copy_database(source, target=target)
    except FileExistsError:
        raise CommandFailed(f"{target}: exists already, and is not overwritten") from None
    except OSError as error:
        raise CommandFailed(f"{target}: {error.strerror}") from None
    say(f"{target}: {size} bytes, checked; it opens only with the keys, which are not part of it")
    return 0


async def retention(settings: Settings, now: datetime, say: Say) -> int:
    """Delete the records that have expired at a time (UTC), and print how many of each kind."""
    async with open_configured_store(settings) as store:
        deleted = await delete_expired_records(store, now, timedelta(days=settings.retention_days))
    _print_counts(deleted, say)
    return 0


async def erase(settings: Settings, account: Account, say: Say) -> int:
    """Erase what is stored about an account, as its person can in the chat; status 1 when nothing is stored."""
    masked = mask_account(account)
    async with open_configured_store(settings) as store:
        deleted = await _erase_people(store, account)
        slot = await store.transact(account, lambda unit: unit.slot_of(account))
    if slot is not None:
        say(f"kept: that {masked} is verified, and the quota slot of its ID number, by keyed index")
    if not any(deleted.values()):
        say(f"nothing else is stored about {masked}")
        return int(slot is None)
    _print_counts(deleted, say)
    say(f"erased: what was stored about {masked}; older copies of the database still contain it, sealed")
    return 0


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
