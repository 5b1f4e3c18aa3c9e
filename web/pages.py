"""Turning views into pages: one language, one look, every value escaped."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from verification import Method, Reason
from verification.ports import Provider
from web.dependencies import Texts
from web.phone.views import HandoverView, PhoneView

_FIRST_LANGUAGE = "zh"
ASSETS = "v/assets/"


class Pages:
    """Every page there is, in the language the address asks for."""

    def __init__(self, texts: Mapping[str, Texts], providers: Mapping[Method, Provider]) -> None:
        self._texts = texts
        self._providers = providers

    def language(self, request: Request) -> str:
        """The language the address asks for; the first one when it asks for none we have."""
        asked = request.query_params.get("lang", _FIRST_LANGUAGE)
        return asked if asked in self._texts else _FIRST_LANGUAGE

    def phone(self, request: Request, view: PhoneView) -> HTMLResponse:
        """Show one stage."""
        return self._page(request, "phone.html", view.method, view=view, theme=view.method.value)

    def handover(self, request: Request, view: HandoverView) -> HTMLResponse:
        """Show the page before a provider's own."""
        return self._page(request, "handover.html", view.method, view=view, theme=view.method.value)

    def message(
        self,
        request: Request,
        kind: str,
        status: int = 200,
        *,
        method: Method | None = None,
        reason: Reason | None = None,
    ) -> HTMLResponse:
        """Say one thing: how it ended, that nothing is here, that something went wrong. Holds no personal data."""
        page = self._page(request, "message.html", method, kind=kind, reason=reason, theme="plain")
        page.status_code = status
        return page

    def _page(self, request: Request, template: str, method: Method | None, **values: object) -> HTMLResponse:
        language = self.language(request)
        html = (
            templates()
            .get_template(template)
            .render(
                t=translator(self._texts[language], "page."),
                language=language,
                assets=root_path(request) + ASSETS,
                banner=self.banner(method),
                **values,
            )
        )
        return HTMLResponse(html)

    def banner(self, method: Method | None = None) -> str | None:
        """What every page must say where something is simulated: this way, or, on other pages, all or some of them."""
        simulated = [each for each, provider in self._providers.items() if provider.simulated]
        if method in simulated or len(simulated) == len(self._providers):
            return "simulation"
        return "partly_simulated" if simulated else None


@cache
def templates() -> Environment:
    """The templates, read and compiled once a process."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def translator(texts: Texts, prefix: str) -> Callable[..., str]:
    """Give what tells a text of a section by the rest of its key, filled in."""

    def tell(key: str, **values: object) -> str:
        return texts[prefix + key].format(**values)

    return tell


def root_path(request: Request) -> str:
    """Point to the top from wherever the page stands; relative, since a proxy may have put a prefix before it."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return "../" * min(path.count(b"/") - 1, 20)
