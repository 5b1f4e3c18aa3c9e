"""The commands that support's people see in their own chats, before a word is said.

A menu stays where it was set until it is taken away, so whose it was is kept in a file: somebody who is no longer of
support loses it at the next start. It stands there with the commands of everybody, which it hides otherwise.
"""

import logging
from collections.abc import Coroutine, Set
from pathlib import Path

from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import TelegramError

from bot.content.catalogue import Catalogue
from bot.handlers.api.rate_limiter import Priority, priority
from bot.handlers.commands_menu import LANGUAGE_CODES, commands_of
from bot.handlers.staff.command_parser import StaffCommand

log = logging.getLogger(__name__)


async def publish_staff_menus(bot: Bot, catalogue: Catalogue, staff: Set[int], kept: Path) -> None:
    """Give support's people their menu, and take it from who had it; what fails is tried at the next start."""
    former = _read(kept)
    if staff == former == frozenset():
        return
    _write(kept, staff | former)
    taken = {person for person in former - staff if await _try(_take(bot, person))}
    for person in sorted(staff):
        await _try(_give(bot, catalogue, person))
    _write(kept, (staff | former) - taken)


async def _give(bot: Bot, catalogue: Catalogue, person: int) -> None:
    scope = BotCommandScopeChat(person)
    for code, language in LANGUAGE_CODES:
        theirs = [
            BotCommand(command, catalogue.text(language, f"staff.command.{command}"))
            for command in StaffCommand
            if command is not StaffCommand.HELP
        ]
        wanted = [*theirs, *commands_of(catalogue, language)]
        if list(await bot.get_my_commands(scope, code or None)) != wanted:
            await bot.set_my_commands(wanted, scope, code or None)


async def _take(bot: Bot, person: int) -> None:
    for code, _ in LANGUAGE_CODES:
        await bot.delete_my_commands(BotCommandScopeChat(person), code or None)


async def _try(making: Coroutine[None, None, None]) -> bool:
    try:
        with priority(Priority.BEST_EFFORT):
            await making
    except TelegramError as error:
        # Somebody who has never written to the bot has no chat with it yet.
        log.debug("a menu of support's was left as it is: %s", type(error).__name__)
        return False
    return True


def _read(kept: Path) -> frozenset[int]:
    try:
        return frozenset(map(int, kept.read_text(encoding="ascii").split()))
    except (OSError, ValueError):
        return frozenset()


def _write(kept: Path, people: Set[int]) -> None:
    try:
        kept.write_text("".join(f"{person}\n" for person in sorted(people)), encoding="ascii")
    except OSError as error:
        log.warning("whose menus are support's could not be kept (%s)", type(error).__name__)
