"""Publishes the command menus of support staff in their private chats.

A menu for a chat hides the menu of all chats, so it also contains everybody's commands. Telegram keeps it until it is
deleted, so the store records who has one: a person who is no longer on the staff loses it at the next start.
"""

import logging
from collections.abc import Coroutine, Set
from typing import Protocol

from telegram import Bot, BotCommand, BotCommandScopeChat

from bot.content.catalogue import Catalogue
from bot.handlers.api.rate_limiter import Priority, priority
from bot.handlers.commands_menu import LANGUAGE_CODES, commands_of
from bot.handlers.staff.command_parser import StaffCommand
from verification.errors import describe_error

log = logging.getLogger(__name__)


class MenuRecord(Protocol):
    """Records who has a menu, for every program on the database."""

    async def people_with_menu(self) -> frozenset[int]:
        """Return the people who have one."""

    async def keep_menus(self, people: Set[int]) -> None:
        """Note who has one from now on."""


async def publish_staff_menus(bot: Bot, catalogue: Catalogue, staff: Set[int], record: MenuRecord) -> None:
    """Set the menus of the staff, and delete those of former staff; a call that fails is repeated at the next start."""
    former = await record.people_with_menu()
    if staff == former == frozenset():
        return
    await record.keep_menus(staff | former)
    deleted = {person for person in former - staff if await _try(_delete_menu(bot, person))}
    for person in sorted(staff):
        await _try(_set_menu(bot, catalogue, person))
    await record.keep_menus((staff | former) - deleted)


async def _set_menu(bot: Bot, catalogue: Catalogue, person: int) -> None:
    scope = BotCommandScopeChat(person)
    for code, language in LANGUAGE_CODES:
        staff_commands = [
            BotCommand(command, catalogue.text(language, f"staff.command.{command}"))
            for command in StaffCommand
            if command is not StaffCommand.HELP
        ]
        wanted = [*staff_commands, *commands_of(catalogue, language)]
        if list(await bot.get_my_commands(scope, code or None)) != wanted:
            await bot.set_my_commands(wanted, scope, code or None)


async def _delete_menu(bot: Bot, person: int) -> None:
    for code, _ in LANGUAGE_CODES:
        await bot.delete_my_commands(BotCommandScopeChat(person), code or None)


async def _try(change: Coroutine[None, None, None]) -> bool:
    try:
        with priority(Priority.BEST_EFFORT):
            await change
    except Exception as error:
        # A person who has never written to the bot has no chat with it. The library raises what it likes where an
        # answer is nonsense.
        log.debug("a staff menu was not changed: %s", describe_error(error))
        return False
    return True
