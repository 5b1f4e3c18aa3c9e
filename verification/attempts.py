"""An attempt: one account, one identity, one method, one code to scan, one verdict.

A status changes only along `STATUS_TRANSITIONS`; a status without transitions is terminal. An attempt holds its
identity only while it is live: reaching a terminal status removes it.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, NewType

from msgspec.structs import replace

from verification.errors import AttemptOver
from verification.identity import Identity, NetworkIdentity
from verification.ids import Account, Contact
from verification.record import Record

AttemptId = NewType("AttemptId", str)

REFERENCE_CODE_LENGTH = 8


def reference_code(attempt: AttemptId) -> str:
    """A short code for an attempt that a person can read out to support; it grants no access.

    >>> reference_code(AttemptId("attempt-0a1b2c3d4e5f"))
    '0A1B-2C3D'
    """
    digits = attempt.rpartition("-")[2][:REFERENCE_CODE_LENGTH].upper()
    return f"{digits[:4]}-{digits[4:]}"


class Method(StrEnum):
    """The methods of personal verification: three of the guide (G5), and the national network identity (网号)."""

    WECHAT = "wechat"
    QQ = "qq"
    FACE = "face"
    NETID = "netid"

    @property
    def takes_identity(self) -> bool:
        """Whether name and number are typed for it; of a network identity the provider tells who the person is."""
        return self is not Method.NETID


TYPED_METHODS = tuple(method for method in Method if method.takes_identity)
"""The methods of the guide."""
TypedMethodName = Literal["wechat", "qq", "face"]
"""Their names, for what is read from outside."""


class ProviderApp(StrEnum):
    """The app on the phone in which a provider's pages work."""

    WECHAT = "wechat"
    QQ = "qq"
    ALIPAY = "alipay"
    ANY = "any"


APP_OF_METHOD: Mapping[Method, ProviderApp] = {
    Method.WECHAT: ProviderApp.WECHAT,
    Method.QQ: ProviderApp.QQ,
    Method.FACE: ProviderApp.WECHAT,
    Method.NETID: ProviderApp.ANY,
}
"""The app that the guide gives each method (G9 to G12); a provider may need another one."""


class AttemptStatus(StrEnum):
    """The status of an attempt."""

    RESERVED = "reserved"
    WAITING = "waiting"
    OPENED = "opened"
    CONFIRMING = "confirming"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_TERMINAL = frozenset({AttemptStatus.SUCCEEDED, AttemptStatus.FAILED, AttemptStatus.EXPIRED, AttemptStatus.CANCELLED})

STATUS_TRANSITIONS: Mapping[AttemptStatus, frozenset[AttemptStatus]] = {
    AttemptStatus.RESERVED: frozenset(
        {AttemptStatus.WAITING, AttemptStatus.FAILED, AttemptStatus.EXPIRED, AttemptStatus.CANCELLED}
    ),
    AttemptStatus.WAITING: frozenset({AttemptStatus.OPENED, AttemptStatus.CONFIRMING}) | _TERMINAL,
    AttemptStatus.OPENED: frozenset({AttemptStatus.CONFIRMING}) | _TERMINAL,
    AttemptStatus.CONFIRMING: _TERMINAL,
    AttemptStatus.SUCCEEDED: frozenset(),
    AttemptStatus.FAILED: frozenset(),
    AttemptStatus.EXPIRED: frozenset(),
    AttemptStatus.CANCELLED: frozenset(),
}

VERDICT_STATUSES = frozenset({AttemptStatus.SUCCEEDED, AttemptStatus.FAILED})
LIVE_STATUSES = frozenset(status for status, next_statuses in STATUS_TRANSITIONS.items() if next_statuses)


ON_PHONE_STATUSES = (AttemptStatus.OPENED, AttemptStatus.CONFIRMING)
"""The person has pressed on and not finished, in order."""


class Reason(StrEnum):
    """Why a verification failed, in kinds that a person can act on (G2, G11, G13).

    `NO_PHOTO`: the authority has no photo, or a bad one, to compare with. `UNFINISHED`: the person left the provider's
    page. `TOO_MANY`: no more tries today, by our limits or the provider's. `BUSY` is about all people together.
    """

    MISMATCH = "mismatch"
    DECLINED = "declined"
    NO_CARD = "no_card"
    FACE_COVERED = "face_covered"
    FACE_DIFFERS = "face_differs"
    FACE_OUT_OF_FRAME = "face_out_of_frame"
    FACE_UNCLEAR = "face_unclear"
    NO_PHOTO = "no_photo"
    UNFINISHED = "unfinished"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"
    TOO_MANY = "too_many"
    BUSY = "busy"


class Passed(Record):
    """The provider confirmed the identity; without a typed one, `network_identity` is who it says the person is."""

    hidden: ClassVar[frozenset[str]] = frozenset({"network_identity"})

    network_identity: NetworkIdentity | None = None


class Rejected(Record):
    """The provider did not confirm the identity, for this reason."""

    reason: Reason


Verdict = Passed | Rejected


class Progress(Record):
    """How far a person has come on the phone."""

    hidden: ClassVar[frozenset[str]] = frozenset({"provider_state"})

    status: AttemptStatus
    provider_state: str


Move = Progress | Verdict
"""What a press on the phone changes."""


def furthest(reached: AttemptStatus, new: AttemptStatus) -> AttemptStatus:
    """The status of a phone that reached one and reaches another: it never goes back."""
    return reached if reached is AttemptStatus.CONFIRMING else new


class Attempt(Record, kw_only=True):
    """One attempt as the store holds it.

    `identity` is None where none was typed, and after the end. `contact` is the front end's address of the person
    who gets its notices. `provider_state` is what the provider needs for its own steps; the core never reads it.
    Times are UTC.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"token", "provider_state"})

    id: AttemptId
    account: Account
    contact: Contact
    method: Method
    status: AttemptStatus
    match_code: str
    created_at: datetime
    expires_at: datetime
    identity: Identity | None
    token: str
    provider_state: str = ""
    reason: Reason | None = None
    expiry_announced: bool = False

    @property
    def live(self) -> bool:
        """Whether its status can still change."""
        return self.status in LIVE_STATUSES

    def with_status(self, status: AttemptStatus) -> "Attempt":
        """A copy with the next status; raises `AttemptOver` when the transition is not allowed."""
        if status not in STATUS_TRANSITIONS[self.status]:
            raise AttemptOver(f"{self.id}: no transition from {self.status} to {status}")
        return replace(self, status=status, identity=None if status in _TERMINAL else self.identity)

    def with_verdict(self, verdict: Verdict) -> "Attempt":
        """A copy with this verdict; raises `AttemptOver` when it has ended."""
        if isinstance(verdict, Rejected):
            return replace(self.with_status(AttemptStatus.FAILED), reason=verdict.reason)
        return self.with_status(AttemptStatus.SUCCEEDED)

    def has_verdict(self, verdict: Verdict) -> bool:
        """Whether exactly this verdict is recorded already."""
        if isinstance(verdict, Rejected):
            return self.status is AttemptStatus.FAILED and self.reason is verdict.reason
        # A pass without a free quota slot is recorded as a failure; the provider may repeat that pass.
        return self.status is AttemptStatus.SUCCEEDED or self.reason is Reason.QUOTA
