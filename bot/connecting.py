"""Makes a program known to Telegram, and lets it show what is committed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from telegram import Bot
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError

from bot.assembly import House
from bot.intake import ALLOWED, AnyApplication, Fatal, seconds_of
from bot.settings import Settings
from web import webhook


@asynccontextmanager
async def connected(house: House) -> AsyncIterator[None]:
    """Known to Telegram, and showing what is committed, until left."""
    async with AsyncExitStack() as stack:
        if house.replicas is not None:
            # Before anything is shown: from here on, the former program of this place is known to be dead.
            await house.replicas.beat()
        await _connect(stack, house.application, house.settings)
        if house.replicas is not None:
            # Around what shows answers: until the last of them is shown, nobody may take this program for dead.
            await stack.enter_async_context(house.replicas.beating(house.runner.resume_owed))
        await stack.enter_async_context(house.runner.running())
        await stack.enter_async_context(house.inline.running())
        await stack.enter_async_context(house.delivery.running())
        yield


async def _connect(stack: AsyncExitStack, application: AnyApplication, settings: Settings) -> None:
    stack.push_async_callback(application.bot.shutdown)
    try:
        await application.initialize()
        await _choose_intake(application.bot, settings)
    except InvalidToken:
        raise Fatal("BOT_TOKEN: Telegram refuses this token") from None
    except BadRequest as error:
        raise Fatal(f"WEBHOOK_URL: Telegram refuses this address ({error.message})") from None
    except TelegramError as error:
        raise Fatal(f"BOT_API_URL: no answer from {settings.bot_api_url} ({type(error).__name__})") from None
    stack.push_async_callback(application.shutdown)


async def _choose_intake(bot: Bot, settings: Settings) -> None:
    while True:
        try:
            return await _tell_telegram(bot, settings)
        except RetryAfter as error:
            # Programs that start together all say the same, and Telegram takes it once a second.
            await asyncio.sleep(seconds_of(error))


async def _tell_telegram(bot: Bot, settings: Settings) -> None:
    if not settings.webhook_url or settings.webhook_secret is None:
        await bot.delete_webhook(drop_pending_updates=False)
        return
    await bot.set_webhook(
        settings.webhook_url + webhook.PATH,
        allowed_updates=ALLOWED,
        secret_token=settings.webhook_secret.get_secret_value(),
        max_connections=40,
    )
