"""Gives the program its ground, runs it until a signal, and takes it apart again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from socket import gethostname, socket
from typing import Any

from telegram import Bot
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot import bot_name, logs, providers
from bot.clock import Clock, new_match_code, new_token
from bot.container import AppDeps, BotApp, build_app
from bot.content import catalogue as texts
from bot.content.topics import BadTopics
from bot.flow.machine import advance
from bot.handlers.api.rate_limiter import RateLimiter
from bot.handlers.api.transport import AiohttpRequest
from bot.handlers.commands_menu import publish_profile
from bot.handlers.staff.menu import publish_staff_menus
from bot.intake import ALLOWED, AnyApplication, StartupError, retry_after_seconds
from bot.jobs import result_webhook
from bot.open_store import open_configured_store
from bot.settings import BadSetting, Settings
from bot.testing.dialogue_coverage import CoverageFile, with_coverage
from storage import BadKeys, StorageError, WrongKeys
from web import webhooks
from web.serving import listen, serving

Say = Callable[[str], None]


def preload() -> None:
    """Load now what every start loads, once for all forks of this process."""
    texts.load(days=1, test=False)
    if sys.platform != "win32":
        import uvloop

        assert uvloop  # noqa: S101 - the next import of it costs nothing


def run(settings: Settings, say: Say) -> int:
    """Run until a signal; says the exit status: 2 for a setting that cannot be used, 1 for what stopped it later."""
    logs.configure(settings.log_format, settings.log_level)
    problem: BaseException | None = None
    try:
        _run(serve(settings, say))
    except* (BadSetting, BadTopics, StartupError, StorageError) as group:
        problem = _first_error(group)
    if problem is None:
        return 0
    say(str(problem))
    return 2 if isinstance(problem, BadSetting | BadTopics | BadKeys | WrongKeys) else 1


async def serve(settings: Settings, say: Say) -> None:
    """Run the bot until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_app(settings, say) as house, run_loops(house), asyncio.TaskGroup() as tasks:
        describing = tasks.create_task(_publish_menus(house))
        await stop.wait()
        describing.cancel()


async def _publish_menus(app: BotApp) -> None:
    bot, catalogue, settings = app.application.bot, app.reply_sender.catalogue, app.settings
    await publish_profile(bot, catalogue)
    await publish_staff_menus(bot, catalogue, settings.staff, settings.data_dir / "staff-menus")


@asynccontextmanager
async def run_loops(app: BotApp) -> AsyncIterator[None]:
    """Run the program's loops until left; then fetch no more, and finish what is in hand."""
    async with asyncio.TaskGroup() as tasks:

        @asynccontextmanager
        async def at_work() -> AsyncIterator[None]:
            running = (app.notices.run(), app.cleanup.run(), app.provider_poller.run(), app.result_sender.run())
            loops = [tasks.create_task(loop) for loop in running]
            try:
                yield
            finally:
                for loop in loops:
                    loop.cancel()
                await asyncio.wait(loops)

        if app.settings.webhook_url:
            async with at_work():
                yield
            return
        polling = tasks.create_task(app.poller.run(at_work))
        try:
            yield
        finally:
            app.poller.stop()
            await asyncio.wait({polling})


@asynccontextmanager
async def open_app(settings: Settings, say: Say) -> AsyncIterator[BotApp]:
    """Everything built and connected, in order; taken apart in the reverse one."""
    async with AsyncExitStack() as stack:
        # First, so that a slip in a text is told before anything is opened.
        catalogue = texts.load(days=settings.retention_days, test="simulated" in settings.providers.values())
        listener = stack.enter_context(_listener(settings))
        store = await stack.enter_async_context(open_configured_store(settings))
        public = settings.public_url or _local_url(settings.host, listener)
        clock = Clock(settings.clock_offset_file)
        step = advance
        if settings.dialogue_coverage_file is not None:
            notebook = CoverageFile(settings.dialogue_coverage_file)
            notebook.write_known(catalogue)
            catalogue, step = with_coverage(catalogue, notebook), notebook.advance
        ways = await stack.enter_async_context(providers.open_providers(settings, public, clock.now))
        bot = partial(_bot, settings)
        told = await stack.enter_async_context(result_webhook.open_result_endpoint(settings))
        ground = AppDeps(store, bot, clock, new_token, new_match_code, public, ways, catalogue, step, told)
        house = build_app(settings, ground, f"{gethostname()}:{_port(listener)}")
        await stack.enter_async_context(telegram_session(house))
        # Last, so that an update by webhook finds everything ready, and nothing comes in any more when this is left.
        await stack.enter_async_context(serving(house.web_app, listener))
        bot_name.write(settings, house.application.bot.username)
        desk = f"support's desk at {public}/desk; " if settings.desk_key else ""
        say(f"@{house.application.bot.username} is running; {desk}phone pages at {public}")
        yield house


def _bot(settings: Settings, pacer: RateLimiter) -> ExtBot[None]:
    if settings.bot_token is None:
        raise BadSetting("BOT_TOKEN: missing")
    return ExtBot(
        settings.bot_token.get_secret_value(),
        base_url=f"{settings.bot_api_url}/bot",
        base_file_url=f"{settings.bot_api_url}/file/bot",
        request=AiohttpRequest(),
        get_updates_request=AiohttpRequest(connections=2),
        rate_limiter=pacer,
    )


def _run(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)


def _listener(settings: Settings) -> socket:
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BadSetting(f"HOST, PORT: cannot listen on {settings.host}:{settings.port} ({reason})") from None


def _local_url(host: str, listener: socket) -> str:
    port = _port(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port(listener: socket) -> int:
    return int(listener.getsockname()[1])


def _first_error(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


@asynccontextmanager
async def telegram_session(app: BotApp) -> AsyncIterator[None]:
    """Known to Telegram, and showing what is committed, until left."""
    async with AsyncExitStack() as stack:
        if app.replicas is not None:
            # Before anything is shown: from here on, the former program of this place is known to be dead.
            await app.replicas.heartbeat()
        await _connect(stack, app.application, app.settings)
        if app.replicas is not None:
            # Around what shows answers: until the last of them is shown, nobody may take this program for dead.
            await stack.enter_async_context(app.replicas.heartbeating(app.runner.resume_pending))
        await stack.enter_async_context(app.runner.running())
        await stack.enter_async_context(app.inline.running())
        await stack.enter_async_context(app.staff_reply_sender.running())
        yield


async def _connect(stack: AsyncExitStack, application: AnyApplication, settings: Settings) -> None:
    stack.push_async_callback(application.bot.shutdown)
    try:
        await application.initialize()
        await _choose_intake(application.bot, settings)
    except InvalidToken:
        raise StartupError("BOT_TOKEN: Telegram refuses this token") from None
    except BadRequest as error:
        raise StartupError(f"WEBHOOK_URL: Telegram refuses this address ({error.message})") from None
    except TelegramError as error:
        raise StartupError(f"BOT_API_URL: no answer from {settings.bot_api_url} ({type(error).__name__})") from None
    stack.push_async_callback(application.shutdown)


async def _choose_intake(bot: Bot, settings: Settings) -> None:
    while True:
        try:
            return await _set_webhook(bot, settings)
        except RetryAfter as error:
            # Programs that start together all say the same, and Telegram takes it once a second.
            await asyncio.sleep(retry_after_seconds(error))


async def _set_webhook(bot: Bot, settings: Settings) -> None:
    if not settings.webhook_url or settings.webhook_secret is None:
        await bot.delete_webhook(drop_pending_updates=False)
        return
    await bot.set_webhook(
        settings.webhook_url + webhooks.TELEGRAM_PATH,
        allowed_updates=ALLOWED,
        secret_token=settings.webhook_secret.get_secret_value(),
        max_connections=40,
    )
