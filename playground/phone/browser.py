"""The browser of the simulated phone: opens links as WeChat, QQ, a browser or a preview robot, and uses HTML forms.

It runs no JavaScript: a page must work without. Each app has its own cookies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from difflib import get_close_matches
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp

from playground.phone.apps import Gesture, PhoneApp
from playground.phone.page_parser import Control, Form, WebPage, read_page

_ANDROID = "Mozilla/5.0 (Linux; Android 14; Phone) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0"
USER_AGENTS = {
    PhoneApp.WECHAT: f"{_ANDROID} Mobile Safari/537.36 XWEB/1240045 MicroMessenger/8.0.49 NetType/WIFI Language/zh_CN",
    PhoneApp.QQ: f"{_ANDROID} Mobile Safari/537.36 V1_AND_SQ_9.0.60 QQ/9.0.60 NetType/WIFI",
    PhoneApp.BROWSER: f"{_ANDROID} Mobile Safari/537.36",
    PhoneApp.ROBOT: "Mozilla/5.0 (compatible; LinkPreviewBot/1.0)",
}
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class PhoneError(Exception):
    """A gesture is not possible on this page. The message says what the page has."""


@dataclass(frozen=True, slots=True)
class LabelMatcher:
    """A label that a script looks for: an exact match is preferred to a match of a part."""

    source: str
    matches_exactly: Callable[[str], bool]
    matches_partly: Callable[[str], bool]


class Phone:
    """One person's phone, an async context manager. `page`, `status` and `address` describe the current page."""

    def __init__(self) -> None:
        self.page: WebPage | None = None
        self.status = 0
        self.address = ""
        self._apps: dict[PhoneApp, aiohttp.ClientSession] = {}
        self._app = PhoneApp.BROWSER
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def open(self, app: PhoneApp, address: str) -> None:
        """Open a link in an app. Raises `PhoneError` when it cannot be opened."""
        self._app = app
        await self._fetch("GET", address)

    async def reload(self) -> None:
        """Load the page again, or follow its refresh. Raises `PhoneError`."""
        page = self.current_page()
        await self._fetch("GET", urljoin(self.address, page.refresh or ""))

    async def use_control(self, gesture: Gesture, label: LabelMatcher) -> None:
        """Press, tick or choose the control with that label. Raises `PhoneError`."""
        page = self.current_page()
        match gesture:
            case Gesture.PRESS:
                await self._press(_find_control(page.controls_of("submit", "link"), label, "to press"))
            case Gesture.TICK:
                box = _find_control(page.controls_of("checkbox"), label, "to tick")
                box.is_chosen = True
            case Gesture.CHOOSE:
                _choose_option(_find_control(page.controls_of("radio", "option"), label, "to choose"))

    async def _press(self, control: Control) -> None:
        if control.kind == "link":
            await self._fetch("GET", urljoin(self.address, control.attributes["href"]))
            return
        form = control.form
        if form is None:
            raise PhoneError(f"the button {control.label!r} belongs to no form, and the phone runs no JavaScript")
        if missing := form.missing_required():
            first = missing[0].label or missing[0].name
            raise PhoneError(f"the form cannot be sent before this field is filled in: {first!r}")
        await self._send(form, control)

    async def _send(self, form: Form, pressed: Control) -> None:
        attributes = {**form.attributes, **_overrides(pressed)}
        address = urljoin(self.address, attributes.get("action", ""))
        fields = form.submitted_fields(pressed)
        if attributes.get("method", "get").lower() != "post":
            await self._fetch("GET", f"{address.partition('?')[0]}?{urlencode(fields)}")
            return
        await self._fetch("POST", address, fields)

    async def _fetch(self, method: str, address: str, fields: Sequence[tuple[str, str]] | None = None) -> None:
        session = await self._session()
        try:
            data = aiohttp.FormData(fields) if fields is not None else None
            headers = {"Origin": origin_of(self.address)} if fields is not None else {}
            async with session.request(method, address, data=data, headers=headers, timeout=_TIMEOUT) as answer:
                body = await answer.text(errors="replace")
                self.status, self.address = answer.status, str(answer.url)
                self.page = read_page(body) if "html" in answer.content_type else WebPage(text=body)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise PhoneError(f"the phone cannot open {address}: {str(error) or type(error).__name__}") from None

    async def _session(self) -> aiohttp.ClientSession:
        if self._app not in self._apps:
            session = aiohttp.ClientSession(
                headers={"User-Agent": USER_AGENTS[self._app], "Accept-Language": "zh-CN,zh;q=0.9"},
                cookie_jar=aiohttp.CookieJar(unsafe=True),  # accepts cookies of IP addresses
            )
            self._apps[self._app] = await self._open.enter_async_context(session)
        return self._apps[self._app]

    def current_page(self) -> WebPage:
        """Return the page; raises `PhoneError` before the first one is open."""
        if self.page is None:
            raise PhoneError("the phone shows no page yet: @scan comes first")
        return self.page


def origin_of(address: str) -> str:
    """Return the origin of an address as a browser sends it in the Origin header; "null" when it has none."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "null"


def _overrides(pressed: Control) -> dict[str, str]:
    overriding = {"action": "formaction", "method": "formmethod"}
    return {name: pressed.attributes[own] for name, own in overriding.items() if own in pressed.attributes}


def _choose_option(control: Control) -> None:
    alternatives = control.form.controls if control.form else []
    for other in alternatives:
        if other.kind == control.kind and other.select is control.select and other.name == control.name:
            other.is_chosen = False
    control.is_chosen = True


def _find_control(controls: list[Control], label: LabelMatcher, purpose: str) -> Control:
    matching = [control for control in controls if label.matches_exactly(control.label)]
    matching = matching or [control for control in controls if label.matches_partly(control.label)]
    if len(matching) == 1:
        if matching[0].disabled:
            raise PhoneError(f"{matching[0].label!r} is disabled")
        return matching[0]
    labels = [control.label for control in controls if control.label]
    if matching:
        raise PhoneError(f"{label.source!r} matches several: {', '.join(c.label for c in matching)}")
    near = get_close_matches(label.source, labels, 1, 0.4)
    hint = f"; nearest: {near[0]}" if near else ""
    raise PhoneError(f"nothing {purpose} is labelled {label.source!r} (there: {', '.join(labels) or 'nothing'}){hint}")
