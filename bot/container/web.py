"""Builds the web side: phone pages, health and metrics, Telegram's webhook, support's desk, and the HTTP API."""

import asyncio
from collections.abc import Callable, Mapping
from os import getpid
from socket import gethostname

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from telegram.ext import ExtBot

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
from bot.jobs.result_metrics import ResultBacklogCollector
from bot.links import to_account
from bot.settings import Settings
from storage import StoreUnavailable
from verification.callers.attempts import CallerAttempts
from verification.core import Core
from verification.provider_polling import ProviderPoller
from verification.support.service import SupportService
from web.app import WebDeps, web_app
from web.dependencies import ApiRoute, DeskRoute, QrCodes, TelegramRoute, Texts
from web.webhooks import TELEGRAM_PATH

_QR_CODES = QrCodes(qr.page_svg, qr.print_png, qr.terminal_text)


def build_web(
    settings: Settings,
    deps: AppDeps,
    registry: CollectorRegistry,
    core: Core,
    provider_poller: ProviderPoller,
    intake: Intake,
    support: SupportService,
) -> Starlette:
    """Build the web application."""
    funnel = FunnelCollector(deps.store, StoreUnavailable, asyncio.get_running_loop().time)
    registry.register(funnel)
    backlog = ResultBacklogCollector(
        deps.store.result_outbox().backlog, StoreUnavailable, deps.clock.now, asyncio.get_running_loop().time
    )
    registry.register(backlog)

    async def refresh() -> None:
        await asyncio.gather(funnel.refresh(), backlog.refresh())

    return web_app(
        WebDeps(
            core=core,
            providers=deps.providers.by_method,
            pollable=deps.providers.pollable,
            texts=_page_texts(deps.catalogue),
            ready=_readiness(settings, deps, intake).check,
            registry=registry,
            clock=deps.clock.now,
            public_url=deps.public_url,
            notify_provider_news=provider_poller.notify,
            refresh=refresh,
            is_outage=is_outage,
            telegram=_telegram_route(settings, intake.updates),
            desk=_desk_route(settings, deps, support, _link_url(intake.application.bot)),
            api=_api_route(settings, deps, core, support, _link_url(intake.application.bot)),
        )
    )


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
