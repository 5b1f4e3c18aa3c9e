"""The face check of Alipay, as a provider.

`provider_state` holds the certify id, and when the person came back. The platform says "F" for a check that failed and
for one that is not done yet. So an F is a verdict only when it comes with a reason, or ten seconds after the person has
come back; otherwise the attempt runs until its time is over. A pass counts at once.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

from verification.attempts import Attempt, AttemptId, AttemptStatus, Passed, ProviderApp, Reason, Rejected, Verdict
from verification.errors import AttemptNotServed, ProviderMisconfigured, ProviderUnavailable
from verification.identity import Identity, clean_name
from verification.ports import PhoneRedirect, ProviderAnswer, ProviderSession
from verification.providers.alipay.client import AlipayClient, AlipayError, readable_code
from verification.providers.counts import ProviderCounts
from verification.providers.http import OPEN_RETRY_DELAYS, TransientFailure, parse_object, retry_transient, typed
from verification.record import Record

log = logging.getLogger(__name__)

FAILURE_STANDS_AFTER = timedelta(seconds=10)
"""How long after the person came back an F without a reason becomes a verdict."""

_APP_LINK = "alipays://platformapi/startapp?appId=20000067&url="
_APP_ORIGIN = "alipays://platformapi"
_ALIPAY_AGENT = "AlipayClient"
_ORDER_LENGTH = 32


class _State(Record):
    """What is remembered of a verification; `returned_at` is in seconds since 1970."""

    certify_id: str
    returned_at: int | None = None

    @property
    def text(self) -> str:
        return json.dumps({"c": self.certify_id, "r": self.returned_at})


class AlipayFaceProvider:
    """The method face at Alipay."""

    def __init__(
        self,
        client: AlipayClient,
        gateway: str,
        clock: Callable[[], datetime],
        counts: ProviderCounts,
        *,
        retry_delays: Sequence[float] = OPEN_RETRY_DELAYS,
    ) -> None:
        self._client = client
        parts = urlsplit(gateway)
        self._origins = frozenset({f"{parts.scheme}://{parts.netloc}", _APP_ORIGIN})
        self._clock = clock
        self._counts = counts
        self._retry_delays = retry_delays
        self._tries = count()
        self._reported: str | None = None

    @property
    def simulated(self) -> bool:
        """False: the platform compares with the authority's photo."""
        return False

    @property
    def app(self) -> ProviderApp:
        """Any: the link opens Alipay on the same phone."""
        return ProviderApp.ANY

    @property
    def phone_origins(self) -> frozenset[str]:
        """The gateway, and Alipay's own links."""
        return self._origins

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        """Start a verification with name and number."""
        person = typed(identity)
        try:
            certify_id = await retry_transient(
                lambda: self._client.initialize(
                    order=self._order(attempt),
                    name=person.name.plain,
                    number=person.number.plain,
                    return_url=return_url,
                ),
                self._retry_delays,
            )
        except ProviderUnavailable as error:
            log.warning("Alipay started no verification for attempt %s: %s", attempt, error)
            raise self._judged(error) from None
        self._reported = None
        return ProviderSession(provider_state=_State(certify_id).text)

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        """Send the phone to the signed address: in Alipay itself, or by a link that opens Alipay."""
        url = self._client.certify_url(_read_state(attempt).certify_id)
        if _ALIPAY_AGENT not in client.get("user-agent", ""):
            url = _APP_LINK + quote(url, safe="")
        return PhoneRedirect(url, attempt.provider_state)

    async def poll(self, attempt: Attempt, *, returned: bool = False) -> ProviderAnswer:
        """Read how the verification goes; `returned` says that the person has come back from Alipay."""
        stored = _read_state(attempt)
        now = int(self._clock().timestamp())
        state = _State(stored.certify_id, now) if returned and stored.returned_at is None else stored
        answer = await self._query(state.certify_id)
        if answer.get("passed") == "T":
            return ProviderAnswer(_pass(answer, attempt))
        if answer.get("passed") == "F" and answer.get("fail_reason"):
            if attempt.live:
                # The platform publishes no table of its reasons.
                self._counts.add_unknown(readable_code(answer["fail_reason"]))
            return ProviderAnswer(Rejected(Reason.FACE_UNCLEAR))
        if state.returned_at is not None and now - state.returned_at >= FAILURE_STANDS_AFTER.total_seconds():
            return ProviderAnswer(Rejected(Reason.UNFINISHED))
        return ProviderAnswer(AttemptStatus.OPENED, None if state == stored else state.text)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> None:
        """None: the platform makes no callbacks."""
        del headers, body

    def _order(self, attempt: AttemptId) -> str:
        """The number of an order, which must be new for each call; a lost answer may have made one."""
        number = f"{attempt} {self._clock().isoformat()} {next(self._tries)}"
        return hashlib.sha256(number.encode()).hexdigest()[:_ORDER_LENGTH]

    async def _query(self, certify_id: str) -> dict[str, Any]:
        try:
            answer = await self._client.query(certify_id)
        except ProviderUnavailable as error:
            raise self._judged(error) from None
        self._reported = None
        return answer

    def _judged(self, error: ProviderUnavailable) -> ProviderUnavailable:
        """The error for our side; what the operator must mend is logged once until a call succeeds."""
        if not isinstance(error, AlipayError) or isinstance(error, TransientFailure):
            return error
        if error.is_operators_fault:
            if error.sub_code != self._reported:
                self._reported = error.sub_code
                log.error("Alipay works for nobody until the operator mends it: %s; see doctor", error)
            return ProviderMisconfigured(str(error))
        self._counts.add_unknown(error.sub_code)
        return AttemptNotServed(str(error))


def _pass(answer: Mapping[str, Any], attempt: Attempt) -> Verdict:
    """The verdict of a pass; where the answer names a person, it must be ours."""
    named = answer.get("identity_info")
    info = parse_object(named.encode()) if isinstance(named, str) else named
    if isinstance(info, Mapping) and attempt.identity is not None:
        number, name = info.get("cert_no"), info.get("cert_name")
        is_other_number = isinstance(number, str) and number.upper() != attempt.identity.number.plain
        is_other_name = isinstance(name, str) and clean_name(name) != attempt.identity.name.plain
        if is_other_number or is_other_name:
            log.error("Alipay passed somebody else for attempt %s", attempt.id)
            return Rejected(Reason.MISMATCH)
    return Passed()


def _read_state(attempt: Attempt) -> _State:
    """The attempt's stored state; raises `ProviderUnavailable` for one of another provider."""
    match parse_object(attempt.provider_state.encode()):
        case {"c": str(certify_id), "r": int() | None as returned_at}:
            return _State(certify_id, returned_at)
    raise AttemptNotServed("the attempt was opened by another provider")
