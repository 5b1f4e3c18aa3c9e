"""Publishes the bot's profile: its commands, name and descriptions. Each is set only when it differs."""

import asyncio
from functools import partial
from itertools import product

from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, MenuButtonCommands

from bot.content.catalogue import Catalogue
from bot.flow.events import Command
from bot.handlers.api.calls import best_effort

LANGUAGE_CODES = (("", "en"), ("zh", "zh"))
"""Pairs of Telegram's language code and our language; the empty code is for every client without a code of its own."""


async def publish_profile(bot: Bot, catalogue: Catalogue) -> None:
    """Bring the profile up to date; a call that fails is tried again at the next start."""
    # Side by side, because nearly all the time goes into waiting for one answer after the other.
    async with asyncio.TaskGroup() as tasks:
        for (code, language), change in product(LANGUAGE_CODES, (_commands, _descriptions)):
            tasks.create_task(best_effort(partial(change, bot, catalogue, code, language)))
    await best_effort(lambda: bot.set_chat_menu_button(menu_button=MenuButtonCommands()))


def commands_of(catalogue: Catalogue, language: str) -> list[BotCommand]:
    """The commands that every person sees."""
    return [
        BotCommand(command, catalogue.text(language, f"command.{command}"))
        for command in Command
        if command is not Command.UNKNOWN
    ]


async def _commands(bot: Bot, catalogue: Catalogue, code: str, language: str) -> None:
    wanted = commands_of(catalogue, language)
    scope = BotCommandScopeAllPrivateChats()
    if list(await bot.get_my_commands(scope, code or None)) != wanted:
        await bot.set_my_commands(wanted, scope, code or None)


async def _descriptions(bot: Bot, catalogue: Catalogue, code: str, language: str) -> None:
    name = catalogue.text(language, "about.name")
    if (await bot.get_my_name(code or None)).name != name:
        await bot.set_my_name(name, code or None)
    description = catalogue.text(language, "about.description").strip()
    if (await bot.get_my_description(code or None)).description != description:
        await bot.set_my_description(description, code or None)
    short = catalogue.text(language, "about.short")
    if (await bot.get_my_short_description(code or None)).short_description != short:
        await bot.set_my_short_description(short, code or None)
