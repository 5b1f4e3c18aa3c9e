"""Where the desk's pages are, and what stands before each: a session, and for changes a form that it was shown."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from web.dependencies import Clock, DeskRoute, Parts
from web.desk.attempts import AttemptPages, QuestionPages, UsePages
from web.desk.forms import form_in
from web.desk.funnel import FunnelPages
from web.desk.layout import Frame, Visit, on_to
from web.desk.links import LinkPages
from web.desk.login import Door
from web.middleware import body_within, from_elsewhere
from web.pages import Pages

_LIMIT = 16 * 1024

Serve = Callable[[Request], Awaitable[Response]]
Page = Callable[[Visit], Awaitable[Response]]


def desk_routes(parts: Parts, pages: Pages) -> list[BaseRoute]:
    """Every page of the desk; none without its key."""
    if parts.desk is None:
        return []
    frame = Frame(parts.words, pages)
    door = Door(parts, parts.desk, frame)
    return [
        _open(frame, "/desk/sign-in", GET=door.show, POST=door.enter),
        _open(frame, "/desk/sign-out", POST=door.leave),
        *_pages(parts.desk, parts.clock, _Gate(frame, door)),
    ]


class _Gate:
    """Lets only those through who are signed in, and only forms that they were shown."""

    def __init__(self, frame: Frame, door: Door) -> None:
        self.frame = frame
        self._door = door

    def route(self, path: str, **pages: Page) -> Route:
        """A page behind the gate, by method."""
        return _open(self.frame, path, **{method: self._guarded(page) for method, page in pages.items()})

    def _guarded(self, page: Page) -> Serve:
        async def serve(request: Request) -> Response:
            session = self._door.session(request)
            if session is None:
                return on_to(request, "/sign-in")
            visit = Visit(request, session)
            if request.method != "POST":
                return await page(visit)
            body = await body_within(request, _LIMIT)
            if body is None:
                return self.frame.message(visit, "too_large", 413)
            form = form_in(body)
            if from_elsewhere(request.headers) or not hmac.compare_digest(
                form.get("proof", "").encode(), session.proof.encode()
            ):
                return self.frame.message(visit, "elsewhere", 403)
            return await page(Visit(request, session, form))

        return serve


def _open(frame: Frame, path: str, **pages: Serve) -> Route:
    async def serve(request: Request) -> Response:
        page = pages["GET" if request.method == "HEAD" else request.method]
        return frame.sealed(request, await page(request))

    return Route(path, serve, methods=list(pages))


def _pages(desk: DeskRoute, clock: Clock, gate: _Gate) -> list[Route]:
    support, frame, route = desk.support, gate.frame, gate.route
    funnel = FunnelPages(support, frame, clock)
    links = LinkPages(desk, frame, clock)
    attempts = AttemptPages(support, frame)
    return [
        route("/desk", GET=funnel.show),
        route("/desk/", GET=funnel.show),
        route("/desk/funnel.csv", GET=funnel.table),
        route("/desk/links", GET=links.index, POST=links.search),
        route("/desk/links/new", GET=links.form, POST=links.make),
        route("/desk/links/{id}", GET=links.show),
        route("/desk/links/{id}/print", GET=links.sheet),
        route("/desk/links/{id}/qr.{form}", GET=links.picture),
        route("/desk/links/{id}/revoke", GET=links.ask, POST=links.revoke),
        route("/desk/attempts", GET=attempts.index, POST=attempts.search),
        route("/desk/attempts/{code}", GET=attempts.show),
        route("/desk/questions", GET=QuestionPages(support, frame, clock, desk.topics).show),
        route("/desk/uses", GET=UsePages(support, frame).show),
    ]
