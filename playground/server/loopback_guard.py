"""Only this machine may speak to the playground, and no web page but its own.

A foreign page in the same browser could otherwise reach /sim, by a name of its own that points to loopback.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.world.serializers import AsciiJsonResponse

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# The phone's frame has no origin of its own, which browsers call "null"; it may only reach the phone.
PHONE = "/phone/"


class LoopbackMiddleware:
    """Refuses requests whose Host is not loopback or whose Origin is another page."""

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
        return "the playground answers on this machine only: the Host header must be a loopback address"
    if origin is None or origin == f"http://{host}" or (origin == "null" and scope["path"].startswith(PHONE)):
        return None
    return "the playground answers to its own page only: the Origin header is foreign"


def is_loopback(url: str) -> bool:
    """Whether an address names this machine."""
    try:
        return urlsplit(url).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False
