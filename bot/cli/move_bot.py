"""`move-bot` gives the database to the bot whose token is set, while no program uses it."""

import asyncio
from collections.abc import Callable

from telegram.error import InvalidToken, TelegramError

from bot.cli.check_telegram import make_bot
from bot.cli.report import CommandFailed, Say
from bot.engine.messages import FRONT_END
from bot.handlers.api.transport import describe_no_answer
from bot.open_store import open_configured_store
from bot.settings import BadSetting, Settings
from storage.bot_ownership import BotOwnership

_WATCH_SECONDS = 2.5
"""A program that serves a webhook counts once a second."""


async def move_bot(settings: Settings, confirm: Callable[[str], object], say: Say) -> int:
    """Move the database to the bot of BOT_TOKEN; `confirm` raises where the operator does not want that."""
    bot = await _ask_telegram(settings)
    async with open_configured_store(settings) as store:
        ownership = store.bot_ownership(FRONT_END)
        owner = await ownership.bot()
        if owner == bot:
            say(f"the database belongs to the bot {bot} already")
            return 0
        confirm(f"Move the database from the bot {owner or 'that first connects'} to the bot {bot}?")
        await refuse_running_programs(ownership)
        async with store.polling_lease(FRONT_END, refuse):
            deleted = await ownership.move(bot)
    for kind, number in deleted.items():
        say(f"{kind} of the former bot: {number} deleted")
    say(f"the database belongs to the bot {bot}; it can write to a person once that person has pressed Start there")
    return 0


async def _ask_telegram(settings: Settings) -> int:
    if settings.bot_token is None:
        raise BadSetting("BOT_TOKEN: missing; set the token of the bot that the database moves to")
    try:
        async with make_bot(settings, settings.bot_token.get_secret_value()) as bot:
            return bot.id
    except InvalidToken:
        raise BadSetting("BOT_TOKEN: Telegram refuses this token") from None
    except TelegramError as error:
        raise CommandFailed(describe_no_answer(settings.bot_api, error)) from None


async def refuse_running_programs(ownership: BotOwnership) -> None:
    """Refuse while a program that serves a webhook counts its heartbeats; one that polls holds the polling lease."""
    before = await ownership.programs()
    if before:
        await asyncio.sleep(_WATCH_SECONDS)
    if list(await ownership.programs()) != list(before):
        refuse()


def refuse() -> None:
    """Refuse because a program runs that must not."""
    raise CommandFailed("a program with this database runs: stop it first")
