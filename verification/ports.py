"""What the core needs from outside: a store with units of work, and providers.

A promise is written on each method; an implementation that keeps them all may stand in for any other.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, Reason, Verdict
from verification.identity import Identity
from verification.ids import Account, Contact
from verification.limits import RateLimitRecord

MAX_ACCOUNTS = 3
"""How many accounts one ID number can verify (G2)."""


class NoticeKind(StrEnum):
    """What a notice tells."""

    PROGRESS = "progress"
    EXPIRING_SOON = "fading"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a front end must tell a person: kept until it is settled, so a crash loses none."""

    id: int
    contact: Contact
    kind: NoticeKind
    attempt: AttemptId
    account: Account
    method: Method
    status: AttemptStatus
    reason: Reason | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class QuotaSlot:
    """One of the places of an ID number, taken: this account is verified."""

    account: Account
    method: Method
    at: datetime


@dataclass(frozen=True, slots=True)
class DueAttempt:
    """An attempt whose time is up or nearly so."""

    id: AttemptId
    expires_at: datetime
    expiry_announced: bool


class Unit(Protocol):
    """One transaction: leaving commits, an error rolls back."""

    async def attempt(self, attempt: AttemptId) -> Attempt | None:
        """Load an attempt; as wherever one is loaded, `Unreadable` is raised when what is kept of it is damaged."""

    async def attempt_by_token(self, token: str) -> Attempt | None:
        """Load the attempt whose code holds this token."""

    async def live_attempt(self, account: Account) -> Attempt | None:
        """Load the account's one live attempt."""

    async def slot_of(self, account: Account) -> QuotaSlot | None:
        """Load the place this account holds; None when it is not verified."""

    async def save_attempt(self, attempt: Attempt) -> None:
        """Keep an attempt, its identity sealed; the schema refuses a second live one of an account."""

    async def due(self, moment: datetime, limit: int) -> Sequence[DueAttempt]:
        """List live attempts whose `expires_at` is not after the moment, oldest first, those nobody can read too."""

    async def abandon(self, attempt: AttemptId) -> None:
        """End a live attempt that cannot be read as expired, so that its account may begin another."""

    async def claim_due_polls(
        self, method: Method, *, now: datetime, before: datetime, limit: int
    ) -> Sequence[AttemptId]:
        """List attempts of a way under way that were not taken here since `before`, longest ago first; and take them.

        Whoever asks next, in whatever program, gets them only later. One taken after `now` was taken by a clock that
        has been put right since.
        """

    async def accounts_of(self, identity: Identity) -> frozenset[Account]:
        """List the accounts verified with this identity's number."""

    async def take_slot(self, attempt: Attempt, identity: Identity, now: datetime) -> bool:
        """Take one of the `PLACES` of this number for the attempt's account; False when all are taken.

        The schema keeps the promise: no race gives a fourth, and no account holds two.
        """

    async def rate_limit_records(
        self, attempt: Attempt, identity: Identity, since: datetime, number_limit: int
    ) -> Sequence[RateLimitRecord]:
        """List what was tried since then by the attempt's account or contact, or with this number, the last `crowd`."""

    async def add_rate_limit_record(self, attempt: Attempt, identity: Identity, *, asked: bool) -> None:
        """Keep for a day that this was tried, and whether a provider is asked; it replaces what was noted of it.

        Of tries for which nobody was asked, one a contact and number is kept.
        """

    async def budget_spent(self, since: datetime, budget: int) -> datetime | None:
        """When the oldest of the last `budget` tries was that providers were asked for; None when they are fewer."""

    async def post_notice(self, kind: NoticeKind, attempt: Attempt, now: datetime) -> None:
        """Post a notice about the attempt to its contact, to be told once this unit commits."""

    async def post_result(self, attempt: Attempt, now: datetime, *, simulated: bool) -> None:
        """Owe an attempt's verdict to another server, to be told once this unit commits; one of each attempt."""


class Store(Protocol):
    """Keeps what the core must not lose."""

    def unit(self, lock_key: str) -> AbstractAsyncContextManager[Unit]:
        """Open a unit that runs alone with this key: another unit with the same key waits until it is left."""

    async def claim_notices(self, now: datetime, *, until: datetime, limit: int) -> Sequence[Notice]:
        """Lease unsettled notices, oldest first, one per contact; another claim gets them only after `until`.

        A lease that ends later than one given now does not count: the clock has been put back since.
        """

    async def settle_notice(self, notice: Notice) -> None:
        """Mark a notice as told."""


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """A provider's answer: what its first page must remember."""

    provider_state: str


class Provider(Protocol):
    """One way to check that a person is who they say."""

    @property
    def simulated(self) -> bool:
        """Whether this provider proves nothing."""

    async def open(self, attempt: AttemptId, identity: Identity) -> ProviderSession:
        """Begin; repeating it for one attempt is harmless. Raises `ProviderUnavailable`."""


class PollableProvider(Protocol):
    """A provider that decides elsewhere, and is asked how far it is."""

    async def poll(self, attempt: AttemptId) -> AttemptStatus | Verdict:
        """Say where the attempt stands, or what came of it. Raises `ProviderUnavailable`."""
