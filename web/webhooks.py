"""The door for Telegram's webhook: the secret, a limit, and the one answer that makes Telegram send an update again."""

import hmac

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from verification.providers.http import HttpProvider, InvalidCallback
from verification.signing import InvalidSignature
from web.dependencies import TelegramRoute, WebDeps
from web.middleware import read_body

TELEGRAM_PATH = "/telegram"
_UPDATE_LIMIT = 1024 * 1024
_RETRY_AFTER = "3"


def retry_later() -> Response:
    """Ask Telegram to send the update once more."""
    return Response(status_code=503, headers={"Retry-After": _RETRY_AFTER})


class TelegramWebhook:
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
        body = await read_body(request, _UPDATE_LIMIT) or b""
        return Response() if await self._route.take(body) else retry_later()


CALLBACK_PATH = "/callbacks/{method}"
_CALLBACK_LIMIT = 16 * 1024


class ProviderWebhook:
    """Takes callbacks of the ways that are verified over HTTP."""

    def __init__(self, parts: WebDeps) -> None:
        self._notify = parts.notify_provider_news
        self._providers = {
            method.value: provider for method, provider in parts.providers.items() if isinstance(provider, HttpProvider)
        }

    async def take(self, request: Request) -> Response:
        """Take one callback: 202, whether the session is known or not."""
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
        self._notify(attempt)
        return Response(status_code=202)
