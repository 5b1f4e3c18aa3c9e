"""The webhooks: updates from Telegram, and callbacks from providers."""

import hmac

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from verification.ports import InvalidCallback
from verification.signing import InvalidSignature
from web.dependencies import TelegramRoute, WebDeps
from web.middleware import read_body

TELEGRAM_PATH = "/telegram"
_UPDATE_LIMIT = 1024 * 1024
_RETRY_AFTER = "3"


def retry_later() -> Response:
    """The answer that makes Telegram send the update again."""
    return Response(status_code=503, headers={"Retry-After": _RETRY_AFTER})


class TelegramWebhook:
    """Receives updates from Telegram; answers 200 only for those that are stored."""

    def __init__(self, route: TelegramRoute) -> None:
        if not route.secret:
            raise ValueError("a webhook without a secret would accept updates from anybody")
        self._route = route

    async def __call__(self, request: Request) -> Response:
        """Receive one update."""
        secret = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(secret.encode(), self._route.secret.encode()):
            return Response(status_code=403)
        # A larger body is no update of Telegram's. It is taken as an empty one: Telegram would repeat a refused update
        # for a day and hold back its chat.
        body = await read_body(request, _UPDATE_LIMIT) or b""
        return Response() if await self._route.take_update(body) else retry_later()


CALLBACK_PATH = "/callbacks/{method}"
_CALLBACK_LIMIT = 16 * 1024


class ProviderWebhook:
    """Receives callbacks of the providers that are polled."""

    def __init__(self, deps: WebDeps) -> None:
        self._notify = deps.notify_provider_news
        self._providers = {method.value: provider for method, provider in deps.pollable.items()}

    async def receive(self, request: Request) -> Response:
        """Receive one callback; answers 202 whether the session is known or not."""
        provider = self._providers.get(request.path_params["method"])
        if provider is None:
            raise HTTPException(404)
        body = await read_body(request, _CALLBACK_LIMIT)
        if body is None:
            return Response(status_code=413)
        try:
            attempt = provider.read_callback(request.headers, body)
        except InvalidSignature:
            return Response(status_code=401)
        except InvalidCallback:
            return Response(status_code=400)
        if attempt is None:
            raise HTTPException(404)
        self._notify(attempt)
        return Response(status_code=202)
