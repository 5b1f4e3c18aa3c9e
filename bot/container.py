"""Builds every object of the program, in the order in which they depend on each other.

Nothing is started here: `bot.app` runs what is built. No object reaches for one that is made after it. Where two parts
need each other, something small is made before both. `Announcements`: the core wakes the loops, and the loops call the
core. `DeletionScheduler`: the reply sender lists a message, and the cleanup loop deletes it through the reply sender.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta

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
from bot.jobs.cleanup import Cleanup, DeletionScheduler
from bot.jobs.funnel_metrics import FunnelCollector
from bot.jobs.result_webhook import ResultEndpoint, ResultSender
from bot.links import to_account
from bot.providers import ConfiguredProviders
from bot.settings import Settings
from storage import SqlStore, StorageError, StoreUnavailable
from verification.core import Core, CoreDeps
from verification.ids import PersonId
from verification.limits import AttemptLimits
from verification.provider_polling import ProviderPoller
from verification.support.service import SupportService
from web.app import WebDeps, web_app
from web.dependencies import ApiRoute, DeskRoute, QrCodes, TelegramRoute, Texts

_POLL_HEALTHY_WITHIN = 90
"""Seconds; a poll without updates takes 30."""
_QR_CODES = QrCodes(qr.page_svg, qr.print_png)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppDeps:
    """What the program takes from outside; a test or the simulation gives it another world here."""

    store: SqlStore
    make_bot: Callable[[RateLimiter], ExtBot[None]]
    clock: Clock
    new_token: Callable[[], str]
    new_match_code: Callable[[], str]
    public_url: str
    providers: ConfiguredProviders
    catalogue: Catalogue
    advance: Advance = advance
    result_endpoint: ResultEndpoint | None = None


class Announcements:
    """Carries "there is news" from the core to the loops that tell it.

    It is made before the core, and the loops subscribe when they are made. An announcement that nobody hears is no
    loss: each loop also looks at the store by itself.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call the listener at every announcement from now on."""
        self._listeners.append(listener)

    def announce(self) -> None:
        """Call every listener."""
        for listener in self._listeners:
            listener()


@dataclass(frozen=True, slots=True)
class Senders:
    """The bot, and what sends messages with it."""

    bot: ExtBot[None]
    replies: ReplySender
    staff_replies: StaffReplySender


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs dialogues; `replicas` is None where this process is the only one that writes to people."""

    runner: Runner
    replicas: Replicas | None


@dataclass(frozen=True, slots=True)
class Handlers:
    """The handlers of updates, in the order in which they are asked."""

    staff: StaffHandler
    dialogue: DialogueHandler
    groups: GroupHandler
    inline: InlineHandler


@dataclass(frozen=True, slots=True)
class Intake:
    """Where updates come in: each goes through `updates`, and `poller` fetches them where there is no webhook."""

    application: AnyApplication
    updates: UpdateIntake
    poller: Poller


@dataclass(frozen=True, slots=True)
class Jobs:
    """The loops that work while the program runs."""

    notices: NoticeDispatcher
    cleanup: Cleanup
    provider_poller: ProviderPoller
    result_sender: ResultSender

    def loops(self) -> tuple[Coroutine[object, object, None], ...]:
        """One endless coroutine for each job."""
        return self.notices.run(), self.cleanup.run(), self.provider_poller.run(), self.result_sender.run()


@dataclass(frozen=True, slots=True)
class BotApp:
    """The built program."""

    settings: Settings
    deps: AppDeps
    support: SupportService
    senders: Senders
    engine: Engine
    handlers: Handlers
    intake: Intake
    jobs: Jobs
    web_app: Starlette


def build_app(settings: Settings, deps: AppDeps, *, replica_name: str) -> BotApp:
    """Build everything and start nothing; needs a running event loop.

    `replica_name` names this program among others on the same store, and stays the same over its restarts.
    """
    registry, announcements = CollectorRegistry(), Announcements()
    core = _core(settings, deps, announcements)
    support = SupportService(deps.store, deps.clock.now, settings.link_ttl)
    replicas = _replicas(settings, deps, replica_name)
    senders = _senders(settings, deps, registry, replicas)
    faq = FaqMatcher(deps.catalogue.faq, registry)
    runner = Runner(deps.store, core, senders.replies, _runner_config(settings, deps, faq), replicas)
    handlers = _handlers(settings, deps, support, senders, faq, runner)
    intake = _intake(settings, deps, registry, senders.bot, handlers, runner)
    jobs = _jobs(settings, deps, registry, core, runner, senders.replies)
    announcements.subscribe(jobs.notices.wake)
    announcements.subscribe(jobs.result_sender.wake)
    return BotApp(
        settings=settings,
        deps=deps,
        support=support,
        senders=senders,
        engine=Engine(runner, replicas),
        handlers=handlers,
        intake=intake,
        jobs=jobs,
        web_app=_web(settings, deps, registry, core, jobs.provider_poller, intake, support),
    )


def _core(settings: Settings, deps: AppDeps, announcements: Announcements) -> Core:
    return Core(
        deps.store,
        deps.providers.by_method,
        CoreDeps(
            clock=deps.clock.now,
            token=deps.new_token,
            match_code=deps.new_match_code,
            phone_url=lambda token: f"{deps.public_url}/v/{token}",
            on_notice=announcements.announce,
        ),
        ttl=settings.qr_ttl,
        limits=AttemptLimits(overall=settings.daily_attempt_limit),
        posts_results=deps.result_endpoint is not None,
    )


def _replicas(settings: Settings, deps: AppDeps, name: str) -> Replicas | None:
    """With webhooks several programs may serve one bot; the one that polls works alone."""
    if not settings.webhook_url:
        return None
    return Replicas(store=deps.store, name=name, program=deps.new_token(), is_outage=_is_outage)


def _senders(settings: Settings, deps: AppDeps, registry: CollectorRegistry, replicas: Replicas | None) -> Senders:
    calls = Counter("bot_calls", "Calls to Telegram, by outcome", ["method", "outcome"], registry=registry)
    limiter = RateLimiter(
        calls, lambda: 1 if replicas is None else len(replicas.alive), enabled=settings.rate_limit_sending
    )
    bot = deps.make_bot(limiter)
    deletions = DeletionScheduler(deps.store, deps.clock.now)
    return Senders(bot, ReplySender(bot, deps.catalogue, deletions.schedule), StaffReplySender(bot, deps.catalogue))


def _runner_config(settings: Settings, deps: AppDeps, faq: FaqMatcher) -> RunnerConfig:
    # The funnel counts people, not what staff try out.
    staff = frozenset(map(person_of, settings.staff))

    def is_counted(person: PersonId) -> bool:
        return person not in staff

    return RunnerConfig(
        new_rule_context=faq.with_topics_in(deps.clock.rule_context),
        is_outage=_is_outage,
        language=settings.language,
        advance=deps.advance,
        count_question=faq.count,
        is_counted=is_counted,
    )


def _handlers(
    settings: Settings, deps: AppDeps, support: SupportService, senders: Senders, faq: FaqMatcher, runner: Runner
) -> Handlers:
    service = StaffService(support, deps.catalogue, deps.clock.now, lambda: senders.bot.username)
    return Handlers(
        StaffHandler(
            settings.staff.__contains__, service, senders.staff_replies, runner, deps.store, settings.language
        ),
        DialogueHandler(runner),
        GroupHandler(deps.catalogue, settings.language),
        InlineHandler(deps.catalogue, faq.topics_in, settings.language),
    )


def _intake(
    settings: Settings,
    deps: AppDeps,
    registry: CollectorRegistry,
    bot: ExtBot[None],
    handlers: Handlers,
    runner: Runner,
) -> Intake:
    errors = HandlerErrors()
    application = _application(bot, handlers, errors)
    monotonic = asyncio.get_running_loop().time
    updates = UpdateIntake(
        application,
        errors,
        DeadLetters(bot, deps.catalogue, deps.store, deps.clock.now, settings.language).add,
        _is_outage,
        Counter("bot_updates", "Updates taken, by outcome", ["outcome"], registry=registry),
        FloodControl(deps.store, runner, deps.clock.now, monotonic),
    )
    poller = Poller(application, updates, deps.store.polling_lease, runner.resume_pending, _is_outage)
    return Intake(application, updates, poller)


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
    news = _outcome_counter(
        registry, name="bot_provider_answers", description="Providers' answers about attempts, by outcome"
    )
    results = _outcome_counter(registry, name="bot_results", description="Results for another server, by outcome")
    return Jobs(
        notices=NoticeDispatcher(store, core, runner, now),
        cleanup=Cleanup(store, replies.delete_pending, now, timedelta(days=settings.retention_days)),
        provider_poller=ProviderPoller(store, core, deps.providers.pollable, now, news),
        result_sender=ResultSender(store.result_outbox(), deps.result_endpoint, now, results),
    )


def _outcome_counter(registry: CollectorRegistry, *, name: str, description: str) -> Callable[[str], None]:
    counter = Counter(name, description, ["outcome"], registry=registry)
    return lambda outcome: counter.labels(outcome).inc()


def _web(
    settings: Settings,
    deps: AppDeps,
    registry: CollectorRegistry,
    core: Core,
    provider_poller: ProviderPoller,
    intake: Intake,
    support: SupportService,
) -> Starlette:
    funnel = FunnelCollector(deps.store, StoreUnavailable, asyncio.get_running_loop().time)
    registry.register(funnel)
    return web_app(
        WebDeps(
            core=core,
            providers=deps.providers.by_method,
            texts=_page_texts(deps.catalogue),
            ready=_Readiness(deps.store, intake, by_webhook=bool(settings.webhook_url)).check,
            registry=registry,
            clock=deps.clock.now,
            notify_provider_news=provider_poller.notify,
            refresh=funnel.refresh,
            is_outage=_is_outage,
            telegram=_telegram_route(settings, intake.updates),
            desk=_desk_route(settings, deps, support, _link_url(intake.application.bot)),
            api=_api_route(settings, deps, support, _link_url(intake.application.bot)),
        )
    )


def _page_texts(catalogue: Catalogue) -> Mapping[str, Texts]:
    return {
        language: catalogue.section(language, "page.") | catalogue.section(language, "desk.") for language in LANGUAGES
    }


@dataclass(frozen=True, slots=True)
class _Readiness:
    """Whether the parts that the program cannot do without work: the answer of `/readyz`."""

    store: SqlStore
    intake: Intake
    by_webhook: bool

    async def check(self) -> Mapping[str, bool]:
        """Return each part's name, and whether it works."""
        return {"store": await self._can_write(), "telegram": self._can_hear()}

    async def _can_write(self) -> bool:
        try:
            await self.store.pending_replies(1)
        except StorageError:
            return False
        # A full disk can still be read; only the intake, which writes, notices it.
        return not self.intake.updates.stuck

    def _can_hear(self) -> bool:
        poller = self.intake.poller
        # A program that waits for the polling lease is ready: nothing should wait for it to poll.
        if self.by_webhook or poller.is_waiting:
            return True
        now = asyncio.get_running_loop().time()
        return poller.polled_at is not None and now - poller.polled_at < _POLL_HEALTHY_WITHIN


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, StoreUnavailable)


def _link_url(bot: ExtBot[None]) -> Callable[[str], str]:
    # The bot learns its name when it connects, which is before any page or call is served.
    return lambda token: to_account(bot.username, token=token)


def _telegram_route(settings: Settings, updates: UpdateIntake) -> TelegramRoute | None:
    """The route of Telegram's webhook; None where the bot polls."""
    if not settings.webhook_url or settings.webhook_secret is None:
        return None
    return TelegramRoute(settings.webhook_secret.get_secret_value(), updates.handle_body)


def _desk_route(
    settings: Settings, deps: AppDeps, support: SupportService, link_url: Callable[[str], str]
) -> DeskRoute | None:
    """The route of support's desk; None where no key is set."""
    if settings.desk_key is None:
        return None
    return DeskRoute(
        key=settings.desk_key.get_secret_value(),
        support=support,
        keyed_digest=deps.store.keyed_digest,
        link_url=link_url,
        qr=_QR_CODES,
        topics={language: deps.catalogue.titles(language) for language in LANGUAGES},
        new_id=deps.new_token,
        secure=deps.public_url.startswith("https:"),
    )


def _api_route(
    settings: Settings, deps: AppDeps, support: SupportService, link_url: Callable[[str], str]
) -> ApiRoute | None:
    """The route for other programs' calls; None where no key is set."""
    if not settings.caller_keys:
        return None
    return ApiRoute(
        keys=settings.caller_keys,
        support=support,
        link_url=link_url,
        qr=_QR_CODES,
        new_id=deps.new_token,
    )
