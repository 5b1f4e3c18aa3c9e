"""The web application: routes, and what stands before them."""

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from web import webhooks
from web.api.routes import api_routes
from web.dependencies import TelegramRoute, Texts, WebDeps
from web.desk.routes import desk_routes
from web.health import HealthChecks
from web.middleware import RETRY_SOON_HEADERS, ErrorMiddleware, SafeHeaders
from web.pages import Pages
from web.phone.routes import PhonePages
from web.throttle import GuessThrottle

__all__ = ["TelegramRoute", "Texts", "WebDeps", "web_app"]

_STATIC = Path(__file__).parent / "static"
_MESSAGES = {404: "unknown", 405: "not_allowed", 413: "too_large"}


class _Assets(StaticFiles):
    """Files without secrets: kept by browsers, asked for again in case they changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def web_app(parts: WebDeps) -> Starlette:
    """Put the web side together."""
    pages = Pages(parts.texts, parts.providers)

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        page = pages.message(request, _MESSAGES.get(status, "error"), status)
        if isinstance(error, HTTPException) and error.headers:
            page.headers.update(error.headers)
        return page

    def failed(request: Request, error: Exception) -> Response:
        if request.url.path == webhooks.TELEGRAM_PATH:
            return webhooks.retry_later()
        if not parts.is_outage(error):
            return pages.message(request, "error", 500)
        page = pages.message(request, "error", 503)
        page.headers.update(RETRY_SOON_HEADERS)
        return page

    app = Starlette(
        routes=_routes(parts, pages),
        middleware=[Middleware(SafeHeaders), Middleware(ErrorMiddleware, answer=failed)],
        exception_handlers={HTTPException: refused},
    )
    app.router.redirect_slashes = False  # it would answer with an address that a proxy's prefix is missing from
    return app


def _routes(parts: WebDeps, pages: Pages) -> list[BaseRoute]:
    phone = GuessThrottle(PhonePages(parts, pages).serve, pages, parts.registry, parts.monotonic_clock)
    probes = HealthChecks(parts)

    async def home(request: Request) -> Response:
        return pages.message(request, "home")

    async def robots(_: Request) -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

    routes: list[BaseRoute] = [
        Route("/", home),
        Route("/robots.txt", robots),
        Route("/healthz", probes.alive),
        Route("/readyz", probes.ready),
        Route("/metrics", probes.metrics),
        Mount("/v/assets", _Assets(directory=_STATIC)),
        Route("/v/{token}", phone.serve, methods=["GET", "POST"]),
        Route(webhooks.CALLBACK_PATH, webhooks.ProviderWebhook(parts).take, methods=["POST"]),
    ]
    routes += desk_routes(parts, pages)
    routes += api_routes(parts)
    if parts.telegram is not None:
        routes.append(
            Route(webhooks.TELEGRAM_PATH, webhooks.TelegramWebhook(parts.telegram).__call__, methods=["POST"])
        )
    return routes
