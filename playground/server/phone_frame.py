"""The phone beside the chat: fetches pages of this machine as an app does, for a frame of the chat page.

Each app keeps its own cookies for each address, here and not in the browser. Pages are shown in a sandbox: their
scripts have no origin and cannot reach the playground.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

import aiohttp
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from yarl import URL

from playground.phone.apps import App
from playground.phone.browser import USER_AGENTS, origin_of
from playground.phone.page_parser import WebPage, read_page
from playground.server.loopback_guard import LOOPBACK
from playground.server.phone_frame_html import led_through, refresh_led_through
from playground.server.press_recognizer import gestures
from playground.world.event_log import EventLog
from playground.world.serializers import JsonAnswer

LARGEST_PAGE = 8 * 1024 * 1024
PATIENCE = aiohttp.ClientTimeout(total=20)
SANDBOX = "sandbox allow-forms allow-scripts"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_STYLE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; " + SANDBOX
_WORDS = {
    "outside": (
        "请用真手机打开",
        "这个地址不在这台电脑上，试用台不替它上网。",
        "Open it on a real phone",
        "This address is not on this machine; the playground does not go there.",
    ),
    "silent": (
        "打不开这个页面",
        "那个地址没有回应：程序可能没有在运行，或者链接不完整。",
        "The page does not open",
        "Nothing answers at that address: the program may not be running, or the link is incomplete.",
    ),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What an app shows right now; `leads` is where its answer sent it on to."""

    url: str | None = None
    title: str = ""
    status: int = 0
    page: WebPage | None = None
    leads: str | None = None


class PhoneFrame:
    """The apps of the phone; what a finger does there is written into the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._shown: dict[App, Shown] = {}
        self._cookies: dict[tuple[App, str], aiohttp.CookieJar] = {}

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the phone."""
        return [
            Route("/phone/{app}", self.shown),
            Route("/phone/{app}/{scheme}/{place}", self.page, methods=["GET", "POST"]),
            Route("/phone/{app}/{scheme}/{place}/{path:path}", self.page, methods=["GET", "POST"]),
        ]

    async def shown(self, request: Request) -> Response:
        """Tell which page an app shows: the chat page cannot look into the frame."""
        app = _app(request)
        now = self._shown.get(app, Shown()) if app else Shown()
        return JsonAnswer({"url": now.url, "title": now.title, "status": now.status})

    async def page(self, request: Request) -> Response:
        """Fetch a page as the app does."""
        app, scheme = _app(request), request.path_params["scheme"]
        if app is None or scheme not in {"http", "https"}:
            return HTMLResponse("", 404)
        origin = f"{scheme}://{request.path_params['place']}"
        # The address as it was asked for: a decoded and encoded one may be another.
        _, _, _, _, _, *path = request.scope["raw_path"].decode("ascii").split("/", 5)
        url = f"{origin}/{''.join(path)}"
        url += f"?{request.url.query}" if request.url.query else ""
        if not _is_here(origin) or _is_itself(origin, request):
            self._shown[app] = Shown(url, _WORDS["outside"][0])
            return _own_page("outside", url, 200)
        return await self._fetch(app, origin, url, request)

    async def _fetch(self, app: App, origin: str, url: str, request: Request) -> Response:
        headers = {"User-Agent": USER_AGENTS[app], "Accept": request.headers.get("accept", "*/*")}
        headers["Accept-Language"] = request.headers.get("accept-language", "zh-CN,zh;q=0.9")
        body = None
        if request.method == "POST":
            kind = request.headers.get("content-type", "")
            if not kind.startswith(_FORMS):
                return _own_page("silent", url, 415)
            headers["Content-Type"], body = kind, await request.body()
            headers["Origin"] = origin_of(self._shown.get(app, Shown()).url or "")
        if _is_navigation(request):
            self._note(app, request.method, url, body or b"")
        # Addresses of this machine are numbers without a name, which a jar keeps cookies for only when told so.
        jar = self._cookies.setdefault((app, origin), aiohttp.CookieJar(unsafe=True))
        try:
            async with (
                aiohttp.ClientSession(cookie_jar=jar, timeout=PATIENCE, auto_decompress=True) as session,
                session.request(
                    request.method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                content = await answer.content.read(LARGEST_PAGE)
                return self._passed_on(app, url, answer, content, seen=_is_navigation(request))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self._shown[app] = Shown(url, _WORDS["silent"][0])
            return _own_page("silent", url, 502)

    def _note(self, app: App, method: str, url: str, body: bytes) -> None:
        """Write down what was done before anything comes of it."""
        before = self._shown.get(app, Shown())
        if before.leads == url and method == "GET":
            return
        page, address = before.page, before.url or ""
        done = gestures(page, address, method, url, body.decode(errors="replace")) if page else []
        for did, label in done or [("open", "")]:
            self._log.add("phone", None, app=app, did=did, label=label, url=url)

    def _show(self, app: App, now: Shown) -> None:
        before = self._shown.get(app, Shown())
        self._shown[app] = now
        if now.title and now.title != before.title:
            self._log.add("phone", None, app=app, did="shows", label=now.title, url=now.url)

    def _passed_on(self, app: App, url: str, answer: aiohttp.ClientResponse, content: bytes, *, seen: bool) -> Response:
        def lead(address: str) -> str:
            return framed(app, urljoin(url, address.strip()))

        headers = _kept(answer.headers)
        if "Location" in answer.headers:
            if seen:
                before = self._shown.get(app, Shown())
                self._shown[app] = replace(before, leads=urljoin(url, answer.headers["Location"]))
            return Response(b"", answer.status, {**headers, "location": lead(answer.headers["Location"])})
        if "Refresh" in answer.headers:
            headers["refresh"] = refresh_led_through(answer.headers["Refresh"], lead)
        if answer.content_type != "text/html":
            return Response(content, answer.status, headers, media_type=answer.content_type)
        source = content.decode(answer.get_encoding(), "replace")
        text, title = led_through(source, lead)
        self._show(app, Shown(url, title, answer.status, read_page(source)))
        return HTMLResponse(text, answer.status, headers)


def framed(app: App, url: str) -> str:
    """Return where the playground shows an address as that app; what is no web address stays."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        return url
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"/phone/{app}/{parts.scheme}/{parts.netloc}{parts.path or '/'}{query}{fragment}"


def _app(request: Request) -> App | None:
    return next((app for app in App if app == request.path_params["app"]), None)


def _is_here(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        named = parts.hostname if parts.username is None and parts.port != 0 else None
    except ValueError:
        return False
    return named in LOOPBACK


def _is_navigation(request: Request) -> bool:
    """Whether the frame goes to a page, and no page fetches a part of itself."""
    return request.headers.get("sec-fetch-dest", "iframe") in {"iframe", "document"}


def _is_itself(origin: str, request: Request) -> bool:
    """Whether it is the playground's own address: the guard would take the phone for a friend."""
    return (urlsplit(origin).port or 80) == (request.url.port or 80)


def _kept(given: Mapping[str, str]) -> dict[str, str]:
    policies = [policy for policy in (given.get("Content-Security-Policy"), SANDBOX) if policy]
    return {
        "content-security-policy": ", ".join(_framable(policy) for policy in policies),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def _framable(policy: str) -> str:
    """Let the page be framed here, whatever it says of frames elsewhere; its other wishes stay."""
    kept = [part for part in policy.split(";") if not re.match(r"\s*(frame-ancestors|upgrade-insecure)", part)]
    return ";".join([*kept, " frame-ancestors 'self'"])


def _own_page(kind: str, url: str, status: int) -> Response:
    title, words, english_title, english_words = _WORDS[kind]
    return HTMLResponse(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>body{{font:16px/1.6 system-ui,'Noto Sans CJK SC',sans-serif;color:#2a3331;"
        "display:grid;align-content:center;min-height:90vh;margin:0;padding:0 28px;text-align:center}"
        "h1{font-size:20px;margin:0 0 6px}p{margin:0 0 14px;color:#66716d}code{overflow-wrap:anywhere;color:#0d6c60}"
        f"</style><h1>{title}</h1><p>{words}</p><p lang=en>{english_title}. {english_words}</p>"
        f"<p><code>{html.escape(url)}</code></p>",
        status,
        {"content-security-policy": _STYLE, "cache-control": "no-store"},
    )
