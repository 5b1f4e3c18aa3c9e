"""The calls of Alipay's identity verification, and the address that a phone opens.

An answer counts only when the platform signed it. Logs and errors hold the platform's codes, and nothing that was sent
or answered.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import urlencode

from verification.errors import ProviderUnavailable
from verification.providers.alipay.signer import MerchantKey, PlatformKey
from verification.providers.http import HttpCall, TransientFailure, check_status, parse_object
from verification.record import Record

_BEIJING = timezone(timedelta(hours=8))
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CERTIFY_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_SUCCESS = "10000"
_OPERATOR_CODES = frozenset({"20001", "40001", "40002", "40003", "40006"})
_OPERATOR_SUB_CODES = ("isv.", "OPEN_CERTIFY_BILL_NOT_EXIST")
_FORM = "application/x-www-form-urlencoded;charset=utf-8"

INITIALIZE = "alipay.user.certify.open.initialize"
CERTIFY = "alipay.user.certify.open.certify"
QUERY = "alipay.user.certify.open.query"


class AlipayAccount(Record):
    """What the operator has at Alipay: the gateway's address, an app, its key, and the key of the platform."""

    hidden: ClassVar[frozenset[str]] = frozenset({"merchant_key", "platform_key"})

    gateway: str
    app_id: str
    merchant_key: MerchantKey
    platform_key: PlatformKey


class AlipayError(ProviderUnavailable):
    """The platform answered with an error; the message is its codes. An error counts without a signature too."""

    def __init__(self, code: str, sub_code: str, *, is_signed: bool) -> None:
        super().__init__(f"{code} {sub_code}")
        self.code = code
        self.sub_code = sub_code
        self.is_signed = is_signed

    @property
    def is_operators_fault(self) -> bool:
        """Whether the operator must mend something: the app, its key, the contract, or this program."""
        return self.code in _OPERATOR_CODES or self.sub_code.startswith(_OPERATOR_SUB_CODES)


class TransientAlipayError(AlipayError, TransientFailure):
    """The platform could not answer this time."""


class AlipayClient:
    """Calls the open platform."""

    def __init__(self, account: AlipayAccount, call: HttpCall, clock: Callable[[], datetime]) -> None:
        self._account = account
        self._call = call
        self._clock = clock

    async def initialize(self, *, order: str, name: str, number: str, return_url: str) -> str:
        """Start a verification, and return its certify id; raises `ProviderUnavailable`."""
        answer = await self._send(
            INITIALIZE,
            {
                "outer_order_no": order,
                "biz_code": "FACE",
                "identity_param": {
                    "identity_type": "CERT_INFO",
                    "cert_type": "IDENTITY_CARD",
                    "cert_name": name,
                    "cert_no": number,
                },
                "merchant_config": {"return_url": return_url},
            },
        )
        certify_id = answer.get("certify_id")
        if not isinstance(certify_id, str) or not _CERTIFY_ID.fullmatch(certify_id):
            raise ProviderUnavailable("the answer has no certify id")
        return certify_id

    async def query(self, certify_id: str) -> dict[str, Any]:
        """Read how a verification went; raises `ProviderUnavailable`."""
        return await self._send(QUERY, {"certify_id": certify_id})

    def certify_url(self, certify_id: str) -> str:
        """The signed address that Alipay opens to let the person do the check."""
        return f"{self._account.gateway}?{urlencode(self._signed(CERTIFY, {'certify_id': certify_id}))}"

    async def _send(self, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        body = urlencode(self._signed(method, content)).encode()
        status, answer = await self._call("POST", self._account.gateway, {"Content-Type": _FORM}, body)
        check_status(status, accepted=(200,))
        return self._read(f"{method.replace('.', '_')}_response", answer)

    def _signed(self, method: str, content: Mapping[str, Any]) -> dict[str, str]:
        parameters = {
            "app_id": self._account.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{self._clock().astimezone(_BEIJING):%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        }
        return parameters | {"sign": self._account.merchant_key.sign(parameters)}

    def _read(self, name: str, body: bytes) -> dict[str, Any]:
        """The inner object of an answer; raises `AlipayError` when it is an error, signed or not."""
        answer = parse_object(body)
        inner = None if answer is None else answer.get(name, answer.get("error_response"))
        if answer is None or not isinstance(inner, dict):
            raise ProviderUnavailable("the answer is of another form")
        is_signed = self._account.platform_key.has_signed(
            _raw_object(name, body.decode(errors="replace")), answer.get("sign")
        )
        code, sub_code = readable_code(inner.get("code")), readable_code(inner.get("sub_code"))
        if code != _SUCCESS:
            kind = TransientAlipayError if _is_transient(code, sub_code) else AlipayError
            raise kind(code, sub_code, is_signed=is_signed)
        if not is_signed:
            raise ProviderUnavailable("the answer is not signed by the platform")
        return inner


def _raw_object(name: str, text: str) -> str:
    """The inner object as it was sent: written again it could differ, and its signature would not fit."""
    start = re.search(f'"{name}"\\s*:\\s*', text)
    if start is None:
        return ""
    _, end = json.JSONDecoder().raw_decode(text, start.end())
    return text[start.end() : end]


def readable_code(code: object) -> str:
    """The code if it looks like one, so that nothing else gets into a log."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "unreadable"


def _is_transient(code: str, sub_code: str) -> bool:
    return code == "20000" or sub_code in ("SYSTEM_ERROR", "aop.unknow-error", "isp.unknow-error")
