"""docs/examples/wechat_bridge.py between our provider over HTTP and a server that speaks as WeChat does."""

import base64
import hashlib
import importlib.util
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.http_client import http_client
from tests.fakes import FakeClock, make_attempt, make_identity
from tests.provider_document import CALLBACK, check_body, check_signature_headers, documented
from tests.provider_server import OTHER_SECRET, SECRET, SIGNING
from verification.attempts import Attempt, AttemptStatus, Method, Passed, Reason, Rejected
from verification.errors import ProviderUnavailable
from verification.providers.http import HttpProvider, ProviderEndpoint
from verification.signing import WebhookSigner
from web.serving import listen, serving

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "wechat_bridge.py"
BACK = "https://bot.example.org/v/token/back"
APP = {"appid": "wx1", "secret": "s1"}


def load() -> Any:
    spec = importlib.util.spec_from_file_location("wechat_bridge", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BRIDGE = load()


@dataclass
class WeChat:
    """WeChat's interface, strict in what it takes; `result` is what its check says. It receives the callback too."""

    base: str = ""
    result: int = 10000
    errors: list[int] = field(default_factory=list)
    tokens: int = 0
    link: dict[str, Any] = field(default_factory=dict)
    started: dict[str, Any] = field(default_factory=dict)
    callbacks: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/cgi-bin/stable_token", self._token, methods=["POST"]),
                Route("/sns/jscode2session", self._log_in),
                Route("/wxa/generate_urllink", self._make_link, methods=["POST"]),
                Route("/cityservice/face/identify/getverifyid", self._verify_id, methods=["POST"]),
                Route("/cityservice/face/identify/queryverifyinfo", self._answer, methods=["POST"]),
                Route("/callbacks/wechat", self._callback, methods=["POST"]),
            ]
        )

    def _said(self, request: Request, **answer: object) -> Response:
        assert request.query_params["access_token"] == f"t{self.tokens}"
        return JSONResponse({"errcode": self.errors.pop(0)} if self.errors else {"errcode": 0, **answer})

    async def _token(self, request: Request) -> Response:
        assert await request.json() == {"grant_type": "client_credential", **APP}
        self.tokens += 1
        return JSONResponse({"access_token": f"t{self.tokens}", "expires_in": 7200})

    async def _log_in(self, request: Request) -> Response:
        query = dict(request.query_params)
        code = query.pop("js_code")
        assert query == {"grant_type": "authorization_code", **APP}
        return JSONResponse({"openid": f"openid of {code}"})

    async def _make_link(self, request: Request) -> Response:
        self.link = await request.json()
        assert self.link["expire_type"] == self.link["expire_interval"] == 1
        return self._said(request, url_link="https://wxaurl.cn/abc")

    async def _verify_id(self, request: Request) -> Response:
        self.started = await request.json()
        assert self.started.keys() == {"out_seq_no", "cert_info", "openid"}
        assert re.fullmatch(r"[0-9A-Za-z_-]{5,32}", self.started["out_seq_no"])
        return self._said(request, verify_id="v1", expires_in=3600)

    async def _answer(self, request: Request) -> Response:
        person = self.started["cert_info"]
        text = "&".join(
            f"{key}={base64.b64encode(person[key].encode()).decode()}" for key in ("cert_type", "cert_name", "cert_no")
        )
        assert await request.json() == {
            "verify_id": "v1",
            "out_seq_no": self.started["out_seq_no"],
            "openid": self.started["openid"],
            "cert_hash": hashlib.sha256(text.encode()).hexdigest(),
        }
        return self._said(request, verify_ret=self.result)

    async def _callback(self, request: Request) -> Response:
        body = await request.body()
        check_signature_headers(request.headers)
        check_body(CALLBACK["requestBody"], body)
        SIGNING.verify(request.headers, body, datetime.now(UTC))
        self.callbacks.append((await request.json())["session"])
        return Response(status_code=202)


@dataclass
class Bridged:
    """Our provider, WeChat, and the bridge between them."""

    wechat: WeChat
    bridge: str
    ours: HttpProvider
    http: aiohttp.ClientSession

    async def open(self) -> Attempt:
        session = await self.ours.open(make_attempt().id, make_identity(), BACK)
        return make_attempt(status=AttemptStatus.OPENED, provider_state=session.provider_state)

    async def mini(self, step: str, **body: str) -> tuple[int, Any]:
        """A call of the mini program's page."""
        token = self.wechat.link["query"].removeprefix("token=")
        async with self.http.post(f"{self.bridge}/mini/{token}/{step}", json=body) as answer:
            return answer.status, await answer.json() if answer.status == 200 else None


@pytest.fixture
async def bridged() -> AsyncIterator[Bridged]:
    wechat, listener = WeChat(), listen("127.0.0.1", 0)
    wechat.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    bridge = BRIDGE.Bridge(SECRET, *APP.values(), wechat.base)
    runner = aiohttp.web.AppRunner(bridge.app())
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with (
        serving(wechat.app(), listener),
        http_client(loopback_only=True) as call,
        aiohttp.ClientSession() as http,
    ):
        ours = HttpProvider(
            Method.WECHAT,
            ProviderEndpoint(base, frozenset({"wxaurl.cn"}), SIGNING),
            documented(call),
            lambda: datetime.now(UTC),
            callback_url=f"{wechat.base}/callbacks/wechat",
            session_lifetime=timedelta(minutes=30),
            retry_delays=(),
        )
        yield Bridged(wechat, base, ours, http)
    await runner.cleanup()


async def test_a_person_passes_the_check_in_the_mini_program(bridged: Bridged) -> None:
    attempt = await bridged.open()
    before = (await bridged.ours.poll(attempt)).news
    started = await bridged.mini("start", code="c1")
    during = (await bridged.ours.poll(attempt)).news
    await bridged.mini("done")

    assert (await bridged.ours.leave(attempt, {})).url == "https://wxaurl.cn/abc"
    assert (before, during) == (AttemptStatus.WAITING, AttemptStatus.CONFIRMING)
    assert started == (200, {"verify_id": "v1"})
    assert bridged.wechat.started["cert_info"]["cert_name"] == "王小明"
    assert bridged.wechat.callbacks == ["a1"]
    assert (await bridged.ours.poll(attempt)).news == Passed()
    assert bridged.wechat.tokens == 1


@pytest.mark.parametrize(
    ("result", "reason"),
    [(90004, Reason.UNFINISHED), (90013, Reason.FACE_UNCLEAR), (90012, Reason.UNAVAILABLE), (1, Reason.UNAVAILABLE)],
)
async def test_a_failed_check_ends_with_its_reason(bridged: Bridged, result: int, reason: Reason) -> None:
    attempt = await bridged.open()
    bridged.wechat.result = result
    await bridged.mini("start", code="c1")
    await bridged.mini("done")

    assert (await bridged.ours.poll(attempt)).news == Rejected(reason)


async def test_what_the_page_says_is_not_believed(bridged: Bridged) -> None:
    attempt = await bridged.open()
    early = await bridged.mini("done", state="passed")
    await bridged.mini("start", code="c1")
    bridged.wechat.errors.append(40001)
    unsure = await bridged.mini("done", state="passed")

    assert early == (200, {"state": "waiting"})
    assert unsure == (502, None)
    assert (await bridged.ours.poll(attempt)).news == AttemptStatus.CONFIRMING
    assert bridged.wechat.callbacks == []


async def test_only_the_one_who_began_goes_on_and_a_verdict_is_final(bridged: Bridged) -> None:
    await bridged.open()
    await bridged.mini("start", code="c1")
    other = await bridged.mini("start", code="c2")
    await bridged.mini("done")
    bridged.wechat.result = 1
    again = await bridged.mini("done")
    late = await bridged.mini("start", code="c1")

    assert (other, again, late) == ((403, None), (200, {"state": "passed"}), (409, None))


async def test_opening_again_is_the_same_session_and_makes_no_second_link(bridged: Bridged) -> None:
    first = await bridged.open()
    link = bridged.wechat.link
    again = await bridged.open()

    assert first == again
    assert bridged.wechat.link is link


async def test_an_outage_of_wechat_is_one_of_the_provider(bridged: Bridged) -> None:
    bridged.wechat.errors.append(-1)

    with pytest.raises(ProviderUnavailable, match="502"):
        await bridged.open()


async def test_an_unsigned_call_and_an_unknown_session_are_refused(bridged: Bridged) -> None:
    stranger = ProviderEndpoint(bridged.bridge, frozenset(), WebhookSigner(OTHER_SECRET))
    async with http_client(loopback_only=True) as call:
        ours = HttpProvider(
            Method.WECHAT, stranger, call, FakeClock(), callback_url="", session_lifetime=timedelta(minutes=30)
        )
        with pytest.raises(ProviderUnavailable, match="401"):
            await ours.poll(make_attempt())

    with pytest.raises(ProviderUnavailable, match="404"):
        await bridged.ours.poll(make_attempt())
    async with bridged.http.post(f"{bridged.bridge}/mini/unknown/done") as answer:
        assert answer.status == 404


def test_the_digest_is_that_of_the_published_example() -> None:
    person = {"cert_type": "IDENTITY_CARD", "cert_name": "张三", "cert_no": "310101199801011234"}

    assert BRIDGE.cert_hash(person).startswith("3c241f7f")
    assert BRIDGE.cert_hash(person).endswith("108b")
