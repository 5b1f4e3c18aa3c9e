"""Opens support's desk for a command, and reads what is asked of it; a mistake is one line that names it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from bot.cli.report import CommandFailed
from bot.clock import Clock
from bot.content.catalogue import LANGUAGES
from bot.open_store import open_configured_store
from bot.settings import BadSetting, Settings
from storage import sqlite_path
from verification.ids import Actor
from verification.support.service import SupportService

ACTOR = Actor("command")
"""Who used the desk, as its book has it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SupportClient:
    """What support works with, and when."""

    support: SupportService
    clock: Clock


@asynccontextmanager
async def open_support_client(settings: Settings) -> AsyncIterator[SupportClient]:
    """Open the desk of a bot that has run here; in a wrong place a link would be made that no bot knows."""
    path = sqlite_path(settings.store_url)
    if path is not None and not path.exists():
        raise CommandFailed(f"{path}: there is no database here; start the bot first, or name its DATA_DIR")
    clock = Clock(settings.clock_offset_file)
    async with open_configured_store(settings) as store:
        yield SupportClient(SupportService(store, clock.now, settings.link_ttl), clock)


def read_option(option: str, read: Callable[[str], T], text: str) -> T:
    """Read what an option says; raises `BadSetting` that names it."""
    try:
        return read(text)
    except ValueError as error:
        raise BadSetting(f"{option}: {error}") from None


def read_language(text: str) -> str:
    """A language we speak; raises `ValueError`."""
    if text not in LANGUAGES:
        raise ValueError(f"write {' or '.join(LANGUAGES)}")
    return text
