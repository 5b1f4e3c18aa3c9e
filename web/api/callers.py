"""Authentication of API callers by key; a caller is known by the position of its key.

A wrong key takes a token from its network's bucket; when the bucket is empty, further
wrong keys from there get 429. A right key is never refused.
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
_INTERVAL = 1.0


class ApiKeyMiddleware:
    """Lets only callers with a key through, and sets the `actor` of their request."""

    def __init__(
        self, app: ASGIApp, keys: Sequence[str], registry: CollectorRegistry, monotonic_clock: Callable[[], float]
    ) -> None:
        if not keys:
            raise ValueError("without a key anybody could call the API")
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._wrong = TokenBuckets(burst=BURST, interval=_INTERVAL, clock=monotonic_clock)
        self._counter = Counter("web_wrong_keys", "Calls over HTTP without a key that is ours.", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of a known caller."""
        request = Request(scope)
        try:
            scope.setdefault("state", {})["actor"] = self._actor(request)
        except Problem as problem:
            response = await problem_handler(request, problem)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _actor(self, request: Request) -> Actor:
        scheme, _, key_given = request.headers.get("authorization", "").partition(" ")
        # All keys are compared, so that the time reveals nothing about them.
        matches = [hmac.compare_digest(key, key_given.strip().encode()) for key in self._keys]
        if scheme.casefold() == "bearer" and any(matches):
            # Others may have guessed behind the same address.
            return Actor(f"api:{matches.index(True) + 1}")
        self._counter.inc()
        address = client_network(request)
        wait = self._wrong.wait_time(address)
        if wait > 0:
            raise Problem(429, "Too many wrong keys came from this address.", Retry_After=str(math.ceil(wait)))
        self._wrong.take(address)
        raise Problem(401, "A key is needed: Authorization: Bearer KEY.", WWW_Authenticate="Bearer")
