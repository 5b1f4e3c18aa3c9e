"""A provider over HTTP for tests: it keeps sessions, has a page for phones, and goes wrong as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from verification.attempts import Method
from verification.providers.http import HttpCall, HttpProvider, ProviderEndpoint
from verification.signing import WebhookSigner
from web.serving import listen, serving

SECRET = "whsec_" + "c2lnbmVkIHdpdGggdGhpcyB2ZXJ5IGtleSAzMiBieXRlcw=="
OTHER_SECRET = "whsec_" + "YW5vdGhlciBrZXkgb2YgdGhpcnR5LXR3byBieXRlcyBsbA=="
SIGNING = WebhookSigner(SECRET)

Json = dict[str, Any]
BUTTON = '<button name="state" value="{}">{}</button>'
PAGE = f"<form method='post'>{BUTTON.format('passed', '通过')}{BUTTON.format('failed', '不通过')}</form>"


class ProviderFault(StrEnum):
    """How an answer may go wrong."""

    HELD = "held"
    BROKEN = "broken"
    BUSY = "busy"
    CUT = "cut"
    NO_JSON = "no json"
    DEEP_JSON = "deep json"
    A_LIST = "a list"
    HUGE = "huge"
    REDIRECT = "redirect"
    FOREIGN = "foreign"
    REFUSED = "refused"
    PACKED = "packed"


PASSING = (ProviderFault.BROKEN, ProviderFault.BUSY, ProviderFault.CUT)
"""Those that a second try may get over."""


@dataclass
class FakeProviderServer:
    """The other side. `troubles` happen to the next answers, one each; `url` overrides where phones are sent."""

    base: str = ""
    sessions: dict[str, Json] = field(default_factory=dict)
    states: dict[str, Json] = field(default_factory=dict)
    troubles: list[ProviderFault] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: object = None
    callbacks_sent: bool = True
    gate: asyncio.Event | None = None
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/sessions/{id}", self._session, methods=["PUT", "GET"]),
                Route("/phone/{id}", self._phone, methods=["GET", "POST"]),
                Route("/elsewhere", self._elsewhere),
            ]
        )

    def service(self, hosts: frozenset[str] | None = None) -> ProviderEndpoint:
        place = self.base.removeprefix("http://")
        return ProviderEndpoint(self.base, frozenset({place}) if hosts is None else hosts, SIGNING)

    def http(self, call: HttpCall, clock: Callable[[], datetime], method: Method = Method.WECHAT) -> HttpProvider:
        return HttpProvider(
            method,
            self.service(),
            call,
            clock,
            callback_url=f"https://bot.example.org/callbacks/{method}",
            session_lifetime=timedelta(minutes=30),
            retry_delays=(0, 0),
        )

    async def send_callback(self, session: str) -> int:
        """Say that there may be news of a session; gives the status of the answer."""
        body = b'{"session":"%s"}' % session.encode()
        headers = SIGNING.headers(f"msg-{session}", datetime.now(UTC), body)
        async with (
            aiohttp.ClientSession() as line,
            line.post(self.sessions[session]["callback"], data=body, headers=headers) as answer,
        ):
            return answer.status

    async def _session(self, request: Request) -> Response:
        session = request.path_params["id"]
        body = await request.body()
        SIGNING.verify(request.headers, body, datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC))
        assert request.headers["webhook-id"] == session
        self.asked.append((request.method, session))
        self.came.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.troubles:
            return await self._go_wrong(self.troubles.pop(0), request)
        if request.method == "PUT":
            self.sessions[session] = await request.json()
            url = f"{self.base}/phone/{session}" if self.url is None else self.url
            return JSONResponse({"session": session, "url": url}, status_code=201)
        return JSONResponse({"session": session, "state": "waiting"} | self.states.get(session, {}))

    async def _phone(self, request: Request) -> Response:
        session = request.path_params["id"]
        if request.method == "GET":
            self.states[session] = {"state": "opened"}
            return HTMLResponse(PAGE)
        form = await request.form()
        self.states[session] = {"state": form["state"], "reason": "mismatch"}
        if self.callbacks_sent:
            await self.send_callback(session)
        return HTMLResponse("<p>完成</p>")

    async def _elsewhere(self, request: Request) -> Response:
        raise AssertionError("nobody may come here")

    async def _go_wrong(self, trouble: ProviderFault, request: Request) -> Response:
        session = request.path_params["id"]
        match trouble:
            case ProviderFault.HELD:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                return Response()
            case ProviderFault.CUT:
                return Response(b"{", headers={"content-length": "100"})
            case ProviderFault.REDIRECT:
                return RedirectResponse(f"{self.base}/elsewhere", 302)
        return _WRONG[trouble](session)


_WRONG: Mapping[ProviderFault, Callable[[str], Response]] = {
    ProviderFault.BROKEN: lambda _: Response(status_code=502),
    ProviderFault.BUSY: lambda _: Response(status_code=429),
    ProviderFault.REFUSED: lambda _: Response(status_code=403),
    ProviderFault.NO_JSON: lambda _: HTMLResponse("<p>nginx</p>"),
    ProviderFault.DEEP_JSON: lambda _: Response("[" * 60_000),
    ProviderFault.A_LIST: lambda _: JSONResponse([]),
    ProviderFault.HUGE: lambda session: JSONResponse({"session": session, "state": "passed", "more": "x" * 70_000}),
    ProviderFault.FOREIGN: lambda _: JSONResponse({"session": "other", "state": "passed", "url": "https://a.example"}),
    ProviderFault.PACKED: lambda _: Response(b"\x1f\x8b\x08", headers={"content-encoding": "gzip"}),
}


async def nobody(verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """A line to no provider, for what must ask none."""
    raise AssertionError("nobody may be asked here")


@asynccontextmanager
async def provider() -> AsyncIterator[FakeProviderServer]:
    """Serve one until left."""
    made = FakeProviderServer()
    listener = listen("127.0.0.1", 0)
    made.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(made.app(), listener):
        yield made
