"""The desk's routes; each page needs a session, and each form the proof from the page that showed it."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from web.dependencies import DeskRoute, UtcNow, WebDeps
from web.desk.attempts import AttemptPages, AuditLogPages, QuestionPages
from web.desk.forms import parse_form
from web.desk.funnel import FunnelPages
from web.desk.layout import DeskLayout, DeskRequest, redirect
from web.desk.links import LinkPages
from web.desk.login import LoginPages
from web.middleware import is_cross_site, read_body
from web.pages import Pages

_LIMIT = 16 * 1024

Handler = Callable[[Request], Awaitable[Response]]
PageHandler = Callable[[DeskRequest], Awaitable[Response]]


def desk_routes(deps: WebDeps, desk: DeskRoute, pages: Pages) -> list[BaseRoute]:
    """All pages of the desk."""
    frame = DeskLayout(deps.texts, pages)
    login = LoginPages(deps, desk, frame)
    return [
        _route(frame, "/desk/sign-in", GET=login.show, POST=login.sign_in),
        _route(frame, "/desk/sign-out", POST=login.sign_out),
        *_pages(desk, deps.clock, _LoginRequired(frame, login)),
    ]


class _LoginRequired:
    """Lets only signed-in requests through, and only forms with the session's proof."""

    def __init__(self, frame: DeskLayout, login: LoginPages) -> None:
        self.frame = frame
        self._login = login

    def route(self, path: str, **pages: PageHandler) -> Route:
        """A route that requires a session, by HTTP method."""
        return _route(self.frame, path, **{method: self._require_login(page) for method, page in pages.items()})

    def _require_login(self, page: PageHandler) -> Handler:
        async def serve(request: Request) -> Response:
            session = await self._login.session(request)
            if session is None:
                return redirect(request, "/sign-in")
            visit = DeskRequest(request, session)
            if request.method != "POST":
                return await page(visit)
            body = await read_body(request, _LIMIT)
            if body is None:
                return self.frame.message(visit, "too_large", 413)
            form = parse_form(body)
            if is_cross_site(request) or not hmac.compare_digest(
                form.get("proof", "").encode(), session.proof.encode()
            ):
                return self.frame.message(visit, "elsewhere", 403)
            return await page(DeskRequest(request, session, form))

        return serve


def _route(frame: DeskLayout, path: str, **pages: Handler) -> Route:
    async def serve(request: Request) -> Response:
        page = pages["GET" if request.method == "HEAD" else request.method]
        return frame.with_headers(request, await page(request))

    return Route(path, serve, methods=list(pages))


def _pages(desk: DeskRoute, clock: UtcNow, login_required: _LoginRequired) -> list[Route]:
    support, frame, route = desk.support, login_required.frame, login_required.route
    funnel = FunnelPages(support, frame, clock)
    links = LinkPages(desk, frame, clock)
    attempts = AttemptPages(support, frame)
    return [
        route("/desk", GET=funnel.show),
        route("/desk/", GET=funnel.show),
        route("/desk/funnel.csv", GET=funnel.csv),
        route("/desk/links", GET=links.index, POST=links.search),
        route("/desk/links/new", GET=links.form, POST=links.create),
        route("/desk/links/{id}", GET=links.show),
        route("/desk/links/{id}/print", GET=links.sheet),
        route("/desk/links/{id}/qr.{form}", GET=links.picture),
        route("/desk/links/{id}/revoke", GET=links.confirm_revoke, POST=links.revoke),
        route("/desk/attempts", GET=attempts.index, POST=attempts.search),
        route("/desk/attempts/{code}", GET=attempts.show),
        route("/desk/questions", GET=QuestionPages(support, frame, clock, desk.topics).show),
        route("/desk/uses", GET=AuditLogPages(support, frame).show),
    ]
