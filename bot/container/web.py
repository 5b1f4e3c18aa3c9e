"""Builds the web side: phone pages, health and metrics, Telegram's webhook, support's desk, and the HTTP API."""

import asyncio
import platform
from collections.abc import Callable, Mapping
from functools import partial
from os import getpid
from socket import gethostname

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from telegram.ext import ExtBot

from bot import __version__
from bot.container.parts import AppDeps, Intake, is_outage
from bot.container.readiness import (
    STORE_SECONDS,
    WEBHOOK_SECONDS,
    PollingProbe,
    Readiness,
    SharedProbe,
    StoreProbe,
    WebhookProbe,
)
from bot.content.catalogue import LANGUAGES, Catalogue
from bot.images import qr
from bot.intake import UpdateIntake
from bot.jobs.funnel_metrics import FunnelCollector
from bot.jobs.program_metrics import ProgramCollector, ProgramFacts
from bot.jobs.result_metrics import ResultBacklogCollector
from bot.links import to_account
from bot.settings import Settings
from storage import StoreUnavailable, sqlite_path
from verification.callers.attempts import CallerAttempts
from verification.core import Core
from verification.provider_polling import ProviderPoller
from verification.record import Record
from verification.support.service import SupportService
from web.app import WebDeps, metrics_app, web_app
from web.dependencies import ApiRoute, DeskRoute, FormRoute, QrCodes, TelegramRoute, Texts
from web.webhooks import TELEGRAM_PATH

_QR_CODES = QrCodes(qr.page_svg, qr.print_png, qr.terminal_text)


class ServedParts(Record):
    """The parts whose work the pages and calls show."""

    core: Core
    provider_poller: ProviderPoller
    support: SupportService
    form: FormRoute


def build_web(
    settings: Settings,
    deps: AppDeps,
    registry: CollectorRegistry,
    intake: Intake,
    served: ServedParts,
) -> tuple[Starlette, Starlette]:
    """Build the web application, and the one that serves the metrics alone."""
    readiness = _readiness(settings, deps, intake)
    monotonic = asyncio.get_running_loop().time
    funnel = FunnelCollector(deps.store, StoreUnavailable, monotonic, campaigns=settings.metrics_campaigns)
    program = ProgramCollector(
        ProgramFacts(
            build=_build(settings),
            ready=readiness.check,
            backlog=deps.store.backlog,
            updated_at=lambda: intake.updates.handled_at,
            providers={method: partial(deps.providers.is_up, method) for method in deps.providers.by_method},
            clock=deps.clock.now,
            monotonic=monotonic,
            outage=StoreUnavailable,
        )
    )

    results = ResultBacklogCollector(deps.store.result_outbox().backlog, StoreUnavailable, deps.clock.now, monotonic)

    async def refresh() -> None:
        await asyncio.gather(funnel.refresh(), program.refresh(), results.refresh())

    registry.register(funnel)
    registry.register(program)
    registry.register(results)
    web = WebDeps(
        core=served.core,
        providers=deps.providers.by_method,
        pages=deps.providers.pages,
        pollable=deps.providers.pollable,
        texts=_page_texts(deps.catalogue),
        ready=readiness.check,
        registry=registry,
        clock=deps.clock.now,
        public_url=deps.public_url,
        notify_provider_news=served.provider_poller.notify,
        refresh=refresh,
        is_outage=is_outage,
        telegram=_telegram_route(settings, intake.updates),
        desk=_desk_route(settings, deps, served.support, _link_url(intake.application.bot)),
        api=_api_route(settings, deps, served.core, served.support, _link_url(intake.application.bot)),
        form=served.form,
        framed=settings.on_loopback,
        metrics_key=None if settings.metrics_key is None else settings.metrics_key.get_secret_value(),
        serves_metrics=settings.serves_metrics,
    )
    return web_app(web), metrics_app(web)


def _build(settings: Settings) -> Mapping[str, str]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "database": "sqlite" if sqlite_path(settings.store_url) else "postgresql",
        "intake": "webhook" if settings.webhook_url else "polling",
    }


def _page_texts(catalogue: Catalogue) -> Mapping[str, Texts]:
    return {
        language: catalogue.section(language, "page.") | catalogue.section(language, "desk.") for language in LANGUAGES
    }


def _readiness(settings: Settings, deps: AppDeps, intake: Intake) -> Readiness:
    clock = asyncio.get_running_loop().time
    # A name of its own: a program that is stopped in the middle of its write keeps no other waiting.
    store = StoreProbe(deps.store, f"probe:{gethostname()}:{getpid()}")
    if not settings.webhook_url:
        # Its answer costs nothing, so it counts for no time.
        telegram = SharedProbe(PollingProbe(intake.poller, clock).ask, 0, clock)
    else:
        url = settings.webhook_url + TELEGRAM_PATH
        webhook = WebhookProbe(intake.application.bot, url, intake.updates, clock)
        telegram = SharedProbe(webhook.ask, WEBHOOK_SECONDS, clock)
    return Readiness(SharedProbe(store.ask, STORE_SECONDS, clock), telegram)


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
        sign_outs=deps.store,
        keyed_digest=deps.store.keyed_digest,
        link_url=link_url,
        qr=_QR_CODES,
        topics={language: deps.catalogue.titles(language) for language in LANGUAGES},
        new_id=deps.new_token,
        secure=deps.public_url.startswith("https:"),
    )


def _api_route(
    settings: Settings, deps: AppDeps, core: Core, support: SupportService, link_url: Callable[[str], str]
) -> ApiRoute | None:
    """The route for other programs' calls; None where no key is set."""
    if not settings.api_callers:
        return None
    return ApiRoute(
        callers=settings.api_callers,
        support=support,
        attempts=CallerAttempts(deps.store, core, deps.clock.now, deps.new_token, settings.simulated_methods),
        link_url=link_url,
        phone_url=deps.phone_url,
        qr=_QR_CODES,
        new_id=deps.new_token,
    )
