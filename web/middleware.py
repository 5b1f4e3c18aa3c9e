"""The middleware of every request: protective headers on each answer, and an answer for each unhandled error."""

import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger(__name__)

# No scripts.
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
RETRY_SOON_HEADERS = {"Retry-After": "2"}
"""For answers during an outage that ends by itself, such as a lost database."""
NO_FRAMING_HEADERS = {"Content-Security-Policy": f"{_POLICY}'none'", "X-Frame-Options": "DENY"}
"""For answers that no other page may frame."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Content-Security-Policy": f"{_POLICY}'self'",
}
_LOOPBACK = " http://127.0.0.1:* http://localhost:*"
_FRAMED_BY_LOOPBACK = {"Content-Security-Policy": f"{_POLICY}'self'{_LOOPBACK}"}
"""For the playground's page, which shows the phone's page in a frame."""
_ONLY_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class SafeHeaders:
    """Adds the protective headers to every answer, unless the answer sets them itself.

    `https` says that browsers reach the pages by https only; `framed` that a page of this machine may frame them.
    """

    def __init__(self, app: ASGIApp, *, https: bool, framed: bool) -> None:
        self._app = app
        headers = _HEADERS | (_ONLY_HTTPS if https else {}) | (_FRAMED_BY_LOOPBACK if framed else {})
        self._headers = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                missing = (header for header in self._headers if header[0] not in names)
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self._app(scope, receive, send_safely)


def form_headers(*, framed: bool) -> Mapping[str, str]:
    """The headers of the private form: it runs a script of ours, and Telegram's web client frames it as a Mini App."""
    by_loopback = _LOOPBACK if framed else ""
    return {"Content-Security-Policy": f"script-src 'self'; {_POLICY}'self' https://*.telegram.org{by_loopback}"}


class ErrorMiddleware:
    """Answers unhandled errors; logs their kind and position, never the message, which may quote a person's input."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_tracked(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_tracked)
        except ClientDisconnect:
            # The visitor has left, or was sent away; nobody waits for an answer.
            return
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            answer = self._answer(Request(scope), error)
            # An outage has its own lines.
            level = logging.DEBUG if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE else logging.ERROR
            _LOG.log(level, "request failed: %s in %s, line %s", type(error).__name__, frame.name, frame.lineno)
            if not started:
                await answer(scope, receive, send)


async def read_body(request: Request, limit: int) -> bytes | None:
    """Read the body; None as soon as it is known to exceed the limit in bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:12]) > limit:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def is_cross_site(request: Request) -> bool:
    """Whether the browser says that a page of another site sent this form.

    Our own site is the host that the request names, and that of PUBLIC_URL, for a proxy may rewrite the host. Without
    these headers the answer is no: our own pages send no referrer, so their `Origin` is "null", and a proxy may drop
    both headers. The token in the address is the real protection; this is an additional one.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin", "null")
    return origin != "null" and _host_of(origin) not in {
        request.headers.get("host"),
        _host_of(request.app.state.public_url),
    }


def _host_of(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
