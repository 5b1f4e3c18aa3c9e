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
from bot.clock import Clock, match_code, token
from bot.container import Ground, House, assembled
from bot.content import catalogue as texts
from bot.content.topics import BadTopics
from bot.flow.machine import advance
from bot.handlers.api.rate_limiter import Pacer
from bot.handlers.api.transport import AiohttpRequest
from bot.handlers.commands_menu import describe
from bot.handlers.staff.menu import describe_staff
from bot.intake import ALLOWED, AnyApplication, Fatal, seconds_of
from bot.jobs import result_webhook
from bot.open_store import opened_store
from bot.settings import BadSetting, Settings
from bot.testing.dialogue_coverage import Notebook, noted
from storage import BadKeys, StorageError, WrongKeys
from web import webhooks
from web.serving import listen, serving

Say = Callable[[str], None]


def prepare() -> None:
    """Load now what every start loads, once for all forks of this process."""
    texts.load(days=1, test=False)
    if sys.platform != "win32":
        import uvloop

        assert uvloop  # noqa: S101 - the next import of it costs nothing


def run(settings: Settings, say: Say) -> int:
    """Run until a signal; says the exit status: 2 for a setting that cannot be used, 1 for what stopped it later."""
    logs.set_up(settings.log_format, settings.log_level)
    problem: BaseException | None = None
    try:
        _run(serve(settings, say))
    except* (BadSetting, BadTopics, Fatal, StorageError) as group:
        problem = _first(group)
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
    async with built(settings, say) as house, working(house), asyncio.TaskGroup() as tasks:
        describing = tasks.create_task(_describe(house))
        await stop.wait()
        describing.cancel()


async def _describe(house: House) -> None:
    bot, catalogue, settings = house.application.bot, house.outgoing.catalogue, house.settings
    await describe(bot, catalogue)
    await describe_staff(bot, catalogue, settings.staff, settings.data_dir / "staff-menus")


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """Run the program's loops until left; then fetch no more, and finish what is in hand."""
    async with asyncio.TaskGroup() as tasks:

        @asynccontextmanager
        async def at_work() -> AsyncIterator[None]:
            running = (house.notices.run(), house.housekeeping.run(), house.asking.run(), house.results.run())
            loops = [tasks.create_task(loop) for loop in running]
            try:
                yield
            finally:
                for loop in loops:
                    loop.cancel()
                await asyncio.wait(loops)

        if house.settings.webhook_url:
            async with at_work():
                yield
            return
        polling = tasks.create_task(house.polling.run(at_work))
        try:
            yield
        finally:
            house.polling.stop()
            await asyncio.wait({polling})


@asynccontextmanager
async def built(settings: Settings, say: Say) -> AsyncIterator[House]:
    """Everything built and connected, in order; taken apart in the reverse one."""
    async with AsyncExitStack() as stack:
        # First, so that a slip in a text is told before anything is opened.
        catalogue = texts.load(days=settings.retention_days, test="simulated" in settings.providers.values())
        listener = stack.enter_context(_listener(settings))
        store = await stack.enter_async_context(opened_store(settings))
        public = settings.public_url or _address(settings.host, listener)
        clock = Clock(settings.clock_offset_file)
        step = advance
        if settings.coverage_file is not None:
            notebook = Notebook(settings.coverage_file)
            notebook.known(catalogue)
            catalogue, step = noted(catalogue, notebook), notebook.advance
        ways = await stack.enter_async_context(providers.opened(settings, public, clock.now))
        bot = partial(_bot, settings)
        told = await stack.enter_async_context(result_webhook.opened(settings))
        ground = Ground(store, bot, clock, token, match_code, public, ways, catalogue, step, told)
        house = assembled(settings, ground, f"{gethostname()}:{_port(listener)}")
        await stack.enter_async_context(connected(house))
        # Last, so that an update by webhook finds everything ready, and nothing comes in any more when this is left.
        await stack.enter_async_context(serving(house.pages, listener))
        bot_name.hang(settings, house.application.bot.username)
        desk = f"support's desk at {public}/desk; " if settings.desk_key else ""
        say(f"@{house.application.bot.username} is running; {desk}phone pages at {public}")
        yield house


def _bot(settings: Settings, pacer: Pacer) -> ExtBot[None]:
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


def _address(host: str, listener: socket) -> str:
    port = _port(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port(listener: socket) -> int:
    return int(listener.getsockname()[1])


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


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
        settings.webhook_url + webhooks.TELEGRAM_PATH,
        allowed_updates=ALLOWED,
        secret_token=settings.webhook_secret.get_secret_value(),
        max_connections=40,
    )
