"""An attempt: one account, one identity, one way, one code to scan, one verdict.

Its status moves only along `MOVES`; a status without moves is terminal and never changes. The identity is kept only
while the attempt lives: with the verdict it is dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from verification.errors import AttemptOver
from verification.identity import Identity
from verification.ids import Account, Contact

AttemptId = NewType("AttemptId", str)

REFERENCE_CODE_LENGTH = 8


def reference_code(attempt: AttemptId) -> str:
    """A short name of an attempt, to be read out: it opens nothing.

    >>> reference_code(AttemptId("attempt-0a1b2c3d4e5f"))
    '0A1B-2C3D'
    """
    digits = attempt.rpartition("-")[2][:REFERENCE_CODE_LENGTH].upper()
    return f"{digits[:4]}-{digits[4:]}"


class Method(StrEnum):
    """The three personal ways (G5)."""

    WECHAT = "wechat"
    QQ = "qq"
    FACE = "face"


class AttemptStatus(StrEnum):
    """Where an attempt stands."""

    RESERVED = "reserved"
    WAITING = "waiting"
    OPENED = "opened"
    CONFIRMING = "confirming"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_TERMINAL = frozenset({AttemptStatus.SUCCEEDED, AttemptStatus.FAILED, AttemptStatus.EXPIRED, AttemptStatus.CANCELLED})

MOVES: Mapping[AttemptStatus, frozenset[AttemptStatus]] = {
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

LIVE = frozenset(status for status, moves in MOVES.items() if moves)


class Reason(StrEnum):
    """Why a verification did not pass, in kinds a person can act on (G2, G11, G13)."""

    MISMATCH = "mismatch"
    DECLINED = "declined"
    NO_CARD = "no_card"
    FACE_COVERED = "face_covered"
    FACE_DIFFERS = "face_differs"
    FACE_OUT_OF_FRAME = "face_out_of_frame"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"
    TOO_MANY = "too_many"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Passed:
    """The provider says: this is the person."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider says no, and why."""

    reason: Reason


Verdict = Passed | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt as it is kept.

    `contact` is the front end's own address of the person who is told about it. `page` is what the provider remembers
    of its own steps; the core never reads it. Times are UTC.
    """

    id: AttemptId
    account: Account
    contact: Contact
    method: Method
    status: AttemptStatus
    match_code: str
    created_at: datetime
    expires_at: datetime
    identity: Identity | None
    token: str = field(repr=False)
    provider_state: str = ""
    reason: Reason | None = None
    expiry_announced: bool = False

    @property
    def live(self) -> bool:
        """Whether anything may still happen to it."""
        return self.status in LIVE

    def with_status(self, status: AttemptStatus) -> "Attempt":
        """This attempt one legal move further; raises `AttemptOver` from a terminal status."""
        if status not in MOVES[self.status]:
            raise AttemptOver(f"{self.id}: no move from {self.status} to {status}")
        return replace(self, status=status, identity=None if status in _TERMINAL else self.identity)

    def with_verdict(self, verdict: Verdict) -> "Attempt":
        """This attempt with its verdict."""
        if isinstance(verdict, Rejected):
            return replace(self.with_status(AttemptStatus.FAILED), reason=verdict.reason)
        return self.with_status(AttemptStatus.SUCCEEDED)

    def has_verdict(self, verdict: Verdict) -> bool:
        """Whether this very verdict is recorded already."""
        if isinstance(verdict, Rejected):
            return self.status is AttemptStatus.FAILED and self.reason is verdict.reason
        # A pass that found no place left is recorded as a failure; the provider that repeats it says nothing new.
        return self.status is AttemptStatus.SUCCEEDED or self.reason is Reason.QUOTA
