"""Puts the parts of the program together, on whatever ground it stands."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from telegram.ext import Application, ContextTypes, ExtBot

from bot.clock import Clock
from bot.content.catalogue import LANGUAGES, Catalogue
from bot.content.questions import FaqMatcher
from bot.engine.notices import NoticeDispatcher
from bot.engine.replicas import Replicas
from bot.engine.runner import Runner
from bot.engine.turns import Advance, RunnerConfig
from bot.flow.machine import advance
from bot.handlers.api.rate_limiter import RateLimiter
from bot.handlers.dead_letters import DeadLetters
from bot.handlers.dialogue import DialogueContext, DialogueHandler, HandlerErrors
from bot.handlers.flood_control import FloodControl
from bot.handlers.groups import GroupHandler
from bot.handlers.incoming import person_of
from bot.handlers.inline import InlineHandler
from bot.handlers.outgoing import ReplySender
from bot.handlers.staff.delivery import StaffReplySender
from bot.handlers.staff.handler import StaffHandler
from bot.handlers.staff.service import StaffService
from bot.images import qr
from bot.intake import AnyApplication, Poller, UpdateIntake
from bot.jobs.cleanup import Cleanup
from bot.jobs.funnel_metrics import FunnelCollector
from bot.jobs.result_webhook import ResultEndpoint, ResultSender
from bot.links import to_account
from bot.settings import Settings
from storage import SqlStore, StorageError, StoreUnavailable
from verification.attempts import Method
from verification.core import Core, CoreDeps
from verification.dialogue_store import Person
from verification.limits import AttemptLimits
from verification.ports import Provider
from verification.provider_polling import ProviderPoller
from verification.providers.http import HttpProvider
from verification.support.service import SupportService
from web.app import WebDeps, web_app
from web.dependencies import ApiRoute, DeskRoute, QrCodes, TelegramRoute

_POLL_HEALTHY_WITHIN = 90


@dataclass(frozen=True, slots=True)
class AppDeps:
    """What the program stands on: everything that is not itself, so that it can be tried in another world."""

    store: SqlStore
    make_bot: Callable[[RateLimiter], ExtBot[None]]
    clock: Clock
    new_token: Callable[[], str]
    new_match_code: Callable[[], str]
    public_url: str
    providers: Mapping[Method, Provider]
    catalogue: Catalogue
    advance: Advance = advance
    result_endpoint: ResultEndpoint | None = None


@dataclass(frozen=True, slots=True)
class BotApp:
    """The parts that the loops of the program need."""

    settings: Settings
    clock: Clock
    store: SqlStore
    application: AnyApplication
    runner: Runner
    notices: NoticeDispatcher
    cleanup: Cleanup
    provider_poller: ProviderPoller
    result_sender: ResultSender
    reply_sender: ReplySender
    intake: UpdateIntake
    poller: Poller
    replicas: Replicas | None
    inline: InlineHandler
    support: SupportService
    staff_reply_sender: StaffReplySender
    web_app: Starlette


def build_app(settings: Settings, deps: AppDeps, replica_name: str) -> BotApp:
    """All parts of the program put together on this ground; nothing is begun yet.

    `place` names where it runs, among other programs on the same store.
    """
    store, clock, ways, catalogue = deps.store, deps.clock, deps.providers, deps.catalogue
    failures, registry = HandlerErrors(), CollectorRegistry()
    told = Counter("bot_results", "Results for another server, by what became of them", ["outcome"], registry=registry)
    results = ResultSender(
        store.result_outbox(), deps.result_endpoint, clock.now, lambda outcome: told.labels(outcome).inc()
    )

    def announce() -> None:
        notices.wake()
        results.wake()

    outside = CoreDeps(
        clock.now, deps.new_token, deps.new_match_code, lambda made: f"{deps.public_url}/v/{made}", announce
    )
    core = Core(
        store,
        ways,
        outside,
        ttl=settings.qr_ttl,
        limits=AttemptLimits(overall=settings.daily_attempt_limit),
        posts_results=deps.result_endpoint is not None,
    )
    # Only by webhook: whoever polls is the only one at work.
    replicas = Replicas(store, replica_name, deps.new_token(), _is_outage) if settings.webhook_url else None
    calls = Counter("bot_calls", "Calls to Telegram, by what became of them", ["method", "outcome"], registry=registry)
    bot = deps.make_bot(
        RateLimiter(calls, lambda: 1 if replicas is None else len(replicas.alive), enabled=settings.rate_limit_sending)
    )
    application = _application(bot, failures)
    outgoing = ReplySender(bot, catalogue, lambda person, message: housekeeping.schedule_deletion(person, message))
    questions = FaqMatcher(catalogue.faq, registry)
    moment = questions.with_topics_in(clock.rule_context)
    surroundings = RunnerConfig(
        moment, _is_outage, settings.language, deps.advance, questions.count, _is_counted(settings)
    )
    runner = Runner(store, core, outgoing, surroundings, replicas)
    notices = NoticeDispatcher(store, core, runner, clock.now)
    housekeeping = Cleanup(store, outgoing.delete_pending, clock.now, timedelta(days=settings.retention_days))
    support = SupportService(store, clock.now, settings.link_ttl)
    inline = InlineHandler(catalogue, questions.topics_in, settings.language)
    delivery = StaffReplySender(bot, catalogue)
    clerk = StaffService(support, catalogue, clock.now, lambda: bot.username)
    staff = StaffHandler(settings.staff.__contains__, clerk, delivery, runner, store, settings.language)
    groups = GroupHandler(catalogue, settings.language)
    application.add_handlers((staff, DialogueHandler(runner), groups, inline))
    updates = Counter("bot_updates", "Updates taken, by what became of them", ["outcome"], registry=registry)
    answers = Counter("bot_provider_answers", "News of attempts, by what came of it", ["outcome"], registry=registry)
    remote = {method: way for method, way in ways.items() if isinstance(way, HttpProvider)}
    asking = ProviderPoller(store, core, remote, clock.now, lambda outcome: answers.labels(outcome).inc())
    tallies = FunnelCollector(store, StoreUnavailable, asyncio.get_running_loop().time)
    registry.register(tallies)
    trouble = DeadLetters(bot, catalogue, store, clock.now, settings.language)
    crowd = FloodControl(store, runner, clock.now, asyncio.get_running_loop().time)
    door = UpdateIntake(application, failures, trouble.add, _is_outage, updates, crowd)
    polling = Poller(application, door, store.polling_lease, runner.resume_pending, _is_outage)
    parts = WebDeps(
        core=core,
        providers=ways,
        texts={
            language: catalogue.section(language, "page.") | catalogue.section(language, "desk.")
            for language in LANGUAGES
        },
        ready=_readiness(store, door, polling, settings),
        registry=registry,
        clock=clock.now,
        notify_provider_news=asking.notify,
        refresh=tallies.refresh,
        is_outage=_is_outage,
        telegram=_telegram_route(settings, door),
        desk=_desk_route(settings, deps, support, bot),
        api=_api_route(settings, deps, support, bot),
    )
    return BotApp(
        settings=settings,
        clock=clock,
        store=store,
        application=application,
        runner=runner,
        notices=notices,
        cleanup=housekeeping,
        provider_poller=asking,
        result_sender=results,
        reply_sender=outgoing,
        intake=door,
        poller=polling,
        replicas=replicas,
        inline=inline,
        support=support,
        staff_reply_sender=delivery,
        web_app=web_app(parts),
    )


def _application(bot: ExtBot[None], failures: HandlerErrors) -> AnyApplication:
    application: AnyApplication = (
        Application.builder().bot(bot).updater(None).context_types(ContextTypes(context=DialogueContext)).build()
    )
    application.add_error_handler(failures.record)
    return application


def _readiness(store: SqlStore, door: UpdateIntake, polling: Poller, settings: Settings) -> Callable[[], Any]:
    async def ready() -> Mapping[str, bool]:
        try:
            await store.pending_replies(1)
        except StorageError:
            stored = False
        else:
            # A full disk can be read from: only whoever has to write notices.
            stored = not door.stuck
        heard = polling.polled_at
        listening = heard is not None and asyncio.get_running_loop().time() - heard < _POLL_HEALTHY_WITHIN
        # A program that waits for its turn is as good as one can be: nothing must wait for it to poll.
        return {"store": stored, "telegram": bool(settings.webhook_url) or polling.is_waiting or listening}

    return ready


def _is_counted(settings: Settings) -> Callable[[Person], bool]:
    """The funnel is about people, not about support's own trials."""
    staff = frozenset(map(person_of, settings.staff))
    return lambda person: person not in staff


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, StoreUnavailable)


def _telegram_route(settings: Settings, door: UpdateIntake) -> TelegramRoute | None:
    """Telegram's own, where it delivers by webhook."""
    if not settings.webhook_url or settings.webhook_secret is None:
        return None
    return TelegramRoute(settings.webhook_secret.get_secret_value(), door.handle_body)


def _desk_route(settings: Settings, ground: AppDeps, support: SupportService, bot: ExtBot[None]) -> DeskRoute | None:
    """Support's desk, where there is a key to it."""
    if settings.desk_key is None:
        return None
    # The bot's name is known once it is connected, and no page is served before.
    return DeskRoute(
        key=settings.desk_key.get_secret_value(),
        support=support,
        keyed_digest=ground.store.keyed_digest,
        link_url=lambda token: to_account(bot.username, token),
        qr=QrCodes(qr.page_svg, qr.print_png),
        topics={language: ground.catalogue.titles(language) for language in LANGUAGES},
        new_id=ground.new_token,
        secure=ground.public_url.startswith("https:"),
    )


def _api_route(settings: Settings, ground: AppDeps, support: SupportService, bot: ExtBot[None]) -> ApiRoute | None:
    """Other programs' calls, where any has a key."""
    if not settings.caller_keys:
        return None
    return ApiRoute(
        keys=settings.caller_keys,
        support=support,
        # The bot's name is known once it is connected, and no call is served before.
        link_url=lambda token: to_account(bot.username, token),
        qr=QrCodes(qr.page_svg, qr.print_png),
        new_id=ground.new_token,
    )
