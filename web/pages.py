"""Renders views as HTML pages: one language, one layout, every value escaped."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse

from verification import Method, Reason
from verification.ports import Provider
from web.dependencies import FormAnswers, FormResult, Texts
from web.phone.views import PhoneView

if TYPE_CHECKING:
    from jinja2 import Environment

_DEFAULT_LANGUAGE = "zh"
ASSETS = "v/assets/"


class Pages:
    """Renders each page in the language that the address asks for."""

    def __init__(self, texts: Mapping[str, Texts], providers: Mapping[Method, Provider]) -> None:
        self._texts = texts
        self._providers = providers

    def language(self, request: Request) -> str:
        """The language that the address asks for, or the default."""
        requested = request.query_params.get("lang", _DEFAULT_LANGUAGE)
        return requested if requested in self._texts else _DEFAULT_LANGUAGE

    def phone(self, request: Request, view: PhoneView) -> HTMLResponse:
        """A page of an attempt."""
        return self._page(request, "phone.html", view.method, view=view, theme=view.method.value)

    def form(self, request: Request, answers: FormAnswers, result: FormResult) -> HTMLResponse:
        """The private form, with what was typed and what is wrong with it."""
        return self._page(request, "form.html", None, answers=answers, result=result, theme="plain")

    def message(
        self,
        request: Request,
        kind: str,
        status: int = 200,
        *,
        method: Method | None = None,
        reason: Reason | None = None,
        in_chat: bool = True,
        refresh: str = "",
    ) -> HTMLResponse:
        """A page with one message: a result, an unknown address, an error. It holds no personal data.

        `refresh` is the seconds after which the page is loaded again, and from where.
        """
        values = {"kind": kind, "reason": reason, "in_chat": in_chat, "refresh": refresh}
        page = self._page(request, "message.html", method, theme="plain", **values)
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
        """The banner about simulation: for one method, or, on other pages, for all or some of them."""
        simulated = [each for each, provider in self._providers.items() if provider.simulated]
        if method is not None:
            return "simulation" if method in simulated else None
        if not simulated:
            return None
        return "simulation" if len(simulated) == len(self._providers) else "partly_simulated"


@cache
def templates() -> "Environment":
    """The templates, loaded and compiled once per process."""
    # The first page is wanted long after the start.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # it would look at every file of a page each time
    )


def translator(texts: Texts, prefix: str) -> Callable[..., str]:
    """A function that returns the text for a key below `prefix`, with its placeholders filled in."""

    def text(key: str, **values: object) -> str:
        return texts[prefix + key].format(**values)

    return text


def root_path(request: Request) -> str:
    """The relative path to the root; not absolute, because a proxy may add a prefix."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return "../" * min(path.count(b"/") - 1, 20)
