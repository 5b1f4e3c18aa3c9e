"""The layout of the desk's pages: language, navigation, and the signed-in session."""

from collections.abc import Mapping
from urllib.parse import urlencode

from markupsafe import Markup
from msgspec import field
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from verification.ids import Actor
from verification.record import Record
from web.dependencies import Texts
from web.desk.formatting import PageFormatter
from web.desk.sessions import DeskSession
from web.middleware import NO_FRAMING_HEADERS
from web.pages import ASSETS, Pages, root_path, templates, translator

LANGUAGE = "desk_language"
_YEAR = 365 * 24 * 3600
_DEFAULT_LANGUAGE = "zh"


class DeskRequest(Record):
    """A request of a signed-in member of support; `form` is set once its proof is checked."""

    request: Request
    session: DeskSession
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The actor for audit entries."""
        return self.session.actor

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters."""
        return self.request.query_params


class DeskLayout:
    """Renders the desk's pages."""

    def __init__(self, texts: Mapping[str, Texts], pages: Pages) -> None:
        self._texts = texts
        self._pages = pages

    def language(self, request: Request) -> str:
        """The language of the query, or else of the cookie, or else the default."""
        requested = (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE, ""))
        return next((language for language in requested if language in self._texts), _DEFAULT_LANGUAGE)

    @property
    def languages(self) -> Mapping[str, Texts]:
        """The texts by language."""
        return self._texts

    def language_or_none(self, text: str) -> str | None:
        """A known language; None for anything else."""
        return text if text in self._texts else None

    def page(self, visit: DeskRequest, template: str, status: int = 200, **values: object) -> Response:
        """A page for a signed-in member of support."""
        return self.public_page(visit.request, template, status, session=visit.session, **values)

    def public_page(self, request: Request, template: str, status: int = 200, **values: object) -> Response:
        """A page without a session."""
        language = self.language(request)
        texts = self._texts[language]
        t, root = translator(texts, "desk."), root_path(request)
        parameters = [each for each in request.query_params.multi_items() if each[0] != "lang"]
        shared = {
            "t": t,
            "p": translator(texts, "page."),
            "format": PageFormatter(t),
            "language": language,
            "languages": list(self._texts),
            "in_language": lambda other: "?" + urlencode([*parameters, ("lang", other)]),
            "assets": root + ASSETS,
            "desk": f"{root}desk",
            "banner": self._pages.banner(),
            "session": None,
            "markup": Markup,
        }
        html = templates().get_template(f"desk/{template}").render(shared | values)
        return HTMLResponse(html, status)

    def message(self, visit: DeskRequest, kind: str, status: int) -> Response:
        """A page with one message."""
        return self.page(visit, "message.html", status, kind=kind)

    def with_headers(self, request: Request, answer: Response) -> Response:
        """Add headers against framing, and remember a requested language in a cookie."""
        answer.headers.update(NO_FRAMING_HEADERS)
        if request.query_params.get("lang") in self._texts:
            answer.set_cookie(LANGUAGE, request.query_params["lang"], max_age=_YEAR, httponly=True, samesite="strict")
        return answer


def redirect(request: Request, path: str = "") -> Response:
    """Redirect to a page of the desk."""
    return RedirectResponse(f"{root_path(request)}desk{path}", status_code=303)
