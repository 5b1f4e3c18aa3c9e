"""Signing in to the desk, with its key and a name for audit entries; wrong keys are rate limited per network."""

import math
from http import HTTPStatus
from unicodedata import normalize

from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import Response

from verification.token_bucket import TokenBuckets
from web.dependencies import DeskRoute, UtcNow, WebDeps
from web.desk.forms import parse_form
from web.desk.layout import DeskLayout, redirect
from web.desk.sessions import COOKIE, LIFETIME, DeskSession, DeskSessions, is_name
from web.middleware import is_cross_site, read_body
from web.throttle import client_network

_BURST = 10
_INTERVAL = 30.0
_LIMIT = 4 * 1024


class LoginPages:
    """The pages for signing in and out."""

    def __init__(self, deps: WebDeps, route: DeskRoute, frame: DeskLayout) -> None:
        self._sessions = DeskSessions(route.key, route.keyed_digest)
        self._sign_outs = route.sign_outs
        self._secure = route.secure
        self._frame = frame
        self._clock: UtcNow = deps.clock
        self._attempts = TokenBuckets(burst=_BURST, interval=_INTERVAL, clock=deps.monotonic_clock)
        self._wrong_keys = _counter(deps.registry)

    async def session(self, request: Request) -> DeskSession | None:
        """The session of a request; None when nobody is signed in."""
        session = self._sessions.read(request.cookies.get(COOKIE, ""), self._clock())
        return None if session is None or await self._sign_outs.is_signed_out(session.proof) else session

    async def show(self, request: Request) -> Response:
        """Show the form."""
        return redirect(request) if await self.session(request) else self._form(request)

    async def sign_in(self, request: Request) -> Response:
        """Sign in with the right key, or show the form again."""
        if is_cross_site(request):
            return self._form(request, "elsewhere", HTTPStatus.FORBIDDEN)
        form = parse_form(await read_body(request, _LIMIT) or b"")
        name = normalize("NFC", form.get("name", "").strip())
        if not self._sessions.is_key(form.get("key", "").strip()):
            return self._wrong_key(request, name)
        if not is_name(name):
            return self._form(request, "name", HTTPStatus.UNPROCESSABLE_ENTITY)
        return self._with_cookie(redirect(request), request, self._sessions.begin(name, self._clock()))

    def _wrong_key(self, request: Request, name: str) -> Response:
        # Only a wrong key counts and is refused: nobody's guesses keep out the people who share their network.
        self._wrong_keys.inc()
        address = client_network(request)
        wait = self._attempts.wait_time(address)
        if wait <= 0:
            self._attempts.take(address)
            return self._form(request, "wrong", HTTPStatus.FORBIDDEN, name)
        answer = self._form(request, "wait", HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session, so that a copy of its cookie opens nothing, and delete the cookie."""
        answer = redirect(request, "/sign-in")
        if is_cross_site(request):
            return answer
        session = await self.session(request)
        if session is not None:
            await self._sign_outs.sign_out(session.proof, self._clock())
        return self._with_cookie(answer, request, "")

    def _form(self, request: Request, problem: str = "", status: int = 200, name: str = "") -> Response:
        return self._frame.public_page(
            request,
            "sign_in.html",
            status,
            problem=problem,
            name=name if is_name(name) else "",
            hours=LIFETIME.seconds // 3600,
        )

    def _with_cookie(self, answer: Response, request: Request, cookie: str) -> Response:
        # Without a path the cookie gets the folder of this address, including a proxy's prefix.
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=int(LIFETIME.total_seconds()) if cookie else 0,
            path=None,
            secure=self._secure or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer


def _counter(registry: CollectorRegistry) -> Counter:
    return Counter("web_desk_wrong_keys", "Wrong keys tried at the desk.", registry=registry)
