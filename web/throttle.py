"""A throttle for guessed links: it counts unknown links per network, and makes a network that guesses wait.

Only an unknown link takes a token from the network's bucket, and a person has no unknown links. So a person who scans
codes is never refused, even behind an address shared by many phones, unless somebody else behind it guesses without
pause. A high total over all networks refuses no request: it only sets a metric and a warning for the operator.
"""

import ipaddress
import logging
import math
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.requests import Request
from starlette.responses import Response

from verification.token_bucket import TokenBuckets
from web.pages import Pages

_LOG = logging.getLogger(__name__)

BURST = 100
_INTERVAL = 1.0
_ALARM_BURST = 1000
_ALARM_INTERVAL = 0.1
_WARNING_SECONDS = 600
"""Seconds that an alarm stays set, so that occasional monitoring notices it."""
_ALL = "all"
_IPV6_PREFIX = 64

RequestHandler = Callable[[Request], Awaitable[Response]]


class GuessThrottle:
    """Wraps the handlers of pages whose addresses are secret."""

    def __init__(self, pages: Pages, registry: CollectorRegistry, monotonic_clock: Callable[[], float]) -> None:
        self._pages = pages
        self._by_address = TokenBuckets(burst=BURST, interval=_INTERVAL, clock=monotonic_clock)
        self._all_addresses = TokenBuckets(burst=_ALARM_BURST, interval=_ALARM_INTERVAL, clock=monotonic_clock)
        self._unknown = Counter("web_unknown_links", "Links opened that lead nowhere.", registry=registry)
        self._refused = Counter("web_refused_visits", "Visits refused to addresses that guess.", registry=registry)
        self._warnings = TokenBuckets(burst=1, interval=_WARNING_SECONDS, clock=monotonic_clock)
        guessing = Gauge("web_guessing", "1 while links are guessed on a large scale.", registry=registry)
        guessing.set_function(lambda: self._warnings.wait_time(_ALL) > 0)

    def wrap(self, serve: RequestHandler) -> RequestHandler:
        """A handler that serves a request, or answers 429 without any lookup when its network has guessed too often."""

        async def serve_throttled(request: Request) -> Response:
            return await self._serve(request, serve)

        return serve_throttled

    async def _serve(self, request: Request, serve: RequestHandler) -> Response:
        address = client_network(request)
        wait = self._by_address.wait_time(address)
        if wait > 0:
            self._refused.inc()
            answer: Response = self._pages.message(request, "too_many", 429)
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        answer = await serve(request)
        if answer.status_code == 404:
            self._count_guess(address)
        return answer

    def _count_guess(self, address: str) -> None:
        self._unknown.inc()
        self._by_address.take(address)
        if not self._all_addresses.take(_ALL) and self._warnings.take(_ALL):
            _LOG.warning("many unknown links are being opened: somebody may be guessing links")


def client_network(request: Request) -> str:
    """The network of a request: an IPv4 address, or the /64 of an IPv6 address, which one household shares.

    The server has already replaced the address by what a trusted proxy says.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
