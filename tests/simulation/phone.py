"""A phone that opens the program's pages without a network, and presses their controls."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp, Message

_STAGE = re.compile(r'name="stage" value="(\w+)"')
_PRESS = re.compile(r'name="press" value="(\w+)"')
_CHOICE = re.compile(r'name="choice" value="(\w+)"')
_FORWARD = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')
_HEADERS = {
    "host": "verify.example.com",
    "user-agent": "Mozilla/5.0 (Linux; Android 14) Mobile MicroMessenger/8.0.50",
}
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class VisitedPage:
    """What the phone shows; `forward` is the address of a vendor's page to which it goes on."""

    status: int
    stage: str = ""
    presses: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    forward: str = ""


async def visited(app: ASGIApp, address: str, form: Mapping[str, str] | None = None) -> VisitedPage:
    """Open an address, or send a form to it."""
    body = urlencode(form).encode() if form is not None else b""
    headers = {"content-type": _FORM}
    status, content = await asked(app, address, "GET" if form is None else "POST", body, headers)
    html = content.decode()
    stage, forward = _STAGE.search(html), _FORWARD.search(html)
    return VisitedPage(
        status,
        stage[1] if stage else "",
        tuple(_PRESS.findall(html)),
        tuple(_CHOICE.findall(html)),
        unescape(forward[1]) if forward else "",
    )


async def asked(app: ASGIApp, address: str, method: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Send one request, and return the answer."""
    status, content = 500, b""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, content
        status = message.get("status", status)
        content += message.get("body", b"")

    await app(_scope(address, method, headers), receive, send)
    return status, content


def _scope(address: str, method: str, headers: Mapping[str, str]) -> dict[str, object]:
    parts = urlsplit(address)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "server": ("verify.example.com", 443),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in {**_HEADERS, **headers}.items()],
    }
