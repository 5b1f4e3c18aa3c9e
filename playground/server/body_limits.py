"""How much anybody may send to the playground, counted as it comes: what a header says of it is not believed."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.world.api_errors import Refused
from playground.world.serializers import JsonAnswer

_MEBI = 1024 * 1024
LARGEST_CALL = 50 * _MEBI
_LARGEST = {"/bot": LARGEST_CALL, "/sim/": 16 * _MEBI}
_LARGEST_OF_OTHERS = _MEBI


class _TooLarge(Exception):
    """The body goes on and on."""


class Bounded:
    """Refuses bodies that are larger than their kind of address takes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = next((size for path, size in _LARGEST.items() if scope["path"].startswith(path)), _LARGEST_OF_OTHERS)

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
            refused = Refused(413, "Request Entity Too Large")
            await JsonAnswer(refused.body(), refused.code)(scope, receive, send)
