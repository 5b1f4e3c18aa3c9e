"""Tencent FaceID and Alipay in a story: their strict stand-ins, what people do there, and what goes wrong there."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.alipay_server import AlipayFault, AlipayServer
from tests.faceid_server import FaceIdFault, FaceIdFlow, FaceIdServer

_OTHER_NUMBER = "11010219840406970X"

Pick = Callable[[Sequence[Any]], Any]
Verdict = Callable[[], bool]
"""Gives a check its result; returns whether the vendor proved that the person is the one whose number was typed."""


class CheckEnd(StrEnum):
    """How a check ends."""

    PASSED = "passed"
    FAILED = "failed"
    SOMEBODY_ELSE_PASSED = "somebody else passed"


@dataclass(frozen=True, slots=True)
class VendorCheck:
    """A check as the program asked for it; `key` names it at the vendor."""

    key: str
    number: str
    return_url: str


class SimulatedVendor(ABC):
    """A vendor's stand-in, and what people do there; `pass_mark` stands in every answer that tells of a pass."""

    pass_mark: bytes

    def __init__(self, server: FaceIdServer | AlipayServer) -> None:
        self.settings = server.settings
        self.app = server.app()
        self._wrong: tuple[list[Any], ...] = (server.faults, server.errors)

    def break_next(self, pick: Pick) -> str:
        """Let the next answer be a wrong one or an error, and return a description."""
        faults, chosen = pick([*zip(self._wrong, self.wrong_answers, strict=True)])
        faults.append(pick(chosen))
        return str(faults[-1])

    def answer_rightly(self) -> None:
        """Forget the wrong answers that are to come."""
        for faults in self._wrong:
            faults.clear()

    @property
    def is_broken(self) -> bool:
        """Whether the next answer will be a wrong one."""
        return any(self._wrong)

    @property
    @abstractmethod
    def wrong_answers(self) -> tuple[Sequence[Any], Sequence[Any]]:
        """The faults and the errors that may be chosen."""

    @abstractmethod
    def check_of_page(self, address: str) -> VendorCheck:
        """The check that a page is for."""

    @abstractmethod
    def check_of_call(self, body: bytes) -> VendorCheck | None:
        """The check that a call asks about; None for a call that starts one."""

    @abstractmethod
    def verdict(self, check: VendorCheck, end: CheckEnd, pick: Pick) -> Verdict:
        """The result of a check that ends so."""


class SimulatedTencent(SimulatedVendor):
    """The face check of Tencent Cloud."""

    pass_mark = b'"ErrCode":0,'
    wrong_answers = (
        # A call that is held is a fault of the schedule: here nobody closes a connection.
        [fault for fault in FaceIdFault if fault is not FaceIdFault.HELD],
        (
            "RequestLimitExceeded",
            "InternalError",
            "FailedOperation.UnKnown",
            "FailedOperation.CompareLowSimilarity",
            "AuthFailure.SecretIdNotFound",
            "ResourceUnavailable.Tomorrow",
        ),
    )
    _codes = (15, 16, 17, 203, 1002, 1410, 2007, 2010, 2016, 2018, 9999)
    _foreign: Sequence[Mapping[str, object]] = (
        {"IdCard": _OTHER_NUMBER},
        {"Name": "某人"},
        {"Extra": "another attempt"},
        {"Extra": None, "IdCard": None},
        {"CompareLibType": "业务方自有库"},
        {"Comparestatus": 2016},
        {"LiveStatus": None},
    )

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._server = FaceIdServer(clock, "https://faceid.qq.com")
        super().__init__(self._server)

    def check_of_page(self, address: str) -> VendorCheck:
        return _check_of_flow(self._server.flows[urlsplit(address).path.rpartition("/")[2]])

    def check_of_call(self, body: bytes) -> VendorCheck | None:
        flow = self._server.flows.get(json.loads(body).get("BizToken"))
        return None if flow is None else _check_of_flow(flow)

    def verdict(self, check: VendorCheck, end: CheckEnd, pick: Pick) -> Verdict:
        server, flow = self._server, self._server.flows[check.key]
        # Between two tries the vendor may show a code, or not.
        fields, code, is_shown = pick(self._foreign), pick(self._codes), pick([True, False])

        def apply() -> bool:
            match end:
                case CheckEnd.PASSED:
                    server.pass_(flow)
                    return flow.result is not None and flow.result["ErrCode"] == 0
                case CheckEnd.SOMEBODY_ELSE_PASSED:
                    server.pass_(flow, **fields)
                case CheckEnd.FAILED:
                    server.fail(code, flow)
                    if is_shown:
                        server.end(code, flow)
            return False

        return apply


class SimulatedAlipay(SimulatedVendor):
    """The identity verification of Alipay."""

    pass_mark = b'"passed" :"T"'
    wrong_answers = (
        # The one that would pass somebody comes most often.
        [*AlipayFault, *[AlipayFault.CHANGED] * 6],
        (
            ("20000", "isp.unknow-error"),
            ("40004", "SYSTEM_ERROR"),
            ("40002", "isv.invalid-signature"),
            ("40004", "OPEN_CERTIFY_BILL_NOT_EXIST"),
            ("40004", "TOMORROW"),
        ),
    )

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._server = AlipayServer(clock, "https://openapi.alipay.com")
        super().__init__(self._server)

    def check_of_page(self, address: str) -> VendorCheck:
        # The phone's browser opens Alipay by a link, which holds the signed address.
        given = dict(parse_qsl(urlsplit(dict(parse_qsl(urlsplit(address).query))["url"]).query))
        check = self._check(given)
        assert check is not None
        return check

    def check_of_call(self, body: bytes) -> VendorCheck | None:
        given = dict(parse_qsl(body.decode()))
        return self._check(given) if given["method"].endswith("query") else None

    def verdict(self, check: VendorCheck, end: CheckEnd, pick: Pick) -> Verdict:
        case = self._server.cases[check.key]
        other = pick([{"cert_no": _OTHER_NUMBER}, {"cert_name": "某人", "cert_no": case.number}])
        answers = {
            CheckEnd.PASSED: {"passed": "T", **pick([{}, {"identity_info": {"cert_no": case.number}}])},
            CheckEnd.SOMEBODY_ELSE_PASSED: {"passed": "T", "identity_info": pick([other, json.dumps(other)])},
            CheckEnd.FAILED: {"passed": "F", **pick([{}, {"fail_reason": "Z1147"}])},
        }

        def apply() -> bool:
            case.answer = answers[end]
            return end is CheckEnd.PASSED

        return apply

    def _check(self, given: Mapping[str, str]) -> VendorCheck | None:
        case = self._server.cases.get(json.loads(given["biz_content"])["certify_id"])
        return None if case is None else VendorCheck(case.certify_id, case.number, case.return_url)


def _check_of_flow(flow: FaceIdFlow) -> VendorCheck:
    return VendorCheck(flow.token, flow.number, flow.return_url)
