"""How much anybody may send to the playground, counted as it comes: what a header says of it is not believed."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.world.api_errors import ApiError
from playground.world.serializers import AsciiJsonResponse

_MEBI = 1024 * 1024
LARGEST_CALL = 50 * _MEBI
_LIMITS = {"/bot": LARGEST_CALL, "/sim/": 16 * _MEBI}
_DEFAULT_LIMIT = _MEBI


class _TooLarge(Exception):
    """The body goes on and on."""


class BodyLimitMiddleware:
    """Refuses bodies that are larger than their kind of address takes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = next((size for path, size in _LIMITS.items() if scope["path"].startswith(path)), _DEFAULT_LIMIT)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _TooLarge
            return message

        try:
            await self._app(scope, counted, send)
        except _TooLarge:
            refused = ApiError(413, "Request Entity Too Large")
            await AsciiJsonResponse(refused.body(), refused.code)(scope, receive, send)
