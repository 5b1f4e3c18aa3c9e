"""A strict stand-in for Tencent Cloud FaceID: it refuses every call that the vendor would refuse.

It shares no code with the provider. The rules are those of the vendor's documents 1007/31816, 1007/41957 and
1007/31324; the lists of fields are those of its SDK, as tests/verification/providers/test_tencent_sdk.py shows.

Try the whole way on the simulated phone: `python -m tests.faceid_server` prints the settings for `make run`.
"""

import asyncio
import hashlib
import hmac
import json
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from html import escape
from typing import Any
from uuid import UUID, uuid5

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from web.serving import listen, serving

Json = dict[str, Any]

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
RULE_ID = "0"

TOKEN_LIFETIME = timedelta(seconds=7200)
CLOCK_TOLERANCE = timedelta(minutes=5)
PER_MINUTE, PER_DAY, PER_SECOND = 15, 30, 100


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


REQUEST_FIELDS: Mapping[str, tuple[str, ...]] = {
    "DetectAuth": _words(
        "RuleId TerminalType IdCard Name RedirectUrl Extra ImageBase64 Encryption IntentionVerifyText "
        "IntentionQuestions IntentionActions Config"
    ),
    "GetDetectInfoEnhanced": _words(
        "BizToken RuleId InfoType BestFramesCount IsCutIdCardImage IsNeedIdCardAvatar IsEncrypt Encryption "
        "IsEncryptResponse IsReturnAllVideo"
    ),
}
TEXT_FIELDS = _words(
    "ErrCode ErrMsg IdCard UseIDType Name OcrNation OcrAddress OcrBirth OcrAuthority OcrValidDate OcrName OcrIdCard "
    "OcrGender IdInfoFrom LiveStatus LiveMsg Comparestatus Comparemsg Sim Location Extra LivenessDetail Mobile "
    "CompareLibType LivenessMode NFCRequestIds NFCBillingCounts PassNo VisaNum LivenessInfoTag LivenessActionSequence"
)
DETAIL_FIELDS = _words(
    "ReqTime Seq Idcard Name Sim IsNeedCharge Errcode Errmsg Livestatus Livemsg Comparestatus Comparemsg "
    "CompareLibType LivenessMode"
)
_BILLED = frozenset({0, 1002, 2006, 2016})
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(\S+?)/(\d{4}-\d\d-\d\d)/faceid/tc3_request, "
    r"SignedHeaders=content-type;host, Signature=([0-9a-f]{64})"
)
_NAMESPACE = UUID(int=0)
_PROOF: Json = {"Sim": "91.20", "CompareLibType": "权威库"}


class Unfinished(StrEnum):
    """The forms in which the vendor may say that a flow has no result yet; which one it uses is not documented."""

    NULL_TEXT = "null text"
    NULL_CODE = "null code"
    CODE_17 = "17"


class FaceIdFault(StrEnum):
    """How an answer may go wrong."""

    BROKEN = "broken"
    HTML = "html"
    REDIRECT = "redirect"
    HUGE = "huge"
    CUT = "cut"
    HELD = "held"
    NO_CONTENT = "no content"
    DEEP = "deep json"
    ODD_ERROR = "odd error"
    A_LIST = "a list"
    NO_RESPONSE = "no response"


@dataclass
class FaceIdFlow:
    """One flow, from DetectAuth to its result; `result` holds the fields of `Text` that are not null."""

    token: str
    rule_id: str
    name: str
    number: str
    extra: str
    return_url: str
    made_at: datetime
    tries: list[Json] = field(default_factory=list)
    result: Json | None = None


@dataclass
class FaceIdServer:
    """The vendor. `faults` and `errors` happen to the next answers, one each."""

    clock: Callable[[], datetime]
    base: str = ""
    unfinished: Unfinished = Unfinished.NULL_TEXT
    flows: dict[str, FaceIdFlow] = field(default_factory=dict)
    faults: list[FaceIdFault] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    url: object = None
    checks: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    requested_at: list[datetime] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._api, methods=["GET", "POST", "PUT"]),
                Route("/wechat/{token}", self._page, methods=["GET", "POST"]),
                Route("/elsewhere", self._elsewhere),
            ]
        )

    @property
    def settings(self) -> dict[str, str]:
        """The variables of a bot that verifies faces here, and by no other method."""
        return {
            "PROVIDER_WECHAT": "off",
            "PROVIDER_QQ": "off",
            "PROVIDER_FACE": "tencent",
            "TENCENT_ENDPOINT": self.base,
            "TENCENT_SECRET_ID": SECRET_ID,
            "TENCENT_SECRET_KEY": SECRET_KEY,
            "TENCENT_RULE_ID": RULE_ID,
        }

    @property
    def last(self) -> FaceIdFlow:
        """The flow that was started last."""
        return list(self.flows.values())[-1]

    def fail(self, code: int, flow: FaceIdFlow | None = None) -> None:
        """Record a try that failed; the person may try again."""
        flow = flow or self.last
        times = [at for at in self.checks[flow.number] if self.clock() - at < timedelta(days=1)]
        if len(times) >= PER_DAY or sum(self.clock() - at < timedelta(minutes=1) for at in times) >= PER_MINUTE:
            self.end(2018, flow)
            return
        self.checks[flow.number] = [*times, self.clock()]
        billed = {"IsNeedCharge": code in _BILLED}
        flow.tries.append({"Seq": str(len(flow.tries)), "Errcode": code, "Idcard": flow.number, **billed})

    def end(self, code: int, flow: FaceIdFlow | None = None, **fields: object) -> None:
        """Give the flow its result; `fields` override the fields of `Text`."""
        flow = flow or self.last
        flow.result = {
            "ErrCode": code,
            "LiveStatus": code if 1000 <= code < 2000 else 0,
            "Comparestatus": code if code >= 2000 else 0,
            "Extra": flow.extra,
            "IdCard": flow.number,
            "Name": flow.name,
            **fields,
        }

    def show(self, code: int) -> None:
        """Record a failed try, and show its code as the result although the person may try again."""
        self.fail(code)
        self.end(code)

    def pass_(self, flow: FaceIdFlow | None = None, /, **fields: object) -> None:
        """Let the person pass."""
        flow = flow or self.last
        self.fail(0, flow)
        if flow.result is None or flow.result["ErrCode"] != 2018:
            self.end(0, flow, **_PROOF | fields)

    async def _api(self, request: Request) -> Response:
        body = await request.body()
        error = self._refusal(request, body)
        if error is not None:
            self.refused.append(error)
            return self._error(error)
        action, asked = request.headers["x-tc-action"], json.loads(body)
        self.calls.append((action, asked))
        if self.faults:
            return await self._go_wrong(self.faults.pop(0), request)
        if self.errors:
            return self._error(self.errors.pop(0))
        answer = self._start(asked) if action == "DetectAuth" else self._read(asked)
        return self._error(answer) if isinstance(answer, str) else self._answer(answer)

    def _refusal(self, request: Request, body: bytes) -> str | None:
        """The error of a call that is not signed or not formed as documented."""
        now = self.clock()
        self.requested_at = [at for at in self.requested_at if now - at < timedelta(seconds=1)] + [now]
        if request.method != "POST" or request.url.path != "/" or request.url.query:
            return "UnsupportedOperation"
        return self._signature_fault(request.headers, body) or self._form_fault(request.headers, body)

    def _signature_fault(self, headers: Mapping[str, str], body: bytes) -> str | None:
        timestamp = headers.get("x-tc-timestamp", "")
        given = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if given is None or not re.fullmatch(r"\d{10}", timestamp):
            return "AuthFailure.InvalidAuthorization"
        at = datetime.fromtimestamp(int(timestamp), UTC)
        if abs(self.clock() - at) > CLOCK_TOLERANCE:
            return "AuthFailure.SignatureExpire"
        if given[1] != SECRET_ID:
            return "AuthFailure.SecretIdNotFound"
        expected = tc3_signature(headers.get("content-type", ""), headers.get("host", ""), body, at)
        is_signed = hmac.compare_digest(given[3], expected) and given[2] == at.strftime("%Y-%m-%d")
        return None if is_signed else "AuthFailure.SignatureFailure"

    def _form_fault(self, headers: Mapping[str, str], body: bytes) -> str | None:
        fields = REQUEST_FIELDS.get(headers.get("x-tc-action", ""))
        asked = _json_object(body)
        if len(self.requested_at) > PER_SECOND:
            return "RequestLimitExceeded"
        if fields is None:
            return "InvalidAction"
        if headers.get("x-tc-version") != "2018-03-01" or asked is None:
            return "InvalidParameter"
        if not set(asked) <= set(fields):
            return "UnknownParameter"
        return None if asked.get("RuleId") == RULE_ID else "InvalidParameterValue.RuleIdNotExist"

    def _start(self, asked: Json) -> Json | str:
        name, number = asked.get("Name", ""), asked.get("IdCard", "")
        if not re.fullmatch(r"\d{17}[\dX]", number):
            return "FailedOperation.IdFormatError"
        if not 1 <= len(name) <= 32:
            return "FailedOperation.NameFormatError"
        if len(asked.get("RedirectUrl", "")) > 1024 or len(asked.get("Extra", "")) > 1024:
            return "InvalidParameterValue"
        token = str(uuid5(_NAMESPACE, f"token {len(self.flows)}")).upper()
        extra, back = asked.get("Extra", ""), asked.get("RedirectUrl", "")
        self.flows[token] = FaceIdFlow(token, asked["RuleId"], name, number, extra, back, self.clock())
        url = f"{self.base}/wechat/{token}" if self.url is None else self.url
        return {"Url": url, "BizToken": token}

    def _read(self, asked: Json) -> Json | str:
        flow = self.flows.get(asked.get("BizToken", ""))
        if flow is None:
            return "InvalidParameterValue.BizTokenIllegal"
        if self.clock() - flow.made_at > TOKEN_LIFETIME and flow.result is None:
            return "InvalidParameterValue.BizTokenExpired"
        return {"Text": self._text(flow), "IdCardData": None, "BestFrame": None, "VideoData": None, "Encryption": None}

    def _text(self, flow: FaceIdFlow) -> Json | None:
        if flow.result is None and self.unfinished is Unfinished.NULL_TEXT and not flow.tries:
            return None
        code = {"ErrCode": 17} if self.unfinished is Unfinished.CODE_17 else {}
        detail = [dict.fromkeys(DETAIL_FIELDS) | each for each in flow.tries]
        known = {"Extra": flow.extra, "LivenessDetail": detail or None} | (code if flow.result is None else flow.result)
        return dict.fromkeys(TEXT_FIELDS) | known | {"FieldOfTomorrow": {"a": [1]}}

    def _answer(self, response: Json) -> Response:
        request_id = str(uuid5(_NAMESPACE, f"request {len(self.calls)}"))
        return JSONResponse({"Response": {**response, "AnotherField": None, "RequestId": request_id}})

    def _error(self, code: str) -> Response:
        return self._answer({"Error": {"Code": code, "Message": "some words that may change"}})

    async def _page(self, request: Request) -> Response:
        """What the person sees in WeChat, as a form: pass, fail with a code, or leave."""
        token = request.path_params["token"]
        flow = self.flows[token]
        if request.method == "GET":
            return HTMLResponse(_page(flow))
        form = await request.form()
        choice = str(form["press"])
        if choice == "pass":
            self.pass_(flow)
        elif choice != "leave":
            self.fail(int(choice), flow)
            self.end(int(choice), flow)
        return RedirectResponse(f"{flow.return_url}?BizToken={token}", 303)

    async def _elsewhere(self, request: Request) -> Response:
        raise AssertionError("nobody may come here")

    async def _go_wrong(self, fault: FaceIdFault, request: Request) -> Response:
        match fault:
            case FaceIdFault.REDIRECT:
                return RedirectResponse(f"{self.base}/elsewhere", 302)
            case FaceIdFault.HELD:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                return Response()
            case _:
                return _WRONG[fault]()


_WRONG: Mapping[FaceIdFault, Callable[[], Response]] = {
    FaceIdFault.BROKEN: lambda: Response(status_code=502),
    FaceIdFault.NO_CONTENT: lambda: Response(status_code=204),
    FaceIdFault.HTML: lambda: HTMLResponse("<p>nginx</p>"),
    FaceIdFault.DEEP: lambda: Response("[" * 60_000),
    FaceIdFault.HUGE: lambda: JSONResponse({"Response": {"Text": None, "more": "x" * 70_000}}),
    FaceIdFault.CUT: lambda: Response(b"{", headers={"content-length": "100"}),
    FaceIdFault.A_LIST: lambda: JSONResponse([{"Response": {}}]),
    FaceIdFault.NO_RESPONSE: lambda: JSONResponse({"Response": None}),
    FaceIdFault.ODD_ERROR: lambda: JSONResponse({"Response": {"Error": "\n王小明", "RequestId": ["\n"]}}),
}


def _json_object(body: bytes) -> Json | None:
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) and len(body) <= 10 * 1024 * 1024 else None


def tc3_signature(content_type: str, host: str, body: bytes, at: datetime) -> str:
    """The signature that a call must have; written from the vendor's document, without a look at our signer."""

    def mac(key: bytes, message: str) -> bytes:
        return hmac.new(key, message.encode(), hashlib.sha256).digest()

    request = "\n".join(
        [
            "POST",
            "/",
            "",
            f"content-type:{content_type.strip().lower()}",
            f"host:{host.strip().lower()}",
            "",
            "content-type;host",
            hashlib.sha256(body).hexdigest(),
        ]
    )
    day = at.strftime("%Y-%m-%d")
    message = "\n".join(
        [
            "TC3-HMAC-SHA256",
            str(int(at.timestamp())),
            f"{day}/faceid/tc3_request",
            hashlib.sha256(request.encode()).hexdigest(),
        ]
    )
    signing_key = mac(mac(mac(b"TC3" + SECRET_KEY.encode(), day), "faceid"), "tc3_request")
    return mac(signing_key, message).hex()


_CHOICES = {"pass": "通过 · pass", "1002": "1002 疑似非真人", "2006": "2006 姓名与号码不符", "2016": "2016 相似度低"}
_CHOICES |= {"2010": "2010 人脸不完整", "2007": "2007 库中无照片", "1410": "1410 用户离开", "2018": "2018 今日次数过多"}
_CHOICES |= {"leave": "不做就回去 · leave"}


def _page(flow: FaceIdFlow) -> str:
    buttons = "".join(
        f'<p><button name="press" value="{choice}">{escape(label)}</button></p>' for choice, label in _CHOICES.items()
    )
    return (
        '<!doctype html><meta name="viewport" content="width=device-width"><title>FaceID</title>'
        f"<h1>人脸核身（模拟）</h1><p>{escape(flow.name[:1])}**</p><form method='post'>{buttons}</form>"
    )


@asynccontextmanager
async def faceid_server(clock: Callable[[], datetime], port: int = 0) -> AsyncIterator[FaceIdServer]:
    """Serve until left."""
    made = FaceIdServer(clock)
    listener = listen("127.0.0.1", port)
    made.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(made.app(), listener):
        yield made


async def _serve_forever() -> None:
    async with faceid_server(lambda: datetime.now(UTC), 8099) as server:
        variables = " ".join(f"{name}={value}" for name, value in server.settings.items())
        sys.stdout.write(f"{variables} make run\n")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_forever())
