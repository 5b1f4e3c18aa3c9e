"""The phone next to the chat: fetches pages of this machine as an app does, and shows them in a frame of the chat page.

Each app has its own cookies for each origin; they are stored here, not in the browser. Pages run in a sandbox: their
scripts have no origin and cannot reach the simulator.
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

from playground.botapi.json_response import AsciiJsonResponse
from playground.phone.apps import PhoneApp
from playground.phone.browser import USER_AGENTS, origin_of
from playground.phone.page_parser import WebPage, read_page
from playground.server.loopback_guard import LOOPBACK_HOSTS
from playground.server.phone_frame_html import rewrite_links, rewrite_refresh
from playground.server.press_recognizer import recognize_gestures
from playground.world.event_log import EventLog

MAX_PAGE = 8 * 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=20)
SANDBOX = "sandbox allow-forms allow-scripts"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_NOTICE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; " + SANDBOX
_NOTICES = {
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
class FrameState:
    """The page that an app shows now. `redirect_url` is where its last answer redirected to."""

    url: str | None = None
    title: str = ""
    status: int = 0
    page: WebPage | None = None
    redirect_url: str | None = None


class PhoneFrame:
    """The apps of the phone. What a person does on a page is logged."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._states: dict[PhoneApp, FrameState] = {}
        self._cookies: dict[tuple[PhoneApp, str], aiohttp.CookieJar] = {}

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the phone."""
        return [
            Route("/phone/{app}", self.get_state),
            Route("/phone/{app}/{scheme}/{place}", self.page, methods=["GET", "POST"]),
            Route("/phone/{app}/{scheme}/{place}/{path:path}", self.page, methods=["GET", "POST"]),
        ]

    async def get_state(self, request: Request) -> Response:
        """Return which page an app shows. The chat page needs this, because it cannot look into the frame."""
        app = _app(request)
        current = self._states.get(app, FrameState()) if app else FrameState()
        return AsciiJsonResponse({"url": current.url, "title": current.title, "status": current.status})

    async def page(self, request: Request) -> Response:
        """Fetch a page as the app does."""
        app, scheme = _app(request), request.path_params["scheme"]
        if app is None or scheme not in {"http", "https"}:
            return HTMLResponse("", 404)
        origin = f"{scheme}://{request.path_params['place']}"
        # The raw path: decoding and encoding it again may give another URL.
        _, _, _, _, _, *path = request.scope["raw_path"].decode("ascii").split("/", 5)
        url = f"{origin}/{''.join(path)}"
        url += f"?{request.url.query}" if request.url.query else ""
        if not _is_local(origin) or _is_playground(origin, request):
            self._states[app] = FrameState(url, _NOTICES["outside"][0])
            return _notice_page("outside", url, 200)
        return await self._fetch(app, origin, url, request)

    async def _fetch(self, app: PhoneApp, origin: str, url: str, request: Request) -> Response:
        headers = {"User-Agent": USER_AGENTS[app], "Accept": request.headers.get("accept", "*/*")}
        headers["Accept-Language"] = request.headers.get("accept-language", "zh-CN,zh;q=0.9")
        body = None
        if request.method == "POST":
            kind = request.headers.get("content-type", "")
            if not kind.startswith(_FORMS):
                return _notice_page("silent", url, 415)
            headers["Content-Type"], body = kind, await request.body()
            headers["Origin"] = origin_of(self._states.get(app, FrameState()).url or "")
        if _is_navigation(request):
            self._log_gestures(app, request.method, url, body or b"")
        # `unsafe` accepts cookies of IP addresses, and pages of this machine are served from 127.0.0.1.
        jar = self._cookies.setdefault((app, origin), aiohttp.CookieJar(unsafe=True))
        try:
            async with (
                aiohttp.ClientSession(cookie_jar=jar, timeout=TIMEOUT, auto_decompress=True) as session,
                session.request(
                    request.method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                content = await answer.content.read(MAX_PAGE)
                return self._proxied(app, url, answer, content, is_navigation=_is_navigation(request))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self._states[app] = FrameState(url, _NOTICES["silent"][0])
            return _notice_page("silent", url, 502)

    def _log_gestures(self, app: PhoneApp, method: str, url: str, body: bytes) -> None:
        """Log what the person did, before the page answers."""
        before = self._states.get(app, FrameState())
        if before.redirect_url == url and method == "GET":
            return
        page, address = before.page, before.url or ""
        gestures = recognize_gestures(page, address, method, url, body.decode(errors="replace")) if page else []
        for did, label in gestures or [("open", "")]:
            self._log.add("phone", None, app=app, did=did, label=label, url=url)

    def _show(self, app: PhoneApp, current: FrameState) -> None:
        before = self._states.get(app, FrameState())
        self._states[app] = current
        if current.title and current.title != before.title:
            self._log.add("phone", None, app=app, did="shows", label=current.title, url=current.url)

    def _proxied(
        self, app: PhoneApp, url: str, answer: aiohttp.ClientResponse, content: bytes, *, is_navigation: bool
    ) -> Response:
        def rewrite(link: str) -> str:
            return frame_url(app, urljoin(url, link.strip()))

        headers = _response_headers(answer.headers)
        if "Location" in answer.headers:
            if is_navigation:
                before = self._states.get(app, FrameState())
                self._states[app] = replace(before, redirect_url=urljoin(url, answer.headers["Location"]))
            return Response(b"", answer.status, {**headers, "location": rewrite(answer.headers["Location"])})
        if "Refresh" in answer.headers:
            headers["refresh"] = rewrite_refresh(answer.headers["Refresh"], rewrite)
        if answer.content_type != "text/html":
            return Response(content, answer.status, headers, media_type=answer.content_type)
        source = content.decode(answer.get_encoding(), "replace")
        text, title = rewrite_links(source, rewrite)
        self._show(app, FrameState(url, title, answer.status, read_page(source)))
        return HTMLResponse(text, answer.status, headers)


def frame_url(app: PhoneApp, url: str) -> str:
    """Return the URL under which the simulator shows an address in that app; any other URL stays as it is."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        return url
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"/phone/{app}/{parts.scheme}/{parts.netloc}{parts.path or '/'}{query}{fragment}"


def _app(request: Request) -> PhoneApp | None:
    return next((app for app in PhoneApp if app == request.path_params["app"]), None)


def _is_local(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        host = parts.hostname if parts.username is None and parts.port != 0 else None
    except ValueError:
        return False
    return host in LOOPBACK_HOSTS


def _is_navigation(request: Request) -> bool:
    """Whether the frame loads a page, as opposed to an image or a script of a page."""
    return request.headers.get("sec-fetch-dest", "iframe") in {"iframe", "document"}


def _is_playground(origin: str, request: Request) -> bool:
    """Whether the origin is the simulator itself, whose loopback guard would accept requests of the phone."""
    return (urlsplit(origin).port or 80) == (request.url.port or 80)


def _response_headers(given: Mapping[str, str]) -> dict[str, str]:
    policies = [policy for policy in (given.get("Content-Security-Policy"), SANDBOX) if policy]
    return {
        "content-security-policy": ", ".join(_allow_framing(policy) for policy in policies),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def _allow_framing(policy: str) -> str:
    """Allow the page in the frame here; keep the rest of its policy."""
    remaining = [part for part in policy.split(";") if not re.match(r"\s*(frame-ancestors|upgrade-insecure)", part)]
    return ";".join([*remaining, " frame-ancestors 'self'"])


def _notice_page(kind: str, url: str, status: int) -> Response:
    title, text, english_title, english_text = _NOTICES[kind]
    return HTMLResponse(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>body{{font:16px/1.6 system-ui,'Noto Sans CJK SC',sans-serif;color:#2a3331;"
        "display:grid;align-content:center;min-height:90vh;margin:0;padding:0 28px;text-align:center}"
        "h1{font-size:20px;margin:0 0 6px}p{margin:0 0 14px;color:#66716d}code{overflow-wrap:anywhere;color:#0d6c60}"
        f"</style><h1>{title}</h1><p>{text}</p><p lang=en>{english_title}. {english_text}</p>"
        f"<p><code>{html.escape(url)}</code></p>",
        status,
        {"content-security-policy": _NOTICE_POLICY, "cache-control": "no-store"},
    )
