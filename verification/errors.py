"""The errors of the core, as one small tree.

VerificationError
├── RequestRefused           a rule forbids it; the person may know which
│   ├── QuotaReached         three accounts are verified with this ID number
│   ├── AlreadyVerified      the account is verified
│   ├── TooManyAttempts      a daily limit is reached
│   ├── MethodOff            the method is not offered
│   └── AttemptOver          unknown, used, expired or cancelled
├── ProviderUnavailable      the method is out of order for now; a retry may succeed
│   ├── ProviderMisconfigured    it works for nobody until the operator mends something
│   └── AttemptNotServed         it works, but not for this attempt
├── Unreadable               a stored attempt is damaged
└── ContradictoryVerdict     a second, different verdict for one attempt; the first stands
"""

import re
from datetime import datetime


class VerificationError(Exception):
    """Root of the errors that the core raises on purpose; messages hold ids and kinds, never a name or number."""


class RequestRefused(VerificationError):
    """A rule forbids the request, and the person may know which."""


class QuotaReached(RequestRefused):
    """Three accounts are verified with this ID number already."""


class AlreadyVerified(RequestRefused):
    """The account is verified; it needs no further attempt."""


class TooManyAttempts(RequestRefused):
    """A daily limit is reached: of this person, or (`is_overall`) of all people together.

    `until` is the UTC time at which an attempt is allowed again.
    """

    def __init__(self, until: datetime, *, is_overall: bool = False) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until
        self.is_overall = is_overall


class MethodOff(RequestRefused):
    """The method is not offered here."""


class AttemptOver(RequestRefused):
    """The attempt is unknown or has ended."""


class ProviderUnavailable(VerificationError):
    """The provider did not answer as agreed; the attempt may be repeated."""


class ProviderMisconfigured(ProviderUnavailable):
    """The provider works for nobody until the operator mends the key, the account or the settings."""


class AttemptNotServed(ProviderUnavailable):
    """The provider works, but cannot serve this attempt."""


class Unreadable(VerificationError):
    """A stored record cannot be read; a retry does not help."""


class ContradictoryVerdict(VerificationError):
    """A verdict differs from the one already recorded."""


def describe_error(error: BaseException) -> str:
    """The kind of an error in plain words; its message could hold an address, a secret or a person's input.

    >>> import socket
    >>> errors = (ConnectionRefusedError(), TimeoutError(), socket.gaierror(), KeyError("secret"))
    >>> [describe_error(error) for error in errors]
    ['connection refused', 'no answer in time', 'name not found', 'key error']
    """
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if type(error).__name__ in ("gaierror", "ClientConnectorDNSError"):
        return "name not found"
    if type(error).__name__ == "SSLCertVerificationError":
        return "certificate not trusted"
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", type(error).__name__)
    words = " ".join(part if part.isupper() else part.lower() for part in parts)
    shorter = words.removesuffix(" error")
    return shorter if " " in shorter else words
