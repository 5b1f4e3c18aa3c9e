"""The providers of the three ways, as the settings name them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit

from bot.http_client import HttpClient, http_client
from bot.settings import BadSetting, Settings
from verification.attempts import Method
from verification.ports import Provider
from verification.providers.addresses import is_loopback
from verification.providers.http import HttpProvider, ProviderEndpoint
from verification.providers.simulated import SimulatedProvider
from verification.signing import WebhookSigner

_MAX_LIFETIMES = 3
"""How many times the full time an attempt may get: waiting, opened, confirming."""


@asynccontextmanager
async def open_providers(
    settings: Settings, public_url: str, clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[Method, Provider]]:
    """Give the provider of each way; `public` is how the outside reaches our pages."""
    here = is_loopback(urlsplit(settings.provider_url).hostname or "")
    async with http_client(loopback_only=here) as call:

        def provider(method: Method, kind: str) -> Provider:
            return _http(method, settings, call, public_url, clock) if kind == "http" else SimulatedProvider(method)

        yield {method: provider(method, kind) for method, kind in settings.providers.items()}


def _http(
    method: Method, settings: Settings, call: HttpClient, public: str, clock: Callable[[], datetime]
) -> HttpProvider:
    if settings.provider_secret is None:
        raise BadSetting("PROVIDER_SECRET: missing")
    return HttpProvider(
        method,
        ProviderEndpoint(
            settings.provider_url, settings.phone_hosts, WebhookSigner(settings.provider_secret.get_secret_value())
        ),
        call,
        clock,
        callback=f"{public}/callbacks/{method}",
        session_lifetime=_MAX_LIFETIMES * settings.qr_ttl,
    )
