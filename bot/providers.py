"""Opens the providers of the methods that are on, as the settings name them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.outages import Outage, noting
from bot.settings import BadSetting, Settings
from verification.attempts import Method
from verification.ports import PollableProvider, Provider
from verification.providers.addresses import is_loopback
from verification.providers.http import HttpCall, HttpProvider, ProviderEndpoint
from verification.providers.simulated import SimulatedProvider
from verification.signing import WebhookSigner

_MAX_LIFETIMES = 3
"""An attempt may get its full time three times: waiting, opened, confirming."""


@dataclass(frozen=True, slots=True)
class ConfiguredProviders:
    """The provider of each method; `pollable` holds those among them that must be asked how far an attempt is."""

    by_method: Mapping[Method, Provider]
    pollable: Mapping[Method, PollableProvider]


@asynccontextmanager
async def open_providers(
    settings: Settings, public_url: str, clock: Callable[[], datetime], outage: Outage
) -> AsyncIterator[ConfiguredProviders]:
    """Open the providers until left; `public_url` is how they reach our callbacks."""
    async with _open_client(settings, outage) as client:
        remote = {
            method: _http(settings, method, client, clock, callback=f"{public_url}/callbacks/{method}")
            for method, kind in settings.providers.items()
            if kind == "http" and client is not None
        }
        by_method: dict[Method, Provider] = {
            method: remote[method] if method in remote else SimulatedProvider(method) for method in settings.providers
        }
        yield ConfiguredProviders(by_method, remote)


@asynccontextmanager
async def _open_client(settings: Settings, outage: Outage) -> AsyncIterator[HttpCall | None]:
    """Open the client of the providers over HTTP; None where there is none."""
    if "http" not in settings.providers.values():
        yield None
        return
    # The client is large, and the simulated providers call no server.
    from bot.http_client import http_client

    async with http_client(loopback_only=is_loopback(urlsplit(settings.provider_url).hostname or "")) as client:
        yield noting(client, outage)


def _http(
    settings: Settings, method: Method, client: HttpCall, clock: Callable[[], datetime], *, callback: str
) -> HttpProvider:
    if settings.provider_secret is None:
        raise BadSetting("PROVIDER_SECRET: missing")
    signer = WebhookSigner(settings.provider_secret.get_secret_value())
    return HttpProvider(
        method,
        ProviderEndpoint(settings.provider_url, settings.phone_hosts, signer),
        client,
        clock,
        callback_url=callback,
        session_lifetime=_MAX_LIFETIMES * settings.qr_ttl,
    )
