"""The middleware of every request: protective headers on each answer, and an answer for each unhandled error."""

import logging
import traceback
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger(__name__)

# No scripts. Only loopback may frame pages, for the phone frame of the playground.
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
RETRY_SOON_HEADERS = {"Retry-After": "2"}
"""For answers during an outage that ends by itself, such as a lost database."""
NO_FRAMING_HEADERS = {"Content-Security-Policy": f"{_POLICY}'none'", "X-Frame-Options": "DENY"}
"""For answers that no other page may frame."""
FORM_HEADERS = {
    "Content-Security-Policy": f"script-src 'self'; {_POLICY}'self' https://web.telegram.org "
    "http://127.0.0.1:* http://localhost:*",
}
"""For the private form, which Telegram may frame and which runs a script of ours."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Content-Security-Policy": f"{_POLICY}'self' http://127.0.0.1:* http://localhost:*",
}


class SafeHeaders:
    """Adds the protective headers to every answer, unless the answer sets them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely)


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
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            _LOG.error("request failed: %s in %s, line %s", type(error).__name__, frame.name, frame.lineno)
            if not started:
                await self._answer(Request(scope), error)(scope, receive, send)


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
