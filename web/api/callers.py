"""Authentication of API callers by key, and how often each may call.

A wrong key takes a token from its network's bucket; when the bucket is empty, further wrong keys from there get 429. A
right key is never refused because of others behind the same address. A call takes a token from its caller's bucket.
"""

import hmac
import math
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from verification.callers.keys import ApiCaller
from verification.token_bucket import TokenBuckets
from web.api.problems import Problem, ProblemCode, problem_handler
from web.throttle import client_network

BURST = 20
_INTERVAL = 1.0
CALL_BURST = 100
_CALL_INTERVAL = 0.05
"""A key may call 100 times at once, and 20 times a second after that."""


class ApiKeyMiddleware:
    """Lets only callers with a key through, and sets the `caller` of their request."""

    def __init__(
        self,
        app: ASGIApp,
        callers: Sequence[ApiCaller],
        registry: CollectorRegistry,
        monotonic_clock: Callable[[], float],
    ) -> None:
        if not callers:
            raise ValueError("without a key anybody could call the API")
        self._app = app
        self._callers = callers
        self._wrong = TokenBuckets(burst=BURST, interval=_INTERVAL, clock=monotonic_clock)
        self._calls = TokenBuckets(burst=CALL_BURST, interval=_CALL_INTERVAL, clock=monotonic_clock)
        self._counter = Counter("web_wrong_keys", "Calls over HTTP without a key that is ours.", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of a known caller."""
        request = Request(scope)
        try:
            scope.setdefault("state", {})["caller"] = self._caller(request)
        except Problem as problem:
            response = await problem_handler(request, problem)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _caller(self, request: Request) -> ApiCaller:
        caller = self._authenticate(request)
        if not self._calls.take(caller.name):
            wait = str(math.ceil(self._calls.wait_time(caller.name)))
            raise Problem(429, "This key calls too often.", ProblemCode.RATE_LIMITED, headers={"Retry-After": wait})
        return caller

    def _authenticate(self, request: Request) -> ApiCaller:
        scheme, _, key_given = request.headers.get("authorization", "").partition(" ")
        # All keys are compared, so that the time reveals nothing about them.
        matches = [hmac.compare_digest(each.key.encode(), key_given.strip().encode()) for each in self._callers]
        if scheme.casefold() == "bearer" and any(matches):
            return self._callers[matches.index(True)]
        self._counter.inc()
        address = client_network(request)
        wait = self._wrong.wait_time(address)
        if wait > 0:
            raise Problem(
                429,
                "Too many wrong keys came from this address.",
                ProblemCode.RATE_LIMITED,
                headers={"Retry-After": str(math.ceil(wait))},
            )
        self._wrong.take(address)
        raise Problem(
            401,
            "A key is needed: Authorization: Bearer KEY.",
            ProblemCode.UNAUTHORIZED,
            headers={"WWW-Authenticate": "Bearer"},
        )


def caller_of(request: Request) -> ApiCaller:
    """The caller of a request that came through."""
    caller: ApiCaller = request.state.caller
    return caller
