"""Where results go: the other server as the settings name it, and how one is told to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp

from bot.settings import Settings
from verification.providers.addresses import is_loopback
from verification.providers.http import Call
from verification.results import Result
from verification.signing import Signing
from web.outbound import outbound

PATIENCE = aiohttp.ClientTimeout(total=15, sock_connect=5)
"""Nobody waits for it, so a receiver gets the time that Standard Webhooks asks for."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The server at `RESULT_WEBHOOK_URL`."""

    url: str
    signing: Signing
    call: Call

    async def tell(self, result: Result, now: datetime) -> int:
        """Tell a result, and give the status of the answer; raises `ProviderUnavailable` where there is none."""
        body = result.body()
        headers = self.signing.headers(result.message_id, now, body) | {"content-type": "application/json"}
        status, _ = await self.call("POST", self.url, headers, body)
        return status


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Receiver | None]:
    """Give the receiver, on connections of its own; None where results go nowhere."""
    url, secret = settings.result_webhook_url, settings.result_webhook_secret
    if not url or secret is None:
        yield None
        return
    async with outbound(here=is_loopback(urlsplit(url).hostname or ""), patience=PATIENCE) as call:
        yield Receiver(url, Signing(secret.get_secret_value()), call)
