"""Builds every object of the program, in the order in which they depend on each other.

Nothing is started here: `bot.app` runs what is built. No object reaches for one that is made after it. Where two parts
need each other, something small is made before both. `Announcements`: the core wakes the loops, and the loops call the
core. `DeletionScheduler`: the reply sender lists a message, and the cleanup loop deletes it through the reply sender.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import timedelta, timezone
from functools import partial
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

from msgspec.structs import replace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from telegram.ext import Application, ContextTypes, ExtBot

from bot.container.parts import Announcements, AppDeps, BotApp, Engine, Handlers, Intake, Jobs, Senders, is_outage
from bot.container.web import ServedParts, build_web
from bot.content import vocabulary
from bot.content.questions import FaqMatcher
from bot.engine.messages import FRONT_END
from bot.engine.notices import LEASE, NoticeDispatcher
from bot.engine.reminders import ReminderLoop
from bot.engine.replicas import Replicas
from bot.engine.runner import Runner
from bot.engine.turns import RunnerConfig
from bot.flow.reminders import ReminderTimes
from bot.flow.rows import RuleContext
from bot.handlers.api.call_outcome import CallOutcome
from bot.handlers.api.fence import SendFence
from bot.handlers.api.rate_limiter import RateLimiter
from bot.handlers.api.rate_model import SendRates
from bot.handlers.background import BackgroundReplies
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
from bot.intake import AnyApplication, Poller, UpdateIntake
from bot.jobs.cleanup import Cleanup, DeletionScheduler
from bot.jobs.count_metrics import CountCollector
from bot.jobs.result_webhook import ResultSender
from bot.private_form import FormLinks, PrivateForm
from bot.settings import Settings
from storage.database import DatabaseCounts
from verification.attempts import Method
from verification.callers.keys import is_api_caller
from verification.core import Core, CoreDeps
from verification.ids import PersonId
from verification.limits import AttemptLimits
from verification.provider_polling import ProviderPoller
from verification.providers.counts import ProviderCounts
from verification.result_outbox import DeliveryStatus
from verification.support.service import SupportService

P = ParamSpec("P")
T = TypeVar("T")
_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds: the limits of the classes for what is done on this machine or near it."""
_COUNTED_METHODS = (
    "sendMessage",
    "sendPhoto",
    "editMessageText",
    "editMessageCaption",
    "editMessageMedia",
    "editMessageReplyMarkup",
    "deleteMessage",
    "answerCallbackQuery",
    "answerInlineQuery",
)
"""Methods whose series are there from the start; others come with their first call."""


def build_app(settings: Settings, deps: AppDeps, *, replica_name: str) -> BotApp:
    """Build everything and start nothing; needs a running event loop.

    `replica_name` names this program among others on the same store, and stays the same over its restarts.
    """
    registry, announcements = CollectorRegistry(), Announcements()
    register_counts(registry, deps.store.counts, deps.providers.counts)
    deps.store.counts.on_commit = Histogram(
        "storage_commit_seconds", "How long commits take", registry=registry, buckets=_SHORT
    ).observe
    ProcessCollector(registry=registry)
    core = _core(settings, deps, announcements)
    support = SupportService(deps.store, deps.clock.now, settings.link_ttl, tuple(deps.providers.by_method))
    replicas = _replicas(settings, deps, replica_name)
    fence = SendFence()
    senders = _senders(settings, deps, registry, replicas, fence)
    faq = FaqMatcher(deps.catalogue.faq, registry)
    config = _runner_config(settings, deps, faq)
    runner = Runner(deps.store, core, senders.replies, config, replicas)
    handlers = _handlers(settings, deps, support, senders, faq, runner)
    intake = _intake(settings, deps, registry, senders, handlers, runner, fence)
    jobs = _jobs(settings, deps, registry, core, runner, senders.replies)
    announcements.subscribe(jobs.notices.announce)
    announcements.subscribe(lambda _: jobs.result_sender.wake())
    form = _private_form(settings, deps, senders, runner, config)
    served = ServedParts(core, jobs.provider_poller, support, form)
    pages, metrics = build_web(settings, deps, registry, intake, served)
    return BotApp(
        settings=settings,
        deps=deps,
        support=support,
        senders=senders,
        engine=Engine(runner, replicas),
        handlers=handlers,
        intake=intake,
        jobs=jobs,
        web_app=pages,
        metrics_app=metrics,
    )


def register_counts(registry: CollectorRegistry, database: DatabaseCounts, providers: ProviderCounts) -> None:
    """Show what the database and the providers count."""
    trips = "Round trips to the server, or to the thread of the embedded database"
    unknown = "Codes of a provider that are in no table"
    for collector in (
        CountCollector("storage_commits", "Commits that changed something", lambda: database.commits),
        CountCollector("storage_round_trips", trips, lambda: database.round_trips),
        CountCollector("bot_provider_unknown", unknown, lambda: providers.unknown_codes, label="code"),
        CountCollector("bot_provider_billed", "Checks that a provider charges for", lambda: providers.billed),
    ):
        registry.register(collector)


def _core(settings: Settings, deps: AppDeps, announcements: Announcements) -> Core:
    return Core(
        deps.store,
        deps.providers.by_method,
        CoreDeps(
            clock=deps.clock.now,
            token=deps.new_token,
            match_code=deps.new_match_code,
            phone_url=deps.phone_url,
            on_notice=announcements.announce,
            notice_lease=LEASE,
            front_end=FRONT_END,
            hears_by_webhook=is_api_caller,
        ),
        ttl=settings.qr_ttl,
        limits=AttemptLimits(overall=settings.daily_attempt_limit),
        posts_results=deps.result_endpoint is not None,
        polled=frozenset(deps.providers.pollable),
    )


def _replicas(settings: Settings, deps: AppDeps, name: str) -> Replicas | None:
    """With webhooks several programs may serve one bot; the one that polls works alone."""
    if not settings.webhook_url:
        return None
    return Replicas(store=deps.store, name=name, program=deps.new_token(), is_outage=is_outage)


def _senders(
    settings: Settings, deps: AppDeps, registry: CollectorRegistry, replicas: Replicas | None, fence: SendFence
) -> Senders:
    calls = Counter("bot_calls", "Calls to Telegram, by outcome", ["method", "outcome"], registry=registry)
    seconds = Histogram("bot_call_seconds", "How long calls to Telegram take", ["method"], registry=registry)
    for method in _COUNTED_METHODS:
        seconds.labels(method)
        for outcome in CallOutcome:
            calls.labels(method, outcome)
    limiter = RateLimiter(
        calls,
        lambda: 1 if replicas is None else len(replicas.alive),
        SendRates.of(per_second=settings.messages_per_second, per_chat=settings.messages_per_chat_per_second),
        enabled=settings.rate_limit_sending,
        seconds=seconds,
        may_send=fence.wait,
    )
    bot = deps.make_bot(limiter)
    deletions = DeletionScheduler(deps.store, deps.clock.now)
    background = BackgroundReplies()
    return Senders(
        bot,
        ReplySender(bot, deps.catalogue, deletions.schedule, _form_links(settings, deps).url),
        background,
        StaffReplySender(bot, deps.catalogue, background),
    )


def _form_links(settings: Settings, deps: AppDeps) -> FormLinks:
    return FormLinks(store=deps.store, public_url=settings.public_url, now=deps.clock.now)


def _private_form(
    settings: Settings, deps: AppDeps, senders: Senders, runner: Runner, config: RunnerConfig
) -> PrivateForm:
    return PrivateForm(
        links=_form_links(settings, deps),
        handle=runner.handle,
        catalogue=deps.catalogue,
        new_rule_context=config.new_rule_context,
        bot_token=senders.bot.token,
    )


def _runner_config(settings: Settings, deps: AppDeps, faq: FaqMatcher) -> RunnerConfig:
    # The funnel counts people, not what staff try out.
    staff = frozenset(map(person_of, settings.staff))

    methods = tuple(method for method in Method if method in deps.providers.by_method)

    def is_counted(person: PersonId) -> bool:
        return person not in staff

    def new_rule_context() -> RuleContext:
        # The word lists are read at the first turn, not at the start.
        words = vocabulary.load()
        return replace(
            deps.clock.rule_context(),
            methods=methods,
            resting=deps.providers.resting,
            topics_in=faq.topics_in,
            words=words,
        )

    zone = timezone(timedelta(hours=settings.reminder_utc_offset))
    return RunnerConfig(
        new_rule_context=new_rule_context,
        is_outage=is_outage,
        language=settings.language,
        advance=deps.advance,
        count_question=faq.count,
        is_counted=is_counted,
        reminders=ReminderTimes(zone=zone) if settings.reminders else None,
    )


def _handlers(
    settings: Settings, deps: AppDeps, support: SupportService, senders: Senders, faq: FaqMatcher, runner: Runner
) -> Handlers:
    service = StaffService(support, deps.catalogue, deps.clock.now, lambda: senders.bot.username)
    return Handlers(
        StaffHandler(
            settings.staff.__contains__, service, senders.staff_replies, runner, deps.store, settings.language
        ),
        DialogueHandler(runner, settings.staff.__contains__),
        GroupHandler(deps.catalogue, senders.background, settings.language),
        InlineHandler(deps.catalogue, faq.topics_in, settings.language),
    )


def _intake(
    settings: Settings,
    deps: AppDeps,
    registry: CollectorRegistry,
    senders: Senders,
    handlers: Handlers,
    runner: Runner,
    fence: SendFence,
) -> Intake:
    errors = HandlerErrors()
    application = _application(senders.bot, handlers, errors)
    monotonic = asyncio.get_running_loop().time
    turns = Histogram("bot_turn_seconds", "From an update to the commit of its turn", registry=registry, buckets=_SHORT)
    taken = Counter("bot_updates", "Updates taken, by outcome", ["outcome"], registry=registry)
    for outcome in ("handled", "dead", "unreadable", "passed_over"):
        taken.labels(outcome)
    updates = UpdateIntake(
        application,
        errors,
        DeadLetters(senders.bot, deps.catalogue, deps.store, deps.clock.now, senders.background, settings.language).add,
        is_outage,
        taken,
        FloodControl(deps.store, runner, deps.clock.now, monotonic),
        _timed(handlers.dialogue.take, turns, monotonic),
    )
    poller = Poller(
        application,
        updates,
        partial(deps.store.polling_lease, FRONT_END),
        runner.resume_pending,
        is_outage,
        fence,
        partial(deps.store.bot_ownership(FRONT_END).begin_polling, deps.new_token()),
    )
    return Intake(application, updates, poller)


def _timed(
    work: Callable[P, Awaitable[T]], seconds: Histogram, clock: Callable[[], float]
) -> Callable[P, Coroutine[Any, Any, T]]:
    async def timed(*args: P.args, **kwargs: P.kwargs) -> T:
        began = clock()
        try:
            return await work(*args, **kwargs)
        finally:
            seconds.observe(clock() - began)

    return timed


def _application(bot: ExtBot[None], handlers: Handlers, errors: HandlerErrors) -> AnyApplication:
    application: AnyApplication = (
        Application.builder().bot(bot).updater(None).context_types(ContextTypes(context=DialogueContext)).build()
    )
    application.add_handlers((handlers.staff, handlers.dialogue, handlers.groups, handlers.inline))
    application.add_error_handler(errors.record)
    return application


def _jobs(
    settings: Settings,
    deps: AppDeps,
    registry: CollectorRegistry,
    core: Core,
    runner: Runner,
    replies: ReplySender,
) -> Jobs:
    store, now = deps.store, deps.clock.now
    resting = Gauge("bot_provider_resting", "Whether a method's provider rests", ["method"], registry=registry)
    for method, breaker in deps.providers.breakers.items():
        resting.labels(method).set_function(partial(attrgetter("is_resting"), breaker))
    news = _outcome_counter(
        registry,
        name="bot_provider_answers",
        description="Providers' answers about attempts, by outcome",
        outcomes=("ignored", "unavailable", "verdict", "late", "contradicted", "progress"),
    )
    results = _outcome_counter(
        registry,
        name="bot_results",
        description="Results for another server, by outcome",
        outcomes=("postponed", *DeliveryStatus),
    )
    seconds = Histogram("bot_result_seconds", "How long the receiver of results takes to answer", registry=registry)
    endpoint = deps.result_endpoint
    if endpoint is not None:
        endpoint = replace(endpoint, call=_timed(endpoint.call, seconds, asyncio.get_running_loop().time))
    return Jobs(
        notices=NoticeDispatcher(store, core, runner, now),
        cleanup=Cleanup(store, replies.delete_pending, now, timedelta(days=settings.retention_days)),
        provider_poller=ProviderPoller(store, core, deps.providers.pollable, now, news),
        reminders=ReminderLoop(store, runner.handle, now) if settings.reminders else None,
        result_sender=ResultSender(store.result_outbox(), endpoint, now, results),
    )


def _outcome_counter(
    registry: CollectorRegistry, *, name: str, description: str, outcomes: Iterable[str]
) -> Callable[[str], None]:
    counter = Counter(name, description, ["outcome"], registry=registry)
    for outcome in outcomes:
        counter.labels(outcome)
    return lambda outcome: counter.labels(outcome).inc()
