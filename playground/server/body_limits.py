"""Limits the size of request bodies, by counting the bytes as they arrive: a Content-Length header may be wrong."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.botapi.json_response import AsciiJsonResponse
from playground.world.errors import ApiError

_MEBI = 1024 * 1024
MAX_CALL = 50 * _MEBI
_LIMITS = {"/bot": MAX_CALL, "/sim/": 16 * _MEBI}
_DEFAULT_LIMIT = _MEBI


class _TooLarge(Exception):
    """The body exceeds its limit."""


class BodyLimitMiddleware:
    """Answers 413 to a body that is larger than the limit of its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        remaining = next((size for path, size in _LIMITS.items() if scope["path"].startswith(path)), _DEFAULT_LIMIT)

        async def counted() -> Message:
            nonlocal remaining
            message = await receive()
            remaining -= len(message.get("body", b""))
            if remaining < 0:
                raise _TooLarge
            return message

        try:
            await self._app(scope, counted, send)
        except _TooLarge:
            error = ApiError(413, "Request Entity Too Large")
            await AsciiJsonResponse(error.body(), error.code)(scope, receive, send)
