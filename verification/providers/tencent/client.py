"""The two calls of FaceID: one starts a flow, the other reads how it went.

Logs and errors hold the vendor's error code and request id, and nothing that was sent or answered.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from verification.errors import ProviderUnavailable
from verification.providers.http import HttpCall, TransientFailure, check_status, parse_object
from verification.providers.tencent.codes import is_transient
from verification.providers.tencent.signer import Credentials
from verification.record import Record

VERSION = "2018-03-01"

_CODE = re.compile(r"[A-Za-z]{1,64}(\.[A-Za-z0-9]{1,64})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_BIZ_TOKEN = re.compile(r"[!-~]{1,256}")


class FaceIdAccount(Record):
    """What the operator has at the vendor: an address of the API, a key and the rule of the check."""

    url: str
    credentials: Credentials
    rule_id: str


class StartedFlow(Record):
    """A flow of the vendor's: its token, and the address that the phone opens."""

    hidden: ClassVar[frozenset[str]] = frozenset({"biz_token", "url"})

    biz_token: str
    url: object


class FlowAnswer(Record):
    """The `Text` of a flow as it came, and the vendor's id of the call, by which its support finds it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"text"})

    text: object
    request_id: str


class FaceIdError(ProviderUnavailable):
    """The vendor answered with an error; the message is its code and request id."""

    def __init__(self, code: str, request_id: str) -> None:
        super().__init__(f"{code} (request {request_id})")
        self.code = code


class TransientFaceIdError(FaceIdError, TransientFailure):
    """The vendor could not answer this time."""


class FaceIdClient:
    """Calls FaceID."""

    def __init__(self, account: FaceIdAccount, call: HttpCall, clock: Callable[[], datetime]) -> None:
        self._account = account
        self._call = call
        self._clock = clock

    async def detect_auth(self, *, name: str, number: str, return_url: str, extra: str) -> StartedFlow:
        """Start a flow, which costs nothing yet; raises `ProviderUnavailable`."""
        request = {"IdCard": number, "Name": name, "RedirectUrl": return_url, "Extra": extra}
        answer = await self._send("DetectAuth", request)
        token = answer.get("BizToken")
        if not isinstance(token, str) or not _BIZ_TOKEN.fullmatch(token):
            raise ProviderUnavailable("the answer has no token")
        return StartedFlow(token, answer.get("Url"))

    async def detect_info(self, biz_token: str) -> FlowAnswer:
        """Read the `Text` of a flow, never its pictures; raises `ProviderUnavailable`."""
        answer = await self._send("GetDetectInfoEnhanced", {"BizToken": biz_token, "InfoType": "1"})
        return FlowAnswer(answer.get("Text"), _matching(_REQUEST_ID, answer.get("RequestId")))

    async def _send(self, action: str, request: Mapping[str, str]) -> dict[str, Any]:
        body = json.dumps({"RuleId": self._account.rule_id, **request}).encode()
        headers = self._account.credentials.sign(urlsplit(self._account.url).netloc, body, self._clock())
        headers |= {"X-TC-Action": action, "X-TC-Version": VERSION, "X-TC-Language": "zh-CN"}
        status, answer = await self._call("POST", f"{self._account.url}/", headers, body)
        check_status(status, accepted=(200,))
        return _response(answer)


def _response(body: bytes) -> dict[str, Any]:
    """The `Response` of an answer; raises `FaceIdError` when it is an error."""
    response = (parse_object(body) or {}).get("Response")
    if not isinstance(response, dict):
        raise ProviderUnavailable("the answer is of another form")
    error = response.get("Error")
    if error is None:
        return response
    code = _matching(_CODE, error.get("Code") if isinstance(error, dict) else None)
    request_id = _matching(_REQUEST_ID, response.get("RequestId"))
    raise (TransientFaceIdError if is_transient(code) else FaceIdError)(code, request_id)


def _matching(pattern: re.Pattern[str], text: object) -> str:
    """The text if it looks as it should, so that nothing else gets into a log."""
    return text if isinstance(text, str) and pattern.fullmatch(text) else "unreadable"
