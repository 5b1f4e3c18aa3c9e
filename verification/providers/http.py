"""A provider over HTTP: whoever speaks the small protocol of docs/operators/providers.md can verify people.

Its sessions carry our attempts' ids, so asking again is harmless and nothing has to be looked up. What it calls back is
only that there may be news; what is so, it is asked. Nothing here quotes what was sent or answered.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from verification.attempts import AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.errors import ProviderUnavailable
from verification.identity import Identity
from verification.ports import ProviderSession
from verification.signing import WebhookSigner

log = logging.getLogger(__name__)

OPEN_RETRY_DELAYS = (0.5, 2.0)
"""Seconds between the tries to open a session; one more try than pauses."""

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PHONE_URL = re.compile(r"[!-\[\]-~]{1,2048}")
_TRANSIENT = frozenset({408, 425, 429}) | frozenset(range(500, 600))
_STATES = {state.value: state for state in (AttemptStatus.WAITING, AttemptStatus.OPENED, AttemptStatus.CONFIRMING)}
_REASONS = {reason.value: reason for reason in Reason if reason is not Reason.QUOTA}


class TransientFailure(ProviderUnavailable):
    """No answer this time; the next try may have one."""


class InvalidCallback(Exception):
    """A callback that is signed and yet none of ours."""


class HttpCall(Protocol):
    """Makes one HTTP call."""

    async def __call__(self, verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Give status and body; raises `Unanswered`, or `ProviderUnavailable` where trying again is no use."""


@dataclass(frozen=True, slots=True)
class ProviderEndpoint:
    """The provider's side as the operator names it: its base address, and the hosts phones may be sent to."""

    base: str
    hosts: frozenset[str]
    signing: WebhookSigner

    def phone_url(self, url: object) -> str | None:
        """The address if a phone may be sent there: https on a listed host, or the provider's own on this machine."""
        if not isinstance(url, str) or not _PHONE_URL.fullmatch(url):
            return None
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        base = urlsplit(self.base)
        own = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
        # The whole place must be listed, so neither a user nor a port can be slipped in.
        return url if parts.netloc.lower() in self.hosts and (parts.scheme == "https" or own) else None


class HttpProvider:
    """One of the three ways, at a provider over HTTP. `keep` is how long a session may be needed."""

    def __init__(
        self,
        method: Method,
        service: ProviderEndpoint,
        call: HttpCall,
        clock: Callable[[], datetime],
        *,
        callback: str,
        session_lifetime: timedelta,
        retry_delays: Sequence[float] = OPEN_RETRY_DELAYS,
    ) -> None:
        self._method = method
        self._service = service
        self._call = call
        self._clock = clock
        self._callback = callback
        self._session_lifetime = session_lifetime
        self._retry_delays = retry_delays

    @property
    def simulated(self) -> bool:
        """Never: what stands behind it is the operator's word."""
        return False

    async def open(self, attempt: AttemptId, identity: Identity) -> ProviderSession:
        """Make the session that carries the attempt's id; what a phone must remember is where to go."""
        try:
            return ProviderSession(provider_state=await self._open_session(attempt, identity))
        except ProviderUnavailable as error:
            log.warning("the provider for %s opened nothing for attempt %s: %s", self._method, attempt, error)
            raise

    async def poll(self, attempt: AttemptId) -> AttemptStatus | Verdict:
        """Ask how far it is, or what came of it; raises `ProviderUnavailable`."""
        answer = await self._send("GET", attempt)
        match answer.get("state"):
            case "passed":
                return Passed()
            case "failed":
                # A verdict in a word we do not know is a verdict all the same.
                return Rejected(_REASONS.get(str(answer.get("reason")), Reason.UNAVAILABLE))
            case str(state) if state in _STATES:
                return _STATES[state]
            case _:
                raise ProviderUnavailable("an unknown state")

    def phone_url(self, provider_state: str) -> str | None:
        """Where a phone goes from the page an attempt keeps; None when it was kept under other settings."""
        return self._service.phone_url(provider_state)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> AttemptId:
        """Say which attempt may have news; raises `BadSignature`, or `Misread`."""
        self._service.signing.verify(headers, body, self._clock())
        session = (_object(body) or {}).get("session")
        if not isinstance(session, str) or not _SESSION.fullmatch(session):
            raise InvalidCallback("no session")
        return AttemptId(session)

    async def _open_session(self, attempt: AttemptId, identity: Identity) -> str:
        wanted = {
            "method": self._method,
            "name": identity.name.plain,
            "number": identity.number.plain,
            "callback": self._callback,
            "keep_seconds": int(self._session_lifetime.total_seconds()),
        }
        answer = await self._send_with_retries("PUT", attempt, json.dumps(wanted).encode())
        address = self._service.phone_url(answer.get("url"))
        if address is None:
            raise ProviderUnavailable("it sends phones where none may go")
        return address

    async def _send_with_retries(self, verb: str, attempt: AttemptId, body: bytes) -> dict[str, Any]:
        for pause in self._retry_delays:
            try:
                return await self._send(verb, attempt, body)
            except TransientFailure:
                await asyncio.sleep(pause)
        return await self._send(verb, attempt, body)

    async def _send(self, verb: str, attempt: AttemptId, body: bytes = b"") -> dict[str, Any]:
        # The session's id is the message's too: a signature fits one session, and a repetition is known as one.
        headers = self._service.signing.headers(attempt, self._clock(), body)
        if body:
            headers["content-type"] = "application/json"
        status, answered = await self._call(verb, f"{self._service.base}/sessions/{attempt}", headers, body)
        if status in _TRANSIENT:
            raise TransientFailure(f"status {status}")
        if status not in (200, 201):
            raise ProviderUnavailable(f"status {status}")
        answer = _object(answered)
        if answer is None or answer.get("session") != attempt:
            raise ProviderUnavailable("an answer that is not about this session")
        return answer


def _object(body: bytes) -> dict[str, Any] | None:
    """A JSON object; None for anything else, however deep or broken."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
