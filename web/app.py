"""The web application: its routes, and what every request passes through."""

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
from web.dependencies import TelegramRoute, Texts, WebDeps
from web.form.routes import form_routes
from web.health import SEEN_AS_PATH, HealthChecks
from web.middleware import RETRY_SOON_HEADERS, ErrorMiddleware, SafeHeaders
from web.pages import Pages
from web.phone.routes import BACK, PhonePages
from web.throttle import GuessThrottle

__all__ = ["TelegramRoute", "Texts", "WebDeps", "metrics_app", "web_app"]

_STATIC = Path(__file__).parent / "static"
_MESSAGES = {404: "unknown", 405: "not_allowed", 413: "too_large"}


class _Assets(StaticFiles):
    """Static files without secrets: browsers may cache them but must check for a new version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def web_app(deps: WebDeps) -> Starlette:
    """Build the web application."""
    pages = Pages(deps.texts, deps.providers)

    async def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        page = pages.message(request, _MESSAGES.get(status, "error"), status)
        if isinstance(error, HTTPException) and error.headers:
            page.headers.update(error.headers)
        return page

    def server_error(request: Request, error: Exception) -> Response:
        if request.url.path == webhooks.TELEGRAM_PATH:
            return webhooks.retry_later()
        if not deps.is_outage(error):
            return pages.message(request, "error", 500)
        page = pages.message(request, "error", 503)
        page.headers.update(RETRY_SOON_HEADERS)
        return page

    app = Starlette(
        routes=_routes(deps, pages),
        middleware=[
            Middleware(SafeHeaders, https=deps.public_url.startswith("https:"), framed=deps.framed),
            Middleware(ErrorMiddleware, answer=server_error),
        ],
        exception_handlers={HTTPException: http_error},
    )
    app.state.public_url = deps.public_url
    app.router.redirect_slashes = False  # its redirects would lack a proxy's prefix
    return app


def metrics_app(deps: WebDeps) -> Starlette:
    """Build the application that serves /metrics alone, at an address of its own."""
    return Starlette(routes=[Route("/metrics", HealthChecks(deps).metrics)])


def _routes(deps: WebDeps, pages: Pages) -> list[BaseRoute]:
    throttle = GuessThrottle(pages, deps.registry, deps.monotonic_clock)
    phone = throttle.wrap(PhonePages(deps, pages).serve)
    health = HealthChecks(deps)

    async def home(request: Request) -> Response:
        return pages.message(request, "home")

    async def robots(_: Request) -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

    routes: list[BaseRoute] = [
        Route("/", home),
        Route("/robots.txt", robots),
        Route("/healthz", health.live),
        Route("/readyz", health.ready),
        Route(SEEN_AS_PATH, health.seen_as),
        Mount("/v/assets", _Assets(directory=_STATIC)),
        Route("/v/{token}", phone, methods=["GET", "POST"]),
        Route("/v/{token}" + BACK, phone, methods=["GET"]),
        Route(webhooks.CALLBACK_PATH, webhooks.ProviderWebhook(deps).receive, methods=["POST"]),
    ]
    routes += form_routes(deps, pages, throttle)
    # Imported only where they are served: each takes a fiftieth of the start.
    if deps.desk is not None:
        from web.desk.routes import desk_routes

        routes += desk_routes(deps, deps.desk, pages)
    if deps.api is not None:
        from web.api.routes import api_routes

        routes += api_routes(deps, deps.api)
    if deps.serves_metrics:
        routes.append(Route("/metrics", health.metrics))
    if deps.telegram is not None:
        routes.append(Route(webhooks.TELEGRAM_PATH, webhooks.TelegramWebhook(deps.telegram).__call__, methods=["POST"]))
    return routes
