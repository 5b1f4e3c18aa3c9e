"""Opens the support service for a command, and reads the command's options; an error names the option in one line."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from bot.cli.report import CommandFailed
from bot.clock import Clock
from bot.content.catalogue import LANGUAGES
from bot.open_store import open_configured_store
from bot.settings import BadSetting, Settings
from storage import sqlite_path
from verification.ids import Actor
from verification.record import Record
from verification.support.service import SupportService

ACTOR = Actor("command")
"""The actor of the command line in the audit log."""

T = TypeVar("T")


class SupportClient(Record):
    """The support service with its clock."""

    support: SupportService
    clock: Clock


@asynccontextmanager
async def open_support_client(settings: Settings) -> AsyncIterator[SupportClient]:
    """Open the support service on the bot's store.

    Raises `CommandFailed` where no database exists, because a link in a new database would be unknown to the bot.
    """
    path = sqlite_path(settings.store_url)
    if path is not None and not path.exists():
        raise CommandFailed(f"{path}: there is no database here; start the bot first, or name its DATA_DIR")
    clock = Clock(settings.clock_offset_file)
    async with open_configured_store(settings) as store:
        yield SupportClient(SupportService(store, clock.now, settings.link_ttl, tuple(settings.providers)), clock)


def read_option(option: str, read: Callable[[str], T], text: str) -> T:
    """Read the value of an option; raises a `BadSetting` that names the option."""
    try:
        return read(text)
    except ValueError as error:
        raise BadSetting(f"{option}: {error}") from None


def read_language(text: str) -> str:
    """A language that the bot has texts in; raises `ValueError`."""
    if text not in LANGUAGES:
        raise ValueError(f"write {' or '.join(LANGUAGES)}")
    return text
