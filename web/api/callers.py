"""Who may call: programs with a key, known by its place among the keys.

Wrong keys take from their address's bucket, as links that lead nowhere do; an address whose bucket is empty waits.
"""

import hmac
import math
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from verification.ids import Actor
from verification.token_bucket import TokenBuckets
from web.api.problems import Problem, problem_handler
from web.throttle import client_network

BURST = 20
_EVERY = 1.0


class ApiKeyMiddleware:
    """Stands before the calls, and tells them whose they are."""

    def __init__(
        self, app: ASGIApp, keys: Sequence[str], registry: CollectorRegistry, monotonic_clock: Callable[[], float]
    ) -> None:
        if not keys:
            raise ValueError("without a key anybody could call")
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._wrong = TokenBuckets(burst=BURST, interval=_EVERY, clock=monotonic_clock)
        self._counter = Counter("web_wrong_keys", "Calls over HTTP without a key that is ours.", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call of somebody known."""
        request = Request(scope)
        try:
            scope.setdefault("state", {})["actor"] = self._actor(request)
        except Problem as problem:
            response = await problem_handler(request, problem)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _actor(self, request: Request) -> Actor:
        address = client_network(request)
        wait = self._wrong.wait_time(address)
        if wait > 0:
            raise Problem(429, "Too many wrong keys came from this address.", Retry_After=str(math.ceil(wait)))
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # All are compared, so that the time tells nothing of which is near.
        known = [hmac.compare_digest(key, given.strip().encode()) for key in self._keys]
        if scheme.casefold() != "bearer" or not any(known):
            self._counter.inc()
            self._wrong.take(address)
            raise Problem(401, "A key is needed: Authorization: Bearer KEY.", WWW_Authenticate="Bearer")
        return Actor(f"api:{known.index(True) + 1}")
