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

from playground.phone.apps import PhoneApp
from playground.phone.browser import USER_AGENTS, origin_of
from playground.phone.page_parser import WebPage, read_page
from playground.server.loopback_guard import LOOPBACK_HOSTS
from playground.server.phone_frame_html import rewrite_links, rewrite_refresh
from playground.server.press_recognizer import recognize_gestures
from playground.world.event_log import EventLog
from playground.world.serializers import AsciiJsonResponse

LARGEST_PAGE = 8 * 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=20)
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
class FrameState:
    """What an app shows right now; `leads` is where its answer sent it on to."""

    url: str | None = None
    title: str = ""
    status: int = 0
    page: WebPage | None = None
    redirect_url: str | None = None


class PhoneFrame:
    """The apps of the phone; what a finger does there is written into the log."""

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
        """Tell which page an app shows: the chat page cannot look into the frame."""
        app = _app(request)
        now = self._states.get(app, FrameState()) if app else FrameState()
        return AsciiJsonResponse({"url": now.url, "title": now.title, "status": now.status})

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
        if not _is_local(origin) or _is_playground(origin, request):
            self._states[app] = FrameState(url, _WORDS["outside"][0])
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
        # Addresses of this machine are numbers without a name, which a jar keeps cookies for only when told so.
        jar = self._cookies.setdefault((app, origin), aiohttp.CookieJar(unsafe=True))
        try:
            async with (
                aiohttp.ClientSession(cookie_jar=jar, timeout=TIMEOUT, auto_decompress=True) as session,
                session.request(
                    request.method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                content = await answer.content.read(LARGEST_PAGE)
                return self._proxied(app, url, answer, content, seen=_is_navigation(request))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self._states[app] = FrameState(url, _WORDS["silent"][0])
            return _notice_page("silent", url, 502)

    def _log_gestures(self, app: PhoneApp, method: str, url: str, body: bytes) -> None:
        """Write down what was done before anything comes of it."""
        before = self._states.get(app, FrameState())
        if before.redirect_url == url and method == "GET":
            return
        page, address = before.page, before.url or ""
        done = recognize_gestures(page, address, method, url, body.decode(errors="replace")) if page else []
        for did, label in done or [("open", "")]:
            self._log.add("phone", None, app=app, did=did, label=label, url=url)

    def _show(self, app: PhoneApp, now: FrameState) -> None:
        before = self._states.get(app, FrameState())
        self._states[app] = now
        if now.title and now.title != before.title:
            self._log.add("phone", None, app=app, did="shows", label=now.title, url=now.url)

    def _proxied(
        self, app: PhoneApp, url: str, answer: aiohttp.ClientResponse, content: bytes, *, seen: bool
    ) -> Response:
        def lead(address: str) -> str:
            return frame_url(app, urljoin(url, address.strip()))

        headers = _response_headers(answer.headers)
        if "Location" in answer.headers:
            if seen:
                before = self._states.get(app, FrameState())
                self._states[app] = replace(before, redirect_url=urljoin(url, answer.headers["Location"]))
            return Response(b"", answer.status, {**headers, "location": lead(answer.headers["Location"])})
        if "Refresh" in answer.headers:
            headers["refresh"] = rewrite_refresh(answer.headers["Refresh"], lead)
        if answer.content_type != "text/html":
            return Response(content, answer.status, headers, media_type=answer.content_type)
        source = content.decode(answer.get_encoding(), "replace")
        text, title = rewrite_links(source, lead)
        self._show(app, FrameState(url, title, answer.status, read_page(source)))
        return HTMLResponse(text, answer.status, headers)


def frame_url(app: PhoneApp, url: str) -> str:
    """Return where the playground shows an address as that app; what is no web address stays."""
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
        named = parts.hostname if parts.username is None and parts.port != 0 else None
    except ValueError:
        return False
    return named in LOOPBACK_HOSTS


def _is_navigation(request: Request) -> bool:
    """Whether the frame goes to a page, and no page fetches a part of itself."""
    return request.headers.get("sec-fetch-dest", "iframe") in {"iframe", "document"}


def _is_playground(origin: str, request: Request) -> bool:
    """Whether it is the playground's own address: the guard would take the phone for a friend."""
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
    """Let the page be framed here, whatever it says of frames elsewhere; its other wishes stay."""
    kept = [part for part in policy.split(";") if not re.match(r"\s*(frame-ancestors|upgrade-insecure)", part)]
    return ";".join([*kept, " frame-ancestors 'self'"])


def _notice_page(kind: str, url: str, status: int) -> Response:
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
