"""Turning views into pages: one language, one look, every value escaped."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from verification import Reason
from web.parts import Words
from web.views import PhoneView

_FIRST_LANGUAGE = "zh"
_ASSETS = "v/assets/"


class Pages:
    """Every page there is, in the language the address asks for."""

    def __init__(self, words: Mapping[str, Words], *, simulated: bool) -> None:
        self._words = words
        self._simulated = simulated

    def language(self, request: Request) -> str:
        """The language the address asks for; the first one when it asks for none we have."""
        asked = request.query_params.get("lang", _FIRST_LANGUAGE)
        return asked if asked in self._words else _FIRST_LANGUAGE

    def phone(self, request: Request, view: PhoneView) -> HTMLResponse:
        """Show one stage."""
        return self._page(request, "phone.html", 200, view=view, theme=view.method.value)

    def message(self, request: Request, kind: str, status: int = 200) -> HTMLResponse:
        """Say one thing: that it ended, that nothing is here, that something went wrong. Holds no personal data."""
        return self._page(request, "message.html", status, kind=kind, reason=None, theme="plain")

    def failed(self, request: Request, reason: Reason) -> HTMLResponse:
        """Say that it did not pass, why, and what helps."""
        return self._page(request, "message.html", 200, kind="failed", reason=reason.value, theme="plain")

    def _page(self, request: Request, template: str, status: int, **values: object) -> HTMLResponse:
        language = self.language(request)
        html = (
            _templates()
            .get_template(template)
            .render(
                t=_teller(self._words[language]),
                language=language,
                assets=_way_to_assets(request),
                simulated=self._simulated,
                **values,
            )
        )
        return HTMLResponse(html, status_code=status)


@cache
def _templates() -> Environment:
    """The templates, read and compiled once a process."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _teller(words: Words) -> Callable[..., str]:
    def tell(key: str, **values: object) -> str:
        return words[f"page.{key}"].format(**values)

    return tell


def _way_to_assets(request: Request) -> str:
    """Point to the assets from wherever the page stands; relative, since a proxy may have put a prefix before it."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return "../" * min(path.count(b"/") - 1, 20) + _ASSETS
