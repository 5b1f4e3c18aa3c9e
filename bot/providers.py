"""Opens the providers of the methods that are on, as the settings name them.

Each vendor's modules are imported where its provider is opened: together they would take a fortieth of every start.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import field

from bot.outages import Outage, noting
from bot.settings import BadSetting, Settings
from verification.attempts import Method
from verification.breaker import Breaker
from verification.ports import PollableProvider, Provider, ProviderPages
from verification.providers.addresses import is_loopback
from verification.providers.counts import ProviderCounts
from verification.providers.guarded import GuardedProvider
from verification.providers.handover import HandoverPages
from verification.providers.http import HttpCall, HttpProvider, ProviderEndpoint
from verification.providers.simulated.provider import SimulatedProvider
from verification.record import Record
from verification.signing import WebhookSigner

if TYPE_CHECKING:
    from verification.providers.alipay.client import AlipayClient
    from verification.providers.tencent.client import FaceIdClient

_MAX_LIFETIMES = 3
"""An attempt may get its full time three times: waiting, opened, confirming."""


class ConfiguredProviders(Record):
    """The provider of each method, and our pages of it.

    `pollable` has those that must be asked how far an attempt is, behind breakers.
    """

    by_method: Mapping[Method, Provider]
    pages: Mapping[Method, ProviderPages]
    pollable: Mapping[Method, PollableProvider]
    counts: ProviderCounts = field(default_factory=ProviderCounts)
    breakers: Mapping[Method, Breaker] = field(default_factory=dict)
    outage: Outage | None = None

    @property
    def resting(self) -> frozenset[Method]:
        """The methods whose provider rests after failures."""
        return frozenset(method for method, breaker in self.breakers.items() if breaker.is_resting)

    def is_up(self, method: Method) -> bool:
        """Whether a method's provider answered at its last call; a simulated one always does."""
        return method not in self.pollable or self.outage is None or not self.outage.is_open


OpenClient = Callable[[str], AbstractAsyncContextManager[HttpCall]]
"""Opens what calls the server at an address."""


@asynccontextmanager
async def _open_client(url: str) -> AsyncIterator[HttpCall]:
    # The client is large, and the simulated providers call no server.
    from bot.http_client import http_client

    async with http_client(loopback_only=is_loopback(urlsplit(url).hostname or "")) as client:
        yield client


@asynccontextmanager
async def open_providers(
    settings: Settings,
    public_url: str,
    clock: Callable[[], datetime],
    outage: Outage,
    open_client: OpenClient = _open_client,
) -> AsyncIterator[ConfiguredProviders]:
    """Open the providers until left; `public_url` is how they reach our callbacks."""
    counts = ProviderCounts()
    async with AsyncExitStack() as stack:
        clients = {
            url: noting(await stack.enter_async_context(open_client(url)), outage) for url in _addresses(settings)
        }
        remote: dict[Method, PollableProvider] = {}
        for method, kind in settings.providers.items():
            if kind == "http":
                callback = f"{public_url}/callbacks/{method}"
                remote[method] = _http(settings, method, clients[settings.provider_url], clock, callback=callback)
            elif kind == "tencent":
                from verification.providers.tencent.provider import TencentFaceProvider

                faceid = faceid_client(settings, clients[settings.tencent_endpoint], clock)
                remote[method] = TencentFaceProvider(faceid, settings.tencent_endpoint, clock, counts)
            elif kind == "alipay":
                from verification.providers.alipay.provider import AlipayFaceProvider

                alipay = alipay_client(settings, clients[settings.alipay_gateway], clock)
                remote[method] = AlipayFaceProvider(alipay, settings.alipay_gateway, clock, counts)
        breakers = {method: Breaker(clock) for method in remote}
        guarded = {method: GuardedProvider(provider, breakers[method], clock) for method, provider in remote.items()}
        simulated = {method: SimulatedProvider(method) for method in settings.simulated_methods}
        yield ConfiguredProviders(
            by_method={method: guarded.get(method) or simulated[method] for method in settings.providers},
            pages={method: simulated.get(method, HandoverPages()) for method in settings.providers},
            pollable=guarded,
            counts=counts,
            breakers=breakers,
            outage=outage,
        )


def faceid_client(settings: Settings, call: HttpCall, clock: Callable[[], datetime]) -> "FaceIdClient":
    """The client of the operator's account at Tencent Cloud."""
    from verification.providers.tencent.client import FaceIdAccount, FaceIdClient
    from verification.providers.tencent.signer import Credentials

    if settings.tencent_secret_id is None or settings.tencent_secret_key is None:
        raise BadSetting("TENCENT_SECRET_KEY: missing")
    key = Credentials(settings.tencent_secret_id.get_secret_value(), settings.tencent_secret_key.get_secret_value())
    return FaceIdClient(FaceIdAccount(settings.tencent_endpoint, key, settings.tencent_rule_id), call, clock)


def alipay_client(settings: Settings, call: HttpCall, clock: Callable[[], datetime]) -> "AlipayClient":
    """The client of the operator's app at Alipay."""
    from verification.providers.alipay.client import AlipayAccount, AlipayClient
    from verification.providers.alipay.signer import MerchantKey, PlatformKey

    if settings.alipay_private_key is None:
        raise BadSetting("ALIPAY_PRIVATE_KEY: missing")
    keys = MerchantKey(settings.alipay_private_key.get_secret_value()), PlatformKey(settings.alipay_public_key)
    return AlipayClient(AlipayAccount(settings.alipay_gateway, settings.alipay_app_id, *keys), call, clock)


def _addresses(settings: Settings) -> set[str]:
    """The addresses of the servers that the providers call."""
    addresses = {"http": settings.provider_url, "tencent": settings.tencent_endpoint}
    addresses["alipay"] = settings.alipay_gateway
    return {addresses[kind] for kind in settings.providers.values() if kind in addresses}


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
