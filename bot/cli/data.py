"""What is kept, in an operator's hands: a copy of it, what has had its time, and what one account asks to be erased."""

from datetime import datetime, timedelta
from pathlib import Path

from bot.cli.report import CommandFailed, Say
from bot.jobs.cleanup import delete_expired_records
from bot.open_store import open_configured_store
from bot.settings import BadSetting, Settings
from storage import SqlStore, sqlite_path
from storage.backup import copy_database
from verification.dialogue_store import DeletedCounts
from verification.identity import mask_account
from verification.ids import Account, PersonId


async def backup(settings: Settings, target: Path, say: Say) -> int:
    """Copy the database while programs work with it."""
    source = sqlite_path(settings.store_url)
    if source is None:
        raise BadSetting("DATABASE_URL: this is not a SQLite file; copy a PostgreSQL database with pg_dump")
    try:
        size = copy_database(source, target=target)
    except FileExistsError:
        raise CommandFailed(f"{target}: exists already, and is not overwritten") from None
    except OSError as error:
        raise CommandFailed(f"{target}: {error.strerror}") from None
    say(f"{target}: {size} bytes, checked; it opens with the keys only, which are not in it")
    return 0


async def retention(settings: Settings, now: datetime, say: Say) -> int:
    """Delete what is past its time at a moment, and tell how much of each kind."""
    async with open_configured_store(settings) as store:
        gone = await delete_expired_records(store, now, timedelta(days=settings.retention_days))
    _print_counts(gone, say)
    return 0


async def erase(settings: Settings, account: Account, say: Say) -> int:
    """Erase what is kept about an account, as its person can in the chat."""
    masked = mask_account(account)
    async with open_configured_store(settings) as store:
        gone = await _erase_people(store, account)
        async with store.unit(account) as unit:
            place = await unit.slot_of(account)
    if place is not None:
        say(f"kept: that {masked} is verified, and its place among the three of its ID number, by keyed index")
    if not any(gone.values()):
        say(f"nothing else is kept about {masked}")
        return int(place is None)
    _print_counts(gone, say)
    say(f"erased: what was kept about {masked}; older copies of the database still hold it, sealed")
    return 0


async def _erase_people(store: SqlStore, account: Account) -> DeletedCounts:
    gone: dict[str, int] = {}
    for person in sorted({PersonId(account), *await store.people_of(account)}):
        # Alone with the person, as the turns of their chat are.
        async with store.unit(person) as unit:
            went = await unit.erase(person, account)
        gone = {kind: gone.get(kind, 0) + number for kind, number in went.items()}
    return gone


def _print_counts(gone: DeletedCounts, say: Say) -> None:
    for kind, number in gone.items():
        say(f"{kind.replace('_', ' ')}: {number} deleted")
