"""A provider over HTTP: any server that implements the protocol of docs/operators/providers.md.

A session has the id of its attempt, so a repeated call is harmless and no lookup is needed. A callback is only a hint
that there may be news; the provider is then polled for the facts. Logs and errors never quote what was sent or
answered.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from verification.attempts import (
    APP_OF_METHOD,
    Attempt,
    AttemptId,
    AttemptStatus,
    Method,
    Passed,
    ProviderApp,
    Reason,
    Rejected,
)
from verification.errors import AttemptNotServed, ProviderUnavailable
from verification.identity import Identity
from verification.ports import InvalidCallback, PhoneRedirect, ProviderAnswer, ProviderSession
from verification.providers.addresses import allowed_phone_url
from verification.record import Record
from verification.signing import WebhookSigner

log = logging.getLogger(__name__)

T = TypeVar("T")

OPEN_RETRY_DELAYS = (0.5, 2.0)
"""Seconds between the tries to open a session; one more try than delays."""

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TRANSIENT = frozenset({408, 425, 429}) | frozenset(range(500, 600))
_STATES = {state.value: state for state in (AttemptStatus.WAITING, AttemptStatus.OPENED, AttemptStatus.CONFIRMING)}
_REASONS = {reason.value: reason for reason in Reason if reason not in (Reason.QUOTA, Reason.BUSY)}


class TransientFailure(ProviderUnavailable):
    """No usable answer this time; a retry may succeed."""


class HttpCall(Protocol):
    """Makes one HTTP call."""

    async def __call__(self, verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Return status and body; raises `TransientFailure`, or `ProviderUnavailable` where a retry is useless."""


class ProviderEndpoint(Record):
    """The provider's server as the operator configures it: its base address, and the hosts where phones may go.

    Phones go there by https, or by the scheme of the base address if its host is among them.
    """

    base_url: str
    phone_hosts: frozenset[str]
    signer: WebhookSigner

    @property
    def phone_origins(self) -> frozenset[str]:
        """The origins of those hosts."""
        base = urlsplit(self.base_url)
        host = base.netloc.lower()
        own = {f"{base.scheme}://{host}"} if host in self.phone_hosts else set()
        return frozenset({f"https://{host}" for host in self.phone_hosts} | own)


class HttpProvider:
    """One of the three methods, at a provider over HTTP; the provider keeps a session for `session_lifetime`."""

    def __init__(
        self,
        method: Method,
        endpoint: ProviderEndpoint,
        call: HttpCall,
        clock: Callable[[], datetime],
        *,
        callback_url: str,
        session_lifetime: timedelta,
        retry_delays: Sequence[float] = OPEN_RETRY_DELAYS,
    ) -> None:
        self._method = method
        self._endpoint = endpoint
        self._call = call
        self._clock = clock
        self._callback_url = callback_url
        self._session_lifetime = session_lifetime
        self._retry_delays = retry_delays

    @property
    def simulated(self) -> bool:
        """False: the operator answers for the provider."""
        return False

    @property
    def app(self) -> ProviderApp:
        """The app that the method is named after."""
        return APP_OF_METHOD[self._method]

    @property
    def phone_origins(self) -> frozenset[str]:
        """The origins that the operator listed."""
        return self._endpoint.phone_origins

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        """Open the session with the attempt's id; its state is the address where the phone goes."""
        try:
            return ProviderSession(provider_state=await self._open_session(attempt, typed(identity), return_url))
        except ProviderUnavailable as error:
            log.warning("the provider for %s opened no session for attempt %s: %s", self._method, attempt, error)
            raise

    async def leave(self, attempt: Attempt, client: Mapping[str, str]) -> PhoneRedirect:
        """Send the phone to the address that the session was opened with."""
        del client
        return PhoneRedirect(attempt.provider_state, attempt.provider_state)

    async def poll(self, attempt: Attempt, *, returned: bool = False) -> ProviderAnswer:
        """Poll the session; raises `ProviderUnavailable`."""
        del returned
        answer = await self._send("GET", attempt.id)
        match answer.get("state"):
            case "passed":
                return ProviderAnswer(Passed())
            case "failed":
                # A failure for an unknown reason is still a failure.
                return ProviderAnswer(Rejected(_REASONS.get(str(answer.get("reason")), Reason.UNAVAILABLE)))
            case str(state) if state in _STATES:
                return ProviderAnswer(_STATES[state])
            case _:
                raise ProviderUnavailable("the state is unknown")

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> AttemptId | None:
        """Return which attempt may have news; raises `InvalidSignature` or `InvalidCallback`."""
        self._endpoint.signer.verify(headers, body, self._clock())
        session = (parse_object(body) or {}).get("session")
        if not isinstance(session, str) or not _SESSION.fullmatch(session):
            raise InvalidCallback("no session")
        return AttemptId(session)

    async def _open_session(self, attempt: AttemptId, identity: Identity, return_url: str) -> str:
        request = {
            "method": self._method,
            "name": identity.name.plain,
            "number": identity.number.plain,
            "callback": self._callback_url,
            "return": return_url,
            "keep_seconds": int(self._session_lifetime.total_seconds()),
        }
        body = json.dumps(request).encode()
        answer = await retry_transient(lambda: self._send("PUT", attempt, body), self._retry_delays)
        phone_url = allowed_phone_url(answer.get("url"), self.phone_origins)
        if phone_url is None:
            raise ProviderUnavailable("its address for phones is not allowed")
        return phone_url

    async def _send(self, verb: str, attempt: AttemptId, body: bytes = b"") -> dict[str, Any]:
        # The message has the session's id: a signature is valid for one session, and a repetition is recognised.
        headers = self._endpoint.signer.headers(attempt, self._clock(), body)
        if body:
            headers["content-type"] = "application/json"
        status, answer_body = await self._call(verb, f"{self._endpoint.base_url}/sessions/{attempt}", headers, body)
        check_status(status, accepted=(200, 201))
        answer = parse_object(answer_body)
        if answer is None or answer.get("session") != attempt:
            raise ProviderUnavailable("the answer is about another session")
        return answer


def typed(identity: Identity | None) -> Identity:
    """The identity for a provider that compares one; raises `AttemptNotServed` where none was typed."""
    if identity is None:
        raise AttemptNotServed("it needs a name and a number")
    return identity


async def retry_transient(action: Callable[[], Awaitable[T]], delays: Sequence[float]) -> T:
    """Repeat an action that fails for now, after each of the delays in seconds; raises what its last try raises."""
    for delay in delays:
        try:
            return await action()
        except TransientFailure:
            await asyncio.sleep(delay)
    return await action()


def check_status(status: int, *, accepted: Collection[int]) -> None:
    """Raise `TransientFailure` for a status that may pass, `ProviderUnavailable` for another that is not accepted."""
    if status in _TRANSIENT:
        raise TransientFailure(f"status {status}")
    if status not in accepted:
        raise ProviderUnavailable(f"status {status}")


def parse_object(body: bytes) -> dict[str, Any] | None:
    """A JSON object; None for anything else, including broken or too deeply nested JSON."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
