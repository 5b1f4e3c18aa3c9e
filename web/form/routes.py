"""Serves the private form, at an address that a button of the chat opens.

The address names the person and the question that the form answers, sealed, so it works once: when the question is
answered, here or in the chat, the form is over. The page is plain HTML and works without scripts. Opened inside
Telegram as a Mini App, a short script of ours adds what Telegram says of the person (`init_data`); what comes along
must be right.
"""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.dependencies import FormAnswers, FormResult, FormRoute, FormStatus, WebDeps
from web.middleware import form_headers, is_cross_site, read_body
from web.pages import Pages
from web.throttle import GuessThrottle

_BODY_LIMIT = 16 * 1024
_FIELDS = 8
_HTTP_STATUSES = {
    FormStatus.UNKNOWN: HTTPStatus.NOT_FOUND,
    FormStatus.OVER: HTTPStatus.GONE,
    FormStatus.NOT_YOURS: HTTPStatus.FORBIDDEN,
    FormStatus.TAKEN: HTTPStatus.OK,
}


def form_routes(deps: WebDeps, pages: Pages, throttle: GuessThrottle) -> list[Route]:
    """The routes of the form; none where the program has no form."""
    if deps.form is None:
        return []
    form = FormPages(deps.form, pages, form_headers(framed=deps.framed))
    return [Route("/f/{token}", throttle.wrap(form.serve), methods=["GET", "POST"])]


class FormPages:
    """Serves the form."""

    def __init__(self, route: FormRoute, pages: Pages, headers: Mapping[str, str]) -> None:
        self._route = route
        self._pages = pages
        self._headers = headers

    async def serve(self, request: Request) -> Response:
        """Show the form, or take what was typed into it."""
        page = await (self._send(request) if request.method == "POST" else self._show(request))
        page.headers.update(self._headers)
        return page

    async def _show(self, request: Request) -> Response:
        status = await self._route.status(request.path_params["token"])
        if status is not FormStatus.OPEN:
            return self._message(request, status)
        return self._pages.form(request, FormAnswers(), FormResult(status))

    async def _send(self, request: Request) -> Response:
        if is_cross_site(request):
            return self._pages.message(request, "elsewhere", HTTPStatus.FORBIDDEN)
        body = await read_body(request, _BODY_LIMIT)
        if body is None:
            return self._pages.message(request, "too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        answers = _read(body)
        result = await self._route.send(request.path_params["token"], answers, self._pages.language(request))
        if result.status is not FormStatus.WRONG:
            return self._message(request, result.status)
        page = self._pages.form(request, answers, result)
        page.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return page

    def _message(self, request: Request, status: FormStatus) -> Response:
        return self._pages.message(request, f"form_{status}", _HTTP_STATUSES[status])


def _read(body: bytes) -> FormAnswers:
    """The fields of the form; what is missing or unreadable is empty."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        fields = {}

    def last(name: str) -> str:
        return fields.get(name, [""])[-1]

    return FormAnswers(name=last("name"), number=last("number"), checked=last("checked"), init_data=last("init_data"))
