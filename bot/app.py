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

from telegram.ext import ExtBot

from bot import catalogue as texts
from bot import logs, nameplate, providers, receiver
from bot.assembly import House, assembled
from bot.clock import Clock, match_code, token
from bot.connecting import connected
from bot.flow.machine import advance
from bot.ground import Ground
from bot.handlers.menu import describe
from bot.handlers.pacing import Pacer
from bot.handlers.staff.menu import describe_staff
from bot.handlers.transport import AiohttpRequest
from bot.intake import Fatal
from bot.opening import opened_store
from bot.reached import Notebook, noted
from bot.settings import BadSetting, Settings
from bot.topics import BadTopics
from storage import BadKeys, StorageError, WrongKeys
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
        told = await stack.enter_async_context(receiver.opened(settings))
        ground = Ground(store, bot, clock, token, match_code, public, ways, catalogue, step, told)
        house = assembled(settings, ground, f"{gethostname()}:{_port(listener)}")
        await stack.enter_async_context(connected(house))
        # Last, so that an update by webhook finds everything ready, and nothing comes in any more when this is left.
        await stack.enter_async_context(serving(house.pages, listener))
        nameplate.hang(settings, house.application.bot.username)
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
