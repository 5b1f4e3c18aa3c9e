"""Refuses requests from other machines and from other web pages.

Without it, a foreign page in the same browser could reach /sim through a host name that resolves to loopback (DNS
rebinding).
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.botapi.json_response import AsciiJsonResponse

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# Browsers send the origin "null" for the sandboxed phone frame. It may reach only these paths.
PHONE = "/phone/"


class LoopbackMiddleware:
    """Answers 403 when the Host header is not a loopback address or the Origin header names another page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := _reason_to_refuse(scope)) is not None:
            await AsciiJsonResponse({"error": refusal}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _reason_to_refuse(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    host, origin = headers.get("host", ""), headers.get("origin")
    if not is_loopback(f"http://{host}"):
        return "the playground serves this machine only: the Host header must be a loopback address"
    if origin is None or origin == f"http://{host}" or (origin == "null" and scope["path"].startswith(PHONE)):
        return None
    return "the playground serves its own page only: the Origin header is foreign"


@lru_cache(maxsize=64)
def is_loopback(url: str) -> bool:
    """Whether a URL names a loopback host."""
    try:
        return urlsplit(url).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False
