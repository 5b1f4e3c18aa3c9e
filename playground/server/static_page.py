"""The chat page at /, its static files, and their security headers."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parents[1] / "static"
# No inline script or style, nothing from other origins; a frame may show only the phone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    # After an update of the simulator, the page must not run with an old script.
    "cache-control": "no-cache",
}


def page_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [Route("/", _page), Mount("/static", _Static(directory=STATIC))]


async def _page(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers=HEADERS)


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response
