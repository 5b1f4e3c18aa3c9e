"""Builds the web side: phone pages, health and metrics, Telegram's webhook, support's desk, and the HTTP API."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from telegram.ext import ExtBot

from bot.container.parts import AppDeps, Intake, is_outage
from bot.content.catalogue import LANGUAGES, Catalogue
from bot.engine.messages import FRONT_END
from bot.images import qr
from bot.intake import UpdateIntake
from bot.jobs.funnel_metrics import FunnelCollector
from bot.links import to_account
from bot.settings import Settings
from storage import SqlStore, StorageError, StoreUnavailable
from verification.core import Core
from verification.provider_polling import ProviderPoller
from verification.support.service import SupportService
from web.app import WebDeps, web_app
from web.dependencies import ApiRoute, DeskRoute, QrCodes, TelegramRoute, Texts

_POLL_HEALTHY_WITHIN = 90
"""Seconds; a poll without updates takes 30."""
_QR_CODES = QrCodes(qr.page_svg, qr.print_png)


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
            is_outage=is_outage,
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
            await self.store.pending_replies(FRONT_END, 1)
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
