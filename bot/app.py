"""Starts the program: opens what it needs, connects to Telegram, serves until a signal, and closes everything in order.

The order matters. Web pages are served last, so that an update by webhook finds everything ready, and are closed first,
so that nothing comes in while the rest is closed. Replies that are committed are still sent after that.
"""

import asyncio
import gc
import logging
import os
import platform
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from socket import gethostname, socket
from typing import Any
from urllib.parse import urlsplit

from telegram import Bot
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot import __version__, logs
from bot.clock import Clock, new_match_code, new_token
from bot.container.build import build_app
from bot.container.parts import AppDeps, BotApp, Jobs
from bot.content import catalogue as texts
from bot.content import vocabulary
from bot.content.catalogue import Catalogue
from bot.content.topics import BadTopics
from bot.engine.messages import FRONT_END
from bot.flow import codec
from bot.flow.events import Choice
from bot.flow.machine import advance
from bot.flow.states import Idle
from bot.flow.typed_input import match_choice, match_command
from bot.handlers.api.call_outcome import retry_after_seconds
from bot.handlers.api.rate_limiter import RateLimiter
from bot.handlers.api.transport import BotApiRequest, describe_no_answer
from bot.handlers.commands_menu import publish_profile
from bot.handlers.staff.menu import publish_staff_menus
from bot.intake import ALLOWED, AnyApplication, PollingLost, StartupError
from bot.jobs.result_webhook import open_result_endpoint
from bot.open_store import open_configured_store
from bot.outages import Outage, Outages, store_advice
from bot.providers import open_providers
from bot.settings import BadSetting, Settings
from bot.settings import load as load_settings
from bot.systemd import reporting_to_systemd
from bot.testing.dialogue_coverage import CoverageFile, with_coverage
from storage import BadKeys, StorageError, StoreUnavailable, WrongBot, WrongKeys, sqlite_path
from storage.encryption.sealing import generate_key, generate_raw_key, parse_sealing
from storage.migrations import known_migrations, squashed
from verification.identity import Name, read_name
from verification.ids import Account
from verification.providers.addresses import is_elsewhere
from web import webhooks
from web.serving import listen, serving

log = logging.getLogger(__name__)

_STORE_SECONDS = 5
_NAME = "王小明"
Say = Callable[[str], None]
"""Shows one line to the operator."""


def preload() -> None:
    """Load once what every start and the first name need; processes forked from this one share it."""
    texts.load(days=1)
    codec.load_all(codec.dump(Idle(account=Account(""), question_id="")))
    match_choice(_NAME, tuple(Choice))
    match_command(_NAME)
    name = read_name(_NAME)
    assert isinstance(name, Name)  # noqa: S101 - it is one
    vocabulary.load().is_likely_name(name.plain)
    with suppress(BadSetting):
        load_settings()
    for module in ("encodings.idna", "uvicorn.lifespan.off"):  # imported by name, when first needed
        import_module(module)
    parse_sealing(encryption_keys=generate_key(), index_key=generate_raw_key())  # the first cipher loads OpenSSL's rest
    squashed(known_migrations())
    if sys.platform != "win32":
        import uvloop

        assert uvloop  # noqa: S101 - the next import of it costs nothing


def run(settings: Settings, say: Say) -> int:
    """Run until a signal and return the exit status: 2 for a setting that cannot be used, 1 for a later failure."""
    logs.configure(settings.log_format, settings.log_level)
    while True:
        problem: BaseException | None = None
        try:
            _run_loop(serve(settings, say))
        except* (BadSetting, BadTopics, PollingLost, StartupError, StorageError) as group:
            problem = _first_error(group)
        if problem is None:
            return 0
        if not isinstance(problem, PollingLost):
            return _report(problem, settings, say)
        # As after a crash: what was in hand belongs to the other program now.
        log.warning("another program took over while this one was stopped or cut off; starting anew")
        gc.unfreeze()


def _report(problem: BaseException, settings: Settings, say: Say) -> int:
    """Say what ends the program, and return its exit status."""
    line = str(problem)
    if isinstance(problem, StoreUnavailable) and (advice := store_advice(line, _database_name(settings))):
        line = f"{line}; {advice}"
    if settings.log_format == "json":
        log.error("%s", line)
    else:
        say(line)
    return 2 if isinstance(problem, BadSetting | BadTopics | BadKeys | WrongBot | WrongKeys) else 1


async def serve(settings: Settings, say: Say) -> None:
    """Run the bot until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_app(settings, say) as app, run_loops(app), reporting_to_systemd(), asyncio.TaskGroup() as tasks:
        _tune_collector()
        publishing = tasks.create_task(_publish_menus(app))
        await stop.wait()
        publishing.cancel()


def _tune_collector() -> None:
    """Let the garbage collector pass over what stays for ever, and look less often for the little that is left.

    Nearly everything that a conversation makes is freed without it.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()


@asynccontextmanager
async def open_app(settings: Settings, say: Say) -> AsyncIterator[BotApp]:
    """Open, build and connect everything in order; close it in the reverse order."""
    async with AsyncExitStack() as stack:
        # First, so that a mistake in a text is reported before anything is opened.
        catalogue = texts.load(
            days=settings.retention_days,
            methods=tuple(settings.providers),
            simulated=settings.simulated_methods,
            operator=texts.Operator(settings.operator_name, settings.operator_contact, settings.operator_url),
            services=settings.verification_services,
        )
        listener = stack.enter_context(_listener(settings.host, settings.port, "HOST, PORT"))
        metrics_listener = None
        if settings.metrics_port is not None:
            metrics_listener = stack.enter_context(_listener(settings.host, settings.metrics_port, "METRICS_PORT"))
        public_url = settings.public_url or _local_url(settings.host, listener)
        _check_reachable(settings, public_url)
        outages = Outages(asyncio.get_running_loop().time, database=_database_name(settings))
        deps = await _open_deps(stack, settings, catalogue, public_url, outages)
        app = build_app(settings, deps, replica_name=f"{gethostname()}:{_port(listener)}")
        await stack.enter_async_context(telegram_session(app))
        await stack.enter_async_context(serving(app.web_app, listener, settings.proxies))
        if metrics_listener is not None:
            await stack.enter_async_context(serving(app.metrics_app, metrics_listener))
        await stack.enter_async_context(outages.reporting(partial(_probe_store, app)))
        username = app.senders.bot.username
        desk = f"support's desk at {public_url}/desk; " if settings.desk_key else ""
        log.info("%s", _describe_start(settings))
        running = f"@{username} is running; {desk}phone pages at {public_url}"
        if settings.log_format == "json":
            log.info("%s", running)
        else:
            say(running)
        yield app


def _database_name(settings: Settings) -> str:
    return str(sqlite_path(settings.store_url) or "the server of DATABASE_URL")


def _describe_start(settings: Settings) -> str:
    intake = "by webhook" if settings.webhook_url else "by polling"
    providers = ", ".join(f"{method} {kind}" for method, kind in settings.providers.items())
    database = "SQLite" if sqlite_path(settings.store_url) else "PostgreSQL"
    return (
        f"realname-bot {__version__} started on Python {platform.python_version()}: {intake}, {database} with schema"
        f" {known_migrations()[-1].version}, providers {providers}"
    )


async def _open_deps(
    stack: AsyncExitStack, settings: Settings, catalogue: Catalogue, public_url: str, outages: Outages
) -> AppDeps:
    store = await stack.enter_async_context(open_configured_store(settings))
    if settings.bot_id is not None:
        # Before anything is claimed in the store or sent to anybody.
        await store.bot_ownership(FRONT_END).check(settings.bot_id)
    clock, step = Clock(settings.clock_offset_file), advance
    if settings.dialogue_coverage_file is not None:
        coverage = CoverageFile(settings.dialogue_coverage_file)
        coverage.write_known(catalogue)
        catalogue, step = with_coverage(catalogue, coverage), coverage.advance
    return AppDeps(
        store=store,
        make_bot=partial(_make_bot, settings, outages.telegram),
        clock=clock,
        new_token=new_token,
        new_match_code=new_match_code,
        public_url=public_url,
        providers=await stack.enter_async_context(open_providers(settings, public_url, clock.now, outages.provider)),
        catalogue=catalogue,
        advance=step,
        result_endpoint=await stack.enter_async_context(open_result_endpoint(settings, outages.receiver)),
    )


async def _probe_store(app: BotApp) -> str:
    try:
        async with asyncio.timeout(_STORE_SECONDS):
            # A name of its own: a program that is stopped in the middle of its write keeps no other waiting.
            await app.deps.store.check_writable(f"outage:{gethostname()}:{os.getpid()}")
    except TimeoutError:
        return f"it did not take a write within {_STORE_SECONDS} s"
    except StorageError as error:
        return str(error)
    return ""


def _make_bot(settings: Settings, telegram: Outage, rate_limiter: RateLimiter) -> ExtBot[None]:
    if settings.bot_token is None:
        raise BadSetting("BOT_TOKEN: missing")
    return ExtBot(
        settings.bot_token.get_secret_value(),
        base_url=f"{settings.bot_api_url}/bot",
        base_file_url=f"{settings.bot_api_url}/file/bot",
        request=BotApiRequest(proxy=settings.proxy, note=telegram.note),
        get_updates_request=BotApiRequest(connections=2, proxy=settings.proxy, note=telegram.note),
        rate_limiter=rate_limiter,
    )


@asynccontextmanager
async def telegram_session(app: BotApp) -> AsyncIterator[None]:
    """Connect to Telegram and send what is committed, until left."""
    runner, replicas = app.engine.runner, app.engine.replicas
    async with AsyncExitStack() as stack:
        if replicas is not None:
            # Before anything is sent: from here on, the others know that the former process of this name is dead.
            await replicas.heartbeat()
        await _connect(stack, app)
        if replicas is not None:
            # Around what sends: until the last reply is sent, no other replica may take this one for dead.
            await stack.enter_async_context(replicas.heartbeating(runner.resume_pending))
        await stack.enter_async_context(runner.running())
        await stack.enter_async_context(app.handlers.inline.running())
        await stack.enter_async_context(app.senders.background.running())
        yield


async def _connect(stack: AsyncExitStack, app: BotApp) -> None:
    application, settings = app.intake.application, app.settings
    stack.push_async_callback(application.bot.shutdown)
    try:
        await _greet(application, settings)
        # Only now: Telegram has taken the token, so its bot exists.
        await app.deps.store.bot_ownership(FRONT_END).note(application.bot.id, application.bot.username)
        await _choose_intake(application.bot, settings)
    except InvalidToken:
        raise StartupError("BOT_TOKEN: Telegram refuses this token") from None
    except BadRequest as error:
        raise StartupError(f"WEBHOOK_URL: Telegram refuses this address ({error.message})") from None
    except TelegramError as error:
        raise StartupError(describe_no_answer(settings.bot_api, error)) from None
    stack.push_async_callback(application.shutdown)


async def _greet(application: AnyApplication, settings: Settings) -> None:
    """Ask whose token it is; raises `StartupError` where the answer is not one of the Bot API."""
    try:
        await application.initialize()
    except (AttributeError, KeyError, TypeError, ValueError):
        raise StartupError(f"BOT_API_URL: {settings.bot_api} answers, but not as a Bot API does") from None


async def _choose_intake(bot: Bot, settings: Settings) -> None:
    while True:
        try:
            return await _set_webhook(bot, settings)
        except RetryAfter as error:
            # Replicas that start together make the same call, and Telegram takes it once a second.
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


@asynccontextmanager
async def run_loops(app: BotApp) -> AsyncIterator[None]:
    """Run the program's loops until left; then fetch no more updates, and finish those in hand."""
    async with asyncio.TaskGroup() as tasks:
        run_jobs = partial(_run_jobs, tasks, app.jobs)
        if app.settings.webhook_url:
            async with run_jobs():
                yield
            return
        polling = tasks.create_task(app.intake.poller.run(run_jobs))
        try:
            yield
        finally:
            app.intake.poller.stop()
            await asyncio.wait({polling})


@asynccontextmanager
async def _run_jobs(tasks: asyncio.TaskGroup, jobs: Jobs) -> AsyncIterator[None]:
    loops = [tasks.create_task(loop) for loop in jobs.loops()]
    try:
        yield
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)


async def _publish_menus(app: BotApp) -> None:
    bot, catalogue, settings = app.senders.bot, app.deps.catalogue, app.settings
    await publish_profile(bot, catalogue)
    try:
        await publish_staff_menus(bot, catalogue, settings.staff, app.deps.store.bot_ownership(FRONT_END))
    except StorageError as error:
        log.warning("the menus of support staff are published at the next start", exc_info=error)


def _run_loop(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)


def _listener(host: str, port: int, names: str) -> socket:
    try:
        return listen(host, port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BadSetting(f"{names}: cannot listen on {host}:{port} ({reason})") from None


def _local_url(host: str, listener: socket) -> str:
    port = _port(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _check_reachable(settings: Settings, public_url: str) -> None:
    # A trial with simulated providers works on one machine, where somebody copies the link.
    if not (settings.on_loopback or settings.simulated_methods or is_elsewhere(urlsplit(public_url).hostname or "")):
        raise BadSetting(f"PUBLIC_URL: missing; phones cannot reach {public_url}")


def _port(listener: socket) -> int:
    return int(listener.getsockname()[1])


def _first_error(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
