"""Links that lead nowhere, counted by where they are opened from: whoever guesses is asked to wait.

Only an unknown link takes from an address's bucket, and a person has none of those, so nobody who scans codes is ever
refused, however many phones stand behind one address, unless somebody behind it guesses without pause. What all
addresses guess together refuses nobody: it is an operator's alarm.
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
_EVERY = 1.0
_ALARM_BURST = 1000
_ALARM_EVERY = 0.1
_WARN_EVERY = 600
"""Seconds an alarm lasts, so that whoever looks now and then sees it."""
_ALL = "all"
_IPV6_PREFIX = 64

RequestHandler = Callable[[Request], Awaitable[Response]]


class GuessThrottle:
    """Stands before the phone pages."""

    def __init__(
        self, serve: RequestHandler, pages: Pages, registry: CollectorRegistry, monotonic_clock: Callable[[], float]
    ) -> None:
        self._serve = serve
        self._pages = pages
        self._by_address = TokenBuckets(burst=BURST, interval=_EVERY, clock=monotonic_clock)
        self._all_addresses = TokenBuckets(burst=_ALARM_BURST, interval=_ALARM_EVERY, clock=monotonic_clock)
        self._unknown = Counter("web_unknown_links", "Links opened that lead nowhere.", registry=registry)
        self._refused = Counter("web_refused_visits", "Visits refused to addresses that guess.", registry=registry)
        self._warnings = TokenBuckets(burst=1, interval=_WARN_EVERY, clock=monotonic_clock)
        guessing = Gauge("web_guessing", "1 while links are guessed on a large scale.", registry=registry)
        guessing.set_function(lambda: self._warnings.wait_time(_ALL) > 0)

    async def serve(self, request: Request) -> Response:
        """Serve one request, unless its address has guessed too much; then nothing is looked up."""
        address = client_network(request)
        wait = self._by_address.wait_time(address)
        if wait > 0:
            self._refused.inc()
            answer: Response = self._pages.message(request, "too_many", 429)
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        answer = await self._serve(request)
        if answer.status_code == 404:
            self._count_guess(address)
        return answer

    def _count_guess(self, address: str) -> None:
        self._unknown.inc()
        self._by_address.take(address)
        if not self._all_addresses.take(_ALL) and self._warnings.take(_ALL):
            _LOG.warning("many links that lead nowhere are being opened: somebody may be guessing")


def client_network(request: Request) -> str:
    """The network a request comes from: an IPv4 address, or the half of an IPv6 one that a household shares.

    The server has put in it what the proxies in front of us say, where it believes them.
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
