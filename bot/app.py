"""Puts the program together, runs it until a signal, and takes it apart again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from socket import gethostname, socket
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application, ContextTypes, ExtBot

from bot import catalogue as texts
from bot import logs, providers
from bot.clock import Clock, match_code, token
from bot.flow.machine import advance
from bot.handlers.crowd import Crowd
from bot.handlers.dialogue import DialogueContext, DialogueHandler
from bot.handlers.errors import Failures
from bot.handlers.groups import GroupHandler
from bot.handlers.inline import InlineHandler
from bot.handlers.menu import describe
from bot.handlers.outgoing import Outgoing
from bot.handlers.pacing import Pacer
from bot.handlers.transport import AiohttpRequest
from bot.handlers.trouble import Trouble
from bot.housekeeping import Housekeeping
from bot.intake import ALLOWED, AnyApplication, Door, Fatal, Polling, seconds_of
from bot.notices import Notices
from bot.opening import opened_store
from bot.questions import Questions
from bot.reached import Notebook, noted
from bot.replicas import Replicas
from bot.runner import Runner, Surroundings
from bot.settings import BadSetting, Settings
from bot.topics import BadTopics
from storage import BadKeys, StorageError, Store, StoreUnavailable, WrongKeys
from verification.asking import Asking
from verification.core import Core, Outside
from verification.limits import Limits
from verification.providers.http import Http
from web import webhook
from web.app import Parts, TelegramRoute, web_app
from web.serving import listen, serving

_HEARD_WITHIN = 90

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class House:
    """The parts that the loops of the program need."""

    settings: Settings
    clock: Clock
    store: Store
    application: AnyApplication
    runner: Runner
    notices: Notices
    housekeeping: Housekeeping
    asking: Asking
    outgoing: Outgoing
    door: Door
    polling: Polling


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
        describing = tasks.create_task(describe(house.application.bot, house.outgoing.catalogue))
        await stop.wait()
        describing.cancel()


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """Run the program's loops until left; then fetch no more, and finish what is in hand."""
    async with asyncio.TaskGroup() as tasks:

        @asynccontextmanager
        async def at_work() -> AsyncIterator[None]:
            running = (house.notices.run(), house.housekeeping.run(), house.asking.run())
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
        ways = await stack.enter_async_context(providers.opened(settings, public, clock.now))
        outside = Outside(clock.now, token, match_code, lambda made: f"{public}/v/{made}", lambda: notices.wake())
        limits = Limits(overall=settings.daily_attempts)
        core = Core(store, ways, outside, ttl=settings.qr_ttl, limits=limits)
        pages = {language: catalogue.section(language, "page.") for language in texts.LANGUAGES}
        step = advance
        if settings.coverage_file is not None:
            notebook = Notebook(settings.coverage_file)
            notebook.known(catalogue)
            catalogue, step = noted(catalogue, notebook), notebook.advance
        failures = Failures()
        registry = CollectorRegistry()
        calls = Counter(
            "bot_calls", "Calls to Telegram, by what became of them", ["method", "outcome"], registry=registry
        )
        replicas = await _replicas(store, settings, listener)
        questions = Questions(catalogue.faq, registry)
        pacer = Pacer(calls, lambda: 1 if replicas is None else len(replicas.alive), paced=settings.pace_sending)
        application = _application(settings, failures, pacer)
        outgoing = Outgoing(application.bot, catalogue)
        moment = questions.given_to(clock.moment)
        surroundings = Surroundings(moment, _is_outage, settings.language, step, questions.count)
        runner = Runner(store, core, outgoing, surroundings, replicas)
        notices = Notices(store, core, runner, clock.now)
        housekeeping = Housekeeping(store, outgoing.sweep, clock.now, timedelta(days=settings.retention_days))
        inline = InlineHandler(catalogue, questions.topics_in, settings.language)
        application.add_handlers((DialogueHandler(runner), GroupHandler(catalogue, settings.language), inline))
        updates = Counter("bot_updates", "Updates taken, by what became of them", ["outcome"], registry=registry)
        answers = Counter(
            "bot_provider_answers", "News of attempts, by what came of it", ["outcome"], registry=registry
        )
        remote = {method: way for method, way in ways.items() if isinstance(way, Http)}
        asking = Asking(store, core, remote, clock.now, lambda outcome: answers.labels(outcome).inc())
        trouble = Trouble(application.bot, catalogue, store, clock.now, settings.language)
        crowd = Crowd(store, runner, clock.now, asyncio.get_running_loop().time)
        door = Door(application, failures, trouble.set_aside, _is_outage, updates, crowd)
        polling = Polling(application, door, store.polling_turn, runner.resume_owed, _is_outage)
        parts = Parts(
            core=core,
            providers=ways,
            words=pages,
            ready=_ready(store, door, polling, settings),
            registry=registry,
            clock=clock.now,
            ring=asking.ring,
            telegram=_route(settings, door),
        )
        await _connect(stack, application, settings)
        if replicas is not None:
            # Around what shows answers: until the last of them is shown, nobody may take this program for dead.
            await stack.enter_async_context(replicas.beating(runner.resume_owed))
        await stack.enter_async_context(runner.running())
        await stack.enter_async_context(inline.running())
        # Last, so that an update by webhook finds everything ready, and nothing comes in any more when this is left.
        await stack.enter_async_context(serving(web_app(parts), listener))
        say(f"@{application.bot.username} is running; phone pages at {public}")
        yield House(settings, clock, store, application, runner, notices, housekeeping, asking, outgoing, door, polling)


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


def _application(settings: Settings, failures: Failures, pacer: Pacer) -> AnyApplication:
    if settings.bot_token is None:
        raise BadSetting("BOT_TOKEN: missing")
    bot: ExtBot[None] = ExtBot(
        settings.bot_token.get_secret_value(),
        base_url=f"{settings.bot_api_url}/bot",
        base_file_url=f"{settings.bot_api_url}/file/bot",
        request=AiohttpRequest(),
        get_updates_request=AiohttpRequest(connections=2),
        rate_limiter=pacer,
    )
    application: AnyApplication = (
        Application.builder().bot(bot).updater(None).context_types(ContextTypes(context=DialogueContext)).build()
    )
    application.add_error_handler(failures.note)
    return application


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


async def _replicas(store: Store, settings: Settings, listener: socket) -> Replicas | None:
    """This program among those that Telegram's webhook may reach; whoever polls is the only one at work."""
    if not settings.webhook_url:
        return None
    name = f"{gethostname()}:{listener.getsockname()[1]}"
    replicas = Replicas(store, name, token(), _is_outage)
    # Before anything is shown: from here on, the former program of this name is known to be dead.
    await replicas.beat()
    return replicas


def _address(host: str, listener: socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _route(settings: Settings, door: Door) -> TelegramRoute | None:
    if not settings.webhook_url or settings.webhook_secret is None:
        return None
    return TelegramRoute(settings.webhook_secret.get_secret_value(), door.take_body)


def _ready(store: Store, door: Door, polling: Polling, settings: Settings) -> Callable[[], Any]:
    async def ready() -> Mapping[str, bool]:
        try:
            await store.owed(1)
        except StorageError:
            stored = False
        else:
            # A full disk can be read from: only whoever has to write notices.
            stored = not door.stuck
        heard = polling.heard_at
        listening = heard is not None and asyncio.get_running_loop().time() - heard < _HEARD_WITHIN
        # A program that waits for its turn is as good as one can be: nothing must wait for it to poll.
        return {"store": stored, "telegram": bool(settings.webhook_url) or polling.waits or listening}

    return ready


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, StoreUnavailable)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
