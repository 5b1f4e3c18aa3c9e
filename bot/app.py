"""Gives the program its ground, runs it until a signal, and takes it apart again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from socket import socket
from typing import Any

from telegram.ext import ExtBot

from bot import catalogue as texts
from bot import logs
from bot.assembly import Ground, House, assembled, connected
from bot.clock import Clock, match_code, token
from bot.flow.machine import advance
from bot.handlers.menu import describe
from bot.handlers.transport import AiohttpRequest
from bot.intake import Fatal
from bot.reached import Notebook, noted
from bot.settings import BadSetting, Settings
from storage import BadKeys, Sealing, StorageError, Store, WrongKeys, open_store, sealing
from verification.attempts import Method
from verification.ports import Provider
from verification.providers.simulated import Simulated
from web.serving import listen, serving

Say = Callable[[str], None]


def run(settings: Settings, say: Say) -> int:
    """Run until a signal; says the exit status: 2 for a setting that cannot be used, 1 for what stopped it later."""
    logs.set_up(settings.log_format, settings.log_level)
    problem: BaseException | None = None
    try:
        _run(serve(settings, say))
    except* (BadSetting, Fatal, StorageError) as group:
        problem = _first(group)
    if problem is None:
        return 0
    say(str(problem))
    return 2 if isinstance(problem, BadSetting | BadKeys | WrongKeys) else 1


async def serve(settings: Settings, say: Say) -> None:
    """Run the bot until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with built(settings, say) as house, working(house), asyncio.TaskGroup() as tasks:
        describing = tasks.create_task(describe(house.application.bot, house.outgoing.catalogue))
        await stop.wait()
        describing.cancel()


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """Run the program's loops until left; then fetch no more, and finish what is in hand."""
    async with asyncio.TaskGroup() as tasks:
        loops = [tasks.create_task(house.notices.run()), tasks.create_task(house.housekeeping.run())]
        if house.settings.webhook_url:
            await house.runner.resume_owed()
        polling = None if house.settings.webhook_url else tasks.create_task(house.polling.run())
        try:
            yield
        finally:
            house.polling.stop()
            if polling is not None:
                await asyncio.wait({polling})
            for loop in loops:
                loop.cancel()


@asynccontextmanager
async def built(settings: Settings, say: Say) -> AsyncIterator[House]:
    """Everything built and connected, in order; taken apart in the reverse one."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listener(settings))
        store = await stack.enter_async_context(_store(settings))
        public = settings.public_url or _address(settings.host, listener)
        house = assembled(settings, _ground(settings, store, public))
        await stack.enter_async_context(connected(house))
        # Last, so that an update by webhook finds everything ready, and nothing comes in any more when this is left.
        await stack.enter_async_context(serving(house.pages, listener))
        say(f"@{house.application.bot.username} is running; phone pages at {public}")
        yield house


def _ground(settings: Settings, store: Store, public: str) -> Ground:
    providers: dict[Method, Provider] = {method: Simulated(method) for method in settings.providers}
    simulated = any(provider.simulated for provider in providers.values())
    catalogue = texts.load(days=settings.retention_days, test=simulated)
    step = advance
    if settings.coverage_file is not None:
        notebook = Notebook(settings.coverage_file)
        notebook.known(catalogue)
        catalogue, step = noted(catalogue, notebook), notebook.advance
    clock = Clock(settings.clock_offset_file)
    return Ground(store, _bot(settings), clock, token, match_code, public, providers, catalogue, step)


def _bot(settings: Settings) -> ExtBot[None]:
    if settings.bot_token is None:
        raise BadSetting("BOT_TOKEN: missing")
    return ExtBot(
        settings.bot_token.get_secret_value(),
        base_url=f"{settings.bot_api_url}/bot",
        base_file_url=f"{settings.bot_api_url}/file/bot",
        request=AiohttpRequest(),
        get_updates_request=AiohttpRequest(connections=2),
    )


def _run(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)


def _store(settings: Settings) -> AbstractAsyncContextManager[Store]:
    try:
        return open_store(settings.store_url, sealing=_sealing(settings))
    except ValueError as error:
        raise BadSetting(str(error)) from None


def _sealing(settings: Settings) -> Sealing:
    if settings.encryption_keys is not None and settings.index_key is not None:
        return sealing.parse(settings.encryption_keys.get_secret_value(), settings.index_key.get_secret_value())
    try:
        return sealing.load_or_create(settings.data_dir / "keys.json")
    except OSError as error:
        raise BadSetting(f"DATA_DIR: cannot be used ({error})") from None


def _listener(settings: Settings) -> socket:
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BadSetting(f"HOST, PORT: cannot listen on {settings.host}:{settings.port} ({reason})") from None


def _address(host: str, listener: socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
