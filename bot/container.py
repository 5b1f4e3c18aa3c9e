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
from bot.content.questions import Questions
from bot.engine.notices import Notices
from bot.engine.replicas import Replicas
from bot.engine.runner import Runner
from bot.engine.turns import Advance, Surroundings
from bot.flow.machine import advance
from bot.handlers.api.rate_limiter import Pacer
from bot.handlers.dead_letters import Trouble
from bot.handlers.dialogue import DialogueContext, DialogueHandler, Failures
from bot.handlers.flood_control import Crowd
from bot.handlers.groups import GroupHandler
from bot.handlers.incoming import person_of
from bot.handlers.inline import InlineHandler
from bot.handlers.outgoing import Outgoing
from bot.handlers.staff.delivery import Delivery
from bot.handlers.staff.handler import StaffHandler
from bot.handlers.staff.service import Clerk
from bot.images import qr
from bot.intake import AnyApplication, Door, Polling
from bot.jobs.cleanup import Housekeeping
from bot.jobs.funnel_metrics import Tallies
from bot.jobs.result_webhook import Receiver, Results
from bot.links import to_account
from bot.settings import Settings
from storage import StorageError, Store, StoreUnavailable
from verification.attempts import Method
from verification.core import Core, Outside
from verification.dialogue_store import Person
from verification.limits import Limits
from verification.ports import Provider
from verification.provider_polling import Asking
from verification.providers.http import Http
from verification.support.service import Support
from web.app import Parts, web_app
from web.dependencies import ApiRoute, DeskRoute, QrCodes, TelegramRoute

_HEARD_WITHIN = 90


@dataclass(frozen=True, slots=True)
class Ground:
    """What the program stands on: everything that is not itself, so that it can be tried in another world."""

    store: Store
    bot: Callable[[Pacer], ExtBot[None]]
    clock: Clock
    token: Callable[[], str]
    match_code: Callable[[], str]
    public: str
    providers: Mapping[Method, Provider]
    catalogue: Catalogue
    advance: Advance = advance
    receiver: Receiver | None = None


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
    results: Results
    outgoing: Outgoing
    door: Door
    polling: Polling
    replicas: Replicas | None
    inline: InlineHandler
    support: Support
    delivery: Delivery
    pages: Starlette


def assembled(settings: Settings, ground: Ground, place: str) -> House:
    """All parts of the program put together on this ground; nothing is begun yet.

    `place` names where it runs, among other programs on the same store.
    """
    store, clock, ways, catalogue = ground.store, ground.clock, ground.providers, ground.catalogue
    failures, registry = Failures(), CollectorRegistry()
    told = Counter("bot_results", "Results for another server, by what became of them", ["outcome"], registry=registry)
    results = Results(store.results(), ground.receiver, clock.now, lambda outcome: told.labels(outcome).inc())

    def announce() -> None:
        notices.wake()
        results.wake()

    outside = Outside(clock.now, ground.token, ground.match_code, lambda made: f"{ground.public}/v/{made}", announce)
    core = Core(
        store,
        ways,
        outside,
        ttl=settings.qr_ttl,
        limits=Limits(overall=settings.daily_attempts),
        posts_results=ground.receiver is not None,
    )
    # Only by webhook: whoever polls is the only one at work.
    replicas = Replicas(store, place, ground.token(), _is_outage) if settings.webhook_url else None
    calls = Counter("bot_calls", "Calls to Telegram, by what became of them", ["method", "outcome"], registry=registry)
    bot = ground.bot(Pacer(calls, lambda: 1 if replicas is None else len(replicas.alive), paced=settings.pace_sending))
    application = _application(bot, failures)
    outgoing = Outgoing(bot, catalogue, lambda person, message: housekeeping.take(person, message))
    questions = Questions(catalogue.faq, registry)
    moment = questions.given_to(clock.moment)
    surroundings = Surroundings(
        moment, _is_outage, settings.language, ground.advance, questions.count, _counts(settings)
    )
    runner = Runner(store, core, outgoing, surroundings, replicas)
    notices = Notices(store, core, runner, clock.now)
    housekeeping = Housekeeping(store, outgoing.sweep, clock.now, timedelta(days=settings.retention_days))
    support = Support(store, clock.now, settings.link_ttl)
    inline = InlineHandler(catalogue, questions.topics_in, settings.language)
    delivery = Delivery(bot, catalogue)
    clerk = Clerk(support, catalogue, clock.now, lambda: bot.username)
    staff = StaffHandler(settings.staff.__contains__, clerk, delivery, runner, store, settings.language)
    groups = GroupHandler(catalogue, settings.language)
    application.add_handlers((staff, DialogueHandler(runner), groups, inline))
    updates = Counter("bot_updates", "Updates taken, by what became of them", ["outcome"], registry=registry)
    answers = Counter("bot_provider_answers", "News of attempts, by what came of it", ["outcome"], registry=registry)
    remote = {method: way for method, way in ways.items() if isinstance(way, Http)}
    asking = Asking(store, core, remote, clock.now, lambda outcome: answers.labels(outcome).inc())
    tallies = Tallies(store, StoreUnavailable, asyncio.get_running_loop().time)
    registry.register(tallies)
    trouble = Trouble(bot, catalogue, store, clock.now, settings.language)
    crowd = Crowd(store, runner, clock.now, asyncio.get_running_loop().time)
    door = Door(application, failures, trouble.set_aside, _is_outage, updates, crowd)
    polling = Polling(application, door, store.polling_turn, runner.resume_owed, _is_outage)
    parts = Parts(
        core=core,
        providers=ways,
        words={
            language: catalogue.section(language, "page.") | catalogue.section(language, "desk.")
            for language in LANGUAGES
        },
        ready=_ready(store, door, polling, settings),
        registry=registry,
        clock=clock.now,
        ring=asking.ring,
        refresh=tallies.refresh,
        is_outage=_is_outage,
        telegram=_telegram_route(settings, door),
        desk=_desk_route(settings, ground, support, bot),
        api=_api_route(settings, ground, support, bot),
    )
    return House(
        settings=settings,
        clock=clock,
        store=store,
        application=application,
        runner=runner,
        notices=notices,
        housekeeping=housekeeping,
        asking=asking,
        results=results,
        outgoing=outgoing,
        door=door,
        polling=polling,
        replicas=replicas,
        inline=inline,
        support=support,
        delivery=delivery,
        pages=web_app(parts),
    )


def _application(bot: ExtBot[None], failures: Failures) -> AnyApplication:
    application: AnyApplication = (
        Application.builder().bot(bot).updater(None).context_types(ContextTypes(context=DialogueContext)).build()
    )
    application.add_error_handler(failures.note)
    return application


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


def _counts(settings: Settings) -> Callable[[Person], bool]:
    """The funnel is about people, not about support's own trials."""
    staff = frozenset(map(person_of, settings.staff))
    return lambda person: person not in staff


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, StoreUnavailable)


def _telegram_route(settings: Settings, door: Door) -> TelegramRoute | None:
    """Telegram's own, where it delivers by webhook."""
    if not settings.webhook_url or settings.webhook_secret is None:
        return None
    return TelegramRoute(settings.webhook_secret.get_secret_value(), door.take_body)


def _desk_route(settings: Settings, ground: Ground, support: Support, bot: ExtBot[None]) -> DeskRoute | None:
    """Support's desk, where there is a key to it."""
    if settings.desk_key is None:
        return None
    # The bot's name is known once it is connected, and no page is served before.
    return DeskRoute(
        key=settings.desk_key.get_secret_value(),
        support=support,
        keyed=ground.store.keyed,
        link_url=lambda token: to_account(bot.username, token),
        qr=QrCodes(qr.for_page, qr.for_print),
        topics={language: ground.catalogue.titles(language) for language in LANGUAGES},
        fresh=ground.token,
        secure=ground.public.startswith("https:"),
    )


def _api_route(settings: Settings, ground: Ground, support: Support, bot: ExtBot[None]) -> ApiRoute | None:
    """Other programs' calls, where any has a key."""
    if not settings.callers:
        return None
    return ApiRoute(
        keys=settings.callers,
        support=support,
        # The bot's name is known once it is connected, and no call is served before.
        link_url=lambda token: to_account(bot.username, token),
        qr=QrCodes(qr.for_page, qr.for_print),
        fresh=ground.token,
    )
