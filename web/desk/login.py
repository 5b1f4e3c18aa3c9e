"""The way into the desk: a key, asked for by a form, and a name to note uses under. Whoever tries keys has to wait."""

import math
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import Response

from verification.token_bucket import Buckets
from web.dependencies import Clock, DeskRoute, Parts
from web.desk.forms import form_in
from web.desk.layout import Frame, on_to
from web.desk.sessions import COOKIE, LIFE, Session, Sessions, is_name
from web.middleware import body_within, from_elsewhere
from web.throttle import address_of

_BURST = 10
_EVERY = 30.0
_LIMIT = 4 * 1024


class Door:
    """Lets people in and out."""

    def __init__(self, parts: Parts, route: DeskRoute, frame: Frame) -> None:
        self._sessions = Sessions(route.key, route.keyed)
        self._secure = route.secure
        self._frame = frame
        self._clock: Clock = parts.clock
        self._wrong = Buckets(_BURST, _EVERY, parts.seconds)
        self._counted = _counter(parts.registry)

    def session(self, request: Request) -> Session | None:
        """Whose request this is."""
        return self._sessions.read(request.cookies.get(COOKIE, ""), self._clock())

    async def show(self, request: Request) -> Response:
        """Show the form."""
        return on_to(request) if self.session(request) else self._form(request)

    async def enter(self, request: Request) -> Response:
        """Take the form: in with the right key, and else the form again."""
        if from_elsewhere(request.headers):
            return self._form(request, "elsewhere", HTTPStatus.FORBIDDEN)
        address = address_of(request)
        wait = self._wrong.wait(address)
        if wait > 0:
            answer = self._form(request, "wait", HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        form = form_in(await body_within(request, _LIMIT) or b"")
        name = form.get("name", "").strip()
        if not self._sessions.opens(form.get("key", "").strip()):
            self._wrong.take(address)
            self._counted.inc()
            return self._form(request, "wrong", HTTPStatus.FORBIDDEN, name)
        if not is_name(name):
            return self._form(request, "name", HTTPStatus.UNPROCESSABLE_ENTITY)
        return self._marked(on_to(request), request, self._sessions.begin(name, self._clock()))

    async def leave(self, request: Request) -> Response:
        """Forget the session in this browser."""
        answer = on_to(request, "/sign-in")
        return answer if from_elsewhere(request.headers) else self._marked(answer, request, "")

    def _form(self, request: Request, problem: str = "", status: int = 200, name: str = "") -> Response:
        return self._frame.bare(
            request,
            "sign_in.html",
            status,
            problem=problem,
            name=name if is_name(name) else "",
            hours=LIFE.seconds // 3600,
        )

    def _marked(self, answer: Response, request: Request, cookie: str) -> Response:
        # Without a path of ours it is the folder of this address, whatever prefix a proxy has put before it.
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=int(LIFE.total_seconds()) if cookie else 0,
            path=None,
            secure=self._secure or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer


def _counter(registry: CollectorRegistry) -> Counter:
    return Counter("web_desk_wrong_keys", "Wrong keys tried at the desk's door.", registry=registry)
