"""The face check of Tencent Cloud FaceID, as a provider.

A flow belongs to one attempt: `provider_state` holds its token and its address. Opening again gives another flow, and
only the stored one counts. Within a flow the person may try several times, so a failure that a poll sees may be one
between two tries. It counts when no further try is possible, when the person has come back from the vendor's pages, or
when nothing has changed for a minute. A pass counts at once. So no pass is lost behind an earlier failure.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from msgspec.structs import replace

from verification.attempts import Attempt, AttemptId, AttemptStatus, Passed, ProviderApp, Reason, Rejected, Verdict
from verification.errors import AttemptNotServed, ProviderMisconfigured, ProviderUnavailable
from verification.identity import Identity
from verification.ports import PhoneRedirect, ProviderAnswer, ProviderSession
from verification.providers.addresses import allowed_phone_url, is_loopback
from verification.providers.counts import ProviderCounts
from verification.providers.http import OPEN_RETRY_DELAYS, parse_object, retry_transient, typed
from verification.providers.tencent.client import FaceIdClient, FaceIdError
from verification.providers.tencent.codes import (
    API_REASONS,
    FINAL_CODES,
    OPERATOR_CODES,
    is_operators_fault,
    is_transient,
)
from verification.providers.tencent.results import (
    FlowFailed,
    FlowPassed,
    FlowResult,
    ForeignPass,
    NotFinished,
    charged_tries,
    read_text,
)
from verification.record import Record

log = logging.getLogger(__name__)

NAME_LIMIT = 32
"""Characters of a name that the vendor takes; our own limit is higher."""

FAILURE_STANDS_AFTER = timedelta(minutes=1)
"""A failure counts when it is the same, after the same number of tries, for so long."""

_REMEMBERED = 1000
"""Attempts whose charges are counted already."""

_PHONE_ORIGINS = frozenset({"https://open.weixin.qq.com", "https://faceid.qq.com", "https://*.faceid.qq.com"})


class _Failure(Record):
    """A failure that a poll saw: the vendor's code, the number of tries before it, and when it was first seen."""

    code: int | str
    tries: int
    since: int


class _State(Record):
    """What is remembered of a flow."""

    hidden: ClassVar[frozenset[str]] = frozenset({"biz_token", "url"})

    biz_token: str
    url: str
    failure: _Failure | None = None
    returned: bool = False

    @property
    def text(self) -> str:
        failure = self.failure
        seen = None if failure is None else [failure.code, failure.tries, failure.since]
        return json.dumps({"t": self.biz_token, "u": self.url, "f": seen, "r": self.returned})


class TencentFaceProvider:
    """The method face at Tencent Cloud FaceID."""

    def __init__(
        self,
        client: FaceIdClient,
        api_url: str,
        clock: Callable[[], datetime],
        counts: ProviderCounts,
        *,
        retry_delays: Sequence[float] = OPEN_RETRY_DELAYS,
    ) -> None:
        self._client = client
        # Only a server on this machine may have its pages where its API is: the vendor's pages are elsewhere.
        self._own_origin = frozenset({api_url}) if is_loopback(urlsplit(api_url).hostname or "") else frozenset()
        self._clock = clock
        self._counts = counts
        self._retry_delays = retry_delays
        self._reported: str | None = None
        self._charged = deque[AttemptId](maxlen=_REMEMBERED)

    @property
    def simulated(self) -> bool:
        """False: the vendor compares with the police's record."""
        return False

    @property
    def app(self) -> ProviderApp:
        """WeChat: the vendor's page opens in no other app."""
        return ProviderApp.WECHAT

    @property
    def phone_origins(self) -> frozenset[str]:
        """The vendor's pages."""
        return _PHONE_ORIGINS | self._own_origin

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        """Start a flow with the name, the number and the attempt's id."""
        try:
            state = await self._open(attempt, typed(identity), return_url)
        except ProviderUnavailable as error:
            log.warning("FaceID started no flow for attempt %s: %s", attempt, error)
            raise self._judged(error) from None
        return ProviderSession(provider_state=state.text)

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        """Send the phone to the flow's page."""
        del client
        return PhoneRedirect(_read_state(attempt).url, attempt.provider_state)

    async def poll(self, attempt: Attempt, *, returned: bool = False) -> ProviderAnswer:
        """Read how the flow goes; `returned` says that the person has come back from the vendor's pages."""
        stored = _read_state(attempt)
        state = replace(stored, returned=stored.returned or returned)
        result, charged = await self._read(attempt, state)
        match result:
            case NotFinished(has_tries):
                status = AttemptStatus.CONFIRMING if has_tries else AttemptStatus.OPENED
                return _progress(status, replace(state, failure=None), stored)
            case FlowFailed(code, tries):
                failure = self._first_seen(code, tries, state.failure)
                if not (state.returned or code in FINAL_CODES or self._has_lasted(failure)):
                    return _progress(AttemptStatus.CONFIRMING, replace(state, failure=failure), stored)
        if attempt.live and attempt.id not in self._charged:
            # Two polls at once may both see the result.
            self._charged.append(attempt.id)
            self._counts.billed += charged
        return ProviderAnswer(self._verdict(result, attempt))

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> None:
        """None: the vendor makes no callbacks."""
        del headers, body

    async def _open(self, attempt: AttemptId, identity: Identity, return_url: str) -> _State:
        name, number = identity.name.plain, identity.number.plain
        if len(name) > NAME_LIMIT:
            raise AttemptNotServed(f"it takes no name with more than {NAME_LIMIT} characters")
        flow = await retry_transient(
            lambda: self._client.detect_auth(name=name, number=number, return_url=return_url, extra=attempt),
            self._retry_delays,
        )
        self._reported = None
        url = allowed_phone_url(flow.url, self.phone_origins)
        if url is None:
            raise ProviderUnavailable("its address for phones is not allowed")
        return _State(flow.biz_token, url)

    async def _read(self, attempt: Attempt, state: _State) -> tuple[FlowResult, int]:
        """The flow's result so far, and how many tries the vendor charges for."""
        try:
            answer = await self._client.detect_info(state.biz_token)
        except FaceIdError as error:
            reason = API_REASONS.get(error.code)
            if reason is not None:
                return FlowFailed(error.code, 0, reason), 0
            raise self._judged(error) from None
        self._reported = None
        result = read_text(answer.text, attempt)
        if isinstance(result, ForeignPass):
            log.error(
                "FaceID passed somebody else for attempt %s: %s differs (request %s)",
                attempt.id,
                result.field,
                answer.request_id,
            )
        return result, charged_tries(answer.text)

    def _first_seen(self, code: int | str, tries: int, seen: _Failure | None) -> _Failure:
        """The failure with the time of the first poll that saw it."""
        if seen is not None and (seen.code, seen.tries) == (code, tries):
            return seen
        return _Failure(code, tries, int(self._clock().timestamp()))

    def _has_lasted(self, failure: _Failure) -> bool:
        return self._clock().timestamp() - failure.since >= FAILURE_STANDS_AFTER.total_seconds()

    def _verdict(self, result: FlowPassed | ForeignPass | FlowFailed, attempt: Attempt) -> Verdict:
        match result:
            case FlowPassed():
                return Passed()
            case ForeignPass():
                return Rejected(Reason.MISMATCH)
        if result.reason is None:
            self._counts.add_unknown(str(result.code))
        if result.code in OPERATOR_CODES:
            log.error("FaceID refuses this account's checks with code %s, for attempt %s", result.code, attempt.id)
        return Rejected(result.reason or Reason.UNAVAILABLE)

    def _judged(self, error: ProviderUnavailable) -> ProviderUnavailable:
        """The error for our side; what the operator must mend is logged once until a call succeeds."""
        if not isinstance(error, FaceIdError) or is_transient(error.code):
            return error
        if is_operators_fault(error.code):
            if error.code != self._reported:
                self._reported = error.code
                log.error("FaceID works for nobody until the operator mends it: %s; see doctor", error)
            return ProviderMisconfigured(str(error))
        if error.code not in API_REASONS:
            self._counts.add_unknown(error.code)
        return AttemptNotServed(str(error))


def _progress(status: AttemptStatus, state: _State, stored: _State) -> ProviderAnswer:
    return ProviderAnswer(status, None if state == stored else state.text)


def _read_state(attempt: Attempt) -> _State:
    """The attempt's stored state; raises `ProviderUnavailable` for one of another provider."""
    match parse_object(attempt.provider_state.encode()):
        case {"t": str(token), "u": str(url), "f": seen, "r": bool(returned)}:
            match seen:
                case [int() | str() as code, int(tries), int(since)]:
                    return _State(token, url, _Failure(code, tries, since), returned)
                case _:
                    return _State(token, url, None, returned)
    raise AttemptNotServed("the attempt was opened by another provider")
