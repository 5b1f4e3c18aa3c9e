"""A strict stand-in for Alipay's open platform and its identity verification, with two pairs of keys.

It shares no code with the provider. It refuses what the platform refuses, and signs its answers over exactly the bytes
that it sends, which are written as no other program would write them.
"""

import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from web.serving import listen, serving

Json = dict[str, Any]

APP_ID = "2021000000000000"
_PARAMETERS = {"app_id", "method", "format", "charset", "sign_type", "timestamp", "version", "biz_content", "sign"}
_BIZ_FIELDS: Mapping[str, set[str]] = {
    "alipay.user.certify.open.initialize": {"outer_order_no", "biz_code", "identity_param", "merchant_config"},
    "alipay.user.certify.open.certify": {"certify_id"},
    "alipay.user.certify.open.query": {"certify_id"},
}
_CLOCK = timedelta(minutes=5)


@cache
def key_pair(name: str) -> rsa.RSAPrivateKey:
    """A pair of keys, made once for each name."""
    del name
    return rsa.generate_private_key(65537, 2048)


def private_text(key: rsa.RSAPrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """A private key as the platform's tool writes it."""
    return base64.b64encode(key.private_bytes(Encoding.DER, form, NoEncryption())).decode()


def public_text(key: rsa.RSAPrivateKey) -> str:
    """The public half as the platform's console writes it."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


class AlipayFault(StrEnum):
    """How an answer may go wrong."""

    BROKEN = "broken"
    HTML = "html"
    REDIRECT = "redirect"
    HUGE = "huge"
    A_LIST = "a list"
    NO_OBJECT = "no object"
    NESTED = "only nested"
    UNSIGNED = "unsigned"
    OTHER_KEY = "signed with another key"
    REORDERED = "reordered after signing"
    CHANGED = "changed after signing"
    ODD_CODE = "odd code"
    UTF_16 = "in UTF-16"


@dataclass
class AlipayCase:
    """One verification; `answer` is what a query gives besides its code."""

    certify_id: str
    name: str
    number: str
    return_url: str
    answer: Json = field(default_factory=lambda: {"passed": "F"})


@dataclass
class AlipayServer:
    """The platform. `faults` and `errors` (code, sub code) happen to the next answers, one each."""

    clock: Callable[[], datetime]
    base: str = ""
    cases: dict[str, AlipayCase] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    faults: list[AlipayFault] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    certify_id: object = None

    @property
    def gateway(self) -> str:
        """The address of the gateway."""
        return f"{self.base}/gateway.do"

    @property
    def settings(self) -> dict[str, str]:
        """The variables of a bot that verifies faces here, and by no other method."""
        return {
            "PROVIDER_WECHAT": "off",
            "PROVIDER_QQ": "off",
            "PROVIDER_FACE": "alipay",
            "ALIPAY_GATEWAY": self.gateway,
            "ALIPAY_APP_ID": APP_ID,
            "ALIPAY_PRIVATE_KEY": private_text(key_pair("merchant")),
            "ALIPAY_PUBLIC_KEY": public_text(key_pair("platform")),
        }

    @property
    def last(self) -> AlipayCase:
        """The verification that was started last."""
        return list(self.cases.values())[-1]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/gateway.do", self._api, methods=["POST"]),
                Route("/gateway.do", self._page, methods=["GET"]),
                Route("/done/{certify_id}/{passed}", self._done, methods=["POST"]),
                Route("/elsewhere", self._elsewhere),
            ]
        )

    async def _api(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode(), strict_parsing=True))
        if request.headers.get("content-type") != "application/x-www-form-urlencoded;charset=utf-8":
            return self._answer("error_response", _error("40004", "isv.invalid-charset"))
        name = f"{given.get('method', '').replace('.', '_')}_response"
        refused = self.refusal(given)
        if refused is not None:
            return self._answer(name, refused)
        content = json.loads(given["biz_content"])
        self.calls.append((given["method"], content))
        if self.errors:
            return self._answer(name, _error(*self.errors.pop(0)))
        is_start = given["method"].endswith("initialize")
        inner = self._start(content) if is_start else self._read(content)
        return self._answer(name, inner, self.faults.pop(0) if self.faults else None)

    def refusal(self, given: Mapping[str, str]) -> Json | None:
        """The error for a call that is not signed or not formed as documented."""
        if given.get("app_id") != APP_ID:
            return _error("40002", "isv.invalid-app-id")
        if given.get("sign_type") != "RSA2" or not _is_signed(given):
            return _error("40002", "isv.invalid-signature")
        if set(given) != _PARAMETERS or (given["format"], given["charset"], given["version"]) != (
            "JSON",
            "utf-8",
            "1.0",
        ):
            return _error("40002", "isv.invalid-parameter")
        if not self._is_fresh(given["timestamp"]):
            return _error("40002", "isv.invalid-timestamp")
        fields = _BIZ_FIELDS.get(given["method"])
        if fields is None:
            return _error("40002", "isv.invalid-method")
        return None if set(json.loads(given["biz_content"])) == fields else _error("40004", "INVALID_PARAMETER")

    def _is_fresh(self, timestamp: str) -> bool:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", timestamp):
            return False
        beijing = datetime.fromisoformat(f"{timestamp}+08:00")
        return abs(beijing - self.clock()) <= _CLOCK

    def _start(self, content: Json) -> Json:
        order, person = content["outer_order_no"], content["identity_param"]
        is_formed = (
            re.fullmatch(r"[0-9A-Za-z]{1,32}", order)
            and content["biz_code"] == "FACE"
            and set(person) == {"identity_type", "cert_type", "cert_name", "cert_no"}
            and (person["identity_type"], person["cert_type"]) == ("CERT_INFO", "IDENTITY_CARD")
            and re.fullmatch(r"\d{17}[\dX]", person["cert_no"])
            and set(content["merchant_config"]) == {"return_url"}
        )
        if not is_formed or order in self.orders:
            return _error("40004", "INVALID_PARAMETER")
        self.orders.add(order)
        certify_id = f"{len(self.cases):032x}"
        back = content["merchant_config"]["return_url"]
        self.cases[certify_id] = AlipayCase(certify_id, person["cert_name"], person["cert_no"], back)
        return _ok({"certify_id": certify_id if self.certify_id is None else self.certify_id})

    def _read(self, content: Json) -> Json:
        case = self.cases.get(content["certify_id"])
        return _error("40004", "CERTIFY_ID_NOT_EXIST") if case is None else _ok(case.answer)

    def _answer(self, name: str, inner: Json, fault: AlipayFault | None = None) -> Response:
        match fault:
            case AlipayFault.BROKEN:
                return Response(status_code=502)
            case AlipayFault.HTML:
                return HTMLResponse("<p>nginx</p>")
            case AlipayFault.REDIRECT:
                return RedirectResponse(f"{self.base}/elsewhere", 302)
            case AlipayFault.A_LIST:
                return Response("[]")
            case AlipayFault.UTF_16:
                return Response(_written(name, inner, None).encode("utf-16"))
            case _:
                return Response(_written(name, inner, fault), media_type="text/html")

    async def _page(self, request: Request) -> Response:
        """What the person sees in Alipay: the address is signed like a call."""
        given = dict(parse_qsl(request.url.query, strict_parsing=True))
        refused = self.refusal(given)
        if refused is not None:
            return HTMLResponse(refused["sub_code"], status_code=400)
        case = self.cases[json.loads(given["biz_content"])["certify_id"]]
        forms = "".join(
            f"<form method='post' action='/done/{case.certify_id}/{passed}'><button>{label}</button></form>"
            for passed, label in (("T", "通过"), ("F", "不通过"), ("-", "不做就回去"))
        )
        return HTMLResponse(f"<!doctype html><title>支付宝</title><h1>身份验证（模拟）</h1>{forms}")

    async def _done(self, request: Request) -> Response:
        case, passed = self.cases[request.path_params["certify_id"]], request.path_params["passed"]
        if passed == "T":
            case.answer = {"passed": "T"}
        elif passed == "F":
            case.answer = {"passed": "F", "fail_reason": "Z1147"}
        return RedirectResponse(case.return_url, 303)

    async def _elsewhere(self, request: Request) -> Response:
        raise AssertionError("nobody may come here")


def _is_signed(given: Mapping[str, str]) -> bool:
    lines = [f"{name}={given[name]}" for name in sorted(given) if name != "sign" and given[name] != ""]
    try:
        signature = base64.b64decode(given.get("sign", ""), validate=True)
        key_pair("merchant").public_key().verify(signature, "&".join(lines).encode(), padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _written(name: str, inner: Json, fault: AlipayFault | None) -> str:
    """The answer's text: with odd spaces and slashes, as its signature has them."""
    text = json.dumps(inner, ensure_ascii=False, separators=(" ,", " :")).replace("/", "\\/")
    key = key_pair("another" if fault is AlipayFault.OTHER_KEY else "platform")
    signature = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()
    match fault:
        case AlipayFault.REORDERED:
            text = json.dumps(dict(reversed(inner.items())))
        case AlipayFault.CHANGED:
            text = text.replace('"F"', '"T"').replace("Success", "success")
        case AlipayFault.UNSIGNED:
            return f'{{"{name}":{text}}}'
        case AlipayFault.NO_OBJECT:
            text = '"10000"'
        case AlipayFault.ODD_CODE:
            text = '{"code":"王小明\\n","sub_code":7}'
        case AlipayFault.HUGE:
            return f'{{"{name}" : {text},"sign":"{signature}","more":"{"x" * 70_000}"}}'
        case AlipayFault.NESTED:
            # The name of the answer, written so that only a parser finds it.
            name = name.replace("_", "\\u005f")
    return f'{{"{name}" : {text},"alipay_cert_sn":"a","sign":"{signature}"}}'


def _ok(content: Json) -> Json:
    return {"code": "10000", "msg": "Success", **content, "field_of_tomorrow": {"a": "b/c"}}


def _error(code: str, sub_code: str) -> Json:
    return {"code": code, "msg": "words", "sub_code": sub_code, "sub_msg": "words that may change"}


@asynccontextmanager
async def alipay_server(clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> AsyncIterator[AlipayServer]:
    """Serve until left."""
    made = AlipayServer(clock)
    listener = listen("127.0.0.1", 0)
    made.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(made.app(), listener):
        yield made
