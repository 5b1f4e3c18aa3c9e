"""The door for Telegram's webhook: the secret, a limit, and the one answer that makes Telegram send an update again."""

import hmac

from starlette.requests import Request
from starlette.responses import Response

from web.guard import body_within
from web.parts import TelegramRoute

PATH = "/telegram"
_LIMIT = 1024 * 1024
_RETRY_AFTER = "3"


def again_later() -> Response:
    """Ask Telegram to send the update once more."""
    return Response(status_code=503, headers={"Retry-After": _RETRY_AFTER})


class Webhook:
    """Takes updates from Telegram; answers 200 only for those that are kept."""

    def __init__(self, route: TelegramRoute) -> None:
        if not route.secret:
            raise ValueError("a webhook without a secret would take updates from anybody")
        self._route = route

    async def __call__(self, request: Request) -> Response:
        """Take one update."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self._route.secret.encode()):
            return Response(status_code=403)
        # Larger than any update Telegram makes: refused, it would come again for a day and hold up its chat.
        body = await body_within(request, _LIMIT) or b""
        return Response() if await self._route.take(body) else again_later()
