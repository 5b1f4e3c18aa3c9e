"""What every page of the desk has around it: its language, where one is, and who is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from verification.ids import Actor
from web.dependencies import Texts
from web.desk.formatting import PageFormatter
from web.desk.sessions import DeskSession
from web.middleware import NO_FRAMING_HEADERS
from web.pages import ASSETS, Pages, root_path, templates, translator

LANGUAGE = "desk_language"
_YEAR = 365 * 24 * 3600
_FIRST_LANGUAGE = "zh"


@dataclass(frozen=True, slots=True)
class DeskRequest:
    """Somebody who is signed in asks for something; `form` is what they sent, once it is known to be theirs."""

    request: Request
    session: DeskSession
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Who it is, in the notes of uses."""
        return self.session.actor

    @property
    def query(self) -> Mapping[str, str]:
        """What the address asks for."""
        return self.request.query_params


class DeskLayout:
    """Makes the desk's pages."""

    def __init__(self, texts: Mapping[str, Texts], pages: Pages) -> None:
        self._texts = texts
        self._pages = pages

    def language(self, request: Request) -> str:
        """The language that the address asks for, or else the one that was asked for before."""
        asked = (request.query_params.get("lang", ""), request.cookies.get(LANGUAGE, ""))
        return next((language for language in asked if language in self._texts), _FIRST_LANGUAGE)

    @property
    def languages(self) -> Mapping[str, Texts]:
        """The languages there are."""
        return self._texts

    def language_or_none(self, text: str) -> str | None:
        """A language of ours; None for anything else."""
        return text if text in self._texts else None

    def page(self, visit: DeskRequest, template: str, status: int = 200, **values: object) -> Response:
        """A page for somebody who is signed in."""
        return self.public_page(visit.request, template, status, session=visit.session, **values)

    def public_page(self, request: Request, template: str, status: int = 200, **values: object) -> Response:
        """A page for anybody."""
        language = self.language(request)
        words = self._texts[language]
        t, up = translator(words, "desk."), root_path(request)
        kept = [each for each in request.query_params.multi_items() if each[0] != "lang"]
        shared = {
            "t": t,
            "p": translator(words, "page."),
            "shown": PageFormatter(t),
            "language": language,
            "languages": list(self._texts),
            "in_language": lambda other: "?" + urlencode([*kept, ("lang", other)]),
            "assets": up + ASSETS,
            "desk": f"{up}desk",
            "banner": self._pages.banner(),
            "session": None,
            "drawn": Markup,
        }
        html = templates().get_template(f"desk/{template}").render(shared | values)
        return HTMLResponse(html, status)

    def message(self, visit: DeskRequest, kind: str, status: int) -> Response:
        """A page that says one thing."""
        return self.page(visit, "message.html", status, kind=kind)

    def with_headers(self, request: Request, answer: Response) -> Response:
        """The answer as it leaves: nobody frames it, and a language that was asked for is remembered."""
        answer.headers.update(NO_FRAMING_HEADERS)
        if request.query_params.get("lang") in self._texts:
            answer.set_cookie(LANGUAGE, request.query_params["lang"], max_age=_YEAR, httponly=True, samesite="strict")
        return answer


def redirect(request: Request, path: str = "") -> Response:
    """Send a browser on to a page of the desk."""
    return RedirectResponse(f"{root_path(request)}desk{path}", status_code=303)
