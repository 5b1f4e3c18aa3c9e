"""The store of support: links, unanswered questions, funnel counters, and the audit log.

Every change writes its audit entry in the same transaction; every look writes one before it.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import ClassVar, Protocol

from verification.attempts import REFERENCE_CODE_LENGTH, AttemptId, AttemptStatus, Method, Reason
from verification.attempts import reference_code as reference_code  # re-exported for support
from verification.ids import Account, Actor, Contact, PersonId
from verification.invitations import Link, LinkId, LinkState, Purpose
from verification.record import Record
from verification.support.funnel import FunnelCount, FunnelIncrement, FunnelQuery, FunnelStatistics


class AuditEntry(Record, kw_only=True):
    """One use of the support tools: who did what, about what, and when (UTC).

    `subject` names links, codes and campaigns; an account only masked.
    """

    actor: Actor
    action: str
    subject: str
    at: datetime


class UnansweredQuestion(Record, kw_only=True):
    """A question that no FAQ topic answered, redacted; it is stored without its person.

    `id` is any unused id.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"text"})

    id: str
    text: str
    at: datetime


class AttemptSummary(Record, kw_only=True):
    """An attempt as support may see it: name and number only masked, and only while they are stored."""

    id: AttemptId
    account: Account
    contact: Contact
    method: Method
    status: AttemptStatus
    reason: Reason | None
    created_at: datetime
    expires_at: datetime
    name: str
    number: str

    @property
    def code(self) -> str:
        """The reference code that its person reads out to support."""
        return reference_code(self.id)


class Dispute(Record, kw_only=True):
    """What a person says is wrong: how an attempt ended, or that three accounts are used up before there is a method.

    It is stored without its person; `attempt` is the id that its case number is made of.
    """

    attempt: AttemptId
    reason: Reason
    method: Method | None
    at: datetime

    @property
    def code(self) -> str:
        """The case number: the reference code of what is disputed."""
        return reference_code(self.attempt)


def read_reference_code(text: str) -> str | None:
    """The digits of a reference code as somebody typed it; None for any other text.

    >>> read_reference_code(" 0a1b 2c3d")
    '0a1b2c3d'
    """
    digits = "".join(character for character in text.casefold() if character not in " -#")
    return digits if len(digits) == REFERENCE_CODE_LENGTH and set(digits) <= set("0123456789abcdef") else None


class DialogueSupportUnit(Protocol):
    """The part of `DialogueUnit` that support needs: what a dialogue's transaction stores for it."""

    async def open_link(self, link: LinkId, person: PersonId, now: datetime) -> Link | None:
        """Bind a link to the first person who opens it in time; that person may open it again until it is revoked.

        None for everybody else, and for an unknown, expired or revoked link: the caller cannot tell these apart. A link
        that is refused after its time stays expired, even when the clock goes back.
        """

    async def is_bound(self, person: PersonId, account: Account) -> bool:
        """Whether a link that is not revoked binds the person to the account."""

    async def add_to_funnel(self, increments: Sequence[FunnelIncrement]) -> None:
        """Add to the funnel counters; they change when this transaction commits."""

    async def count_question(self, topic: str, day: date) -> None:
        """Count a question by the topic that answered it; "" for none."""

    async def add_unanswered(self, question: UnansweredQuestion) -> None:
        """Store, sealed, a question that no topic answered."""

    async def add_dispute(self, dispute: Dispute) -> None:
        """Store a dispute; a second one about the same attempt changes nothing."""


class SupportView(Protocol):
    """What support may read."""

    async def link(self, link: LinkId) -> Link | None:
        """Load a link."""

    async def links(
        self,
        *,
        campaign: str | None,
        account: Account | None,
        limit: int,
        skip: int = 0,
        state_at: tuple[LinkState, datetime] | None = None,
    ) -> Sequence[Link]:
        """List links, newest first; `state_at` selects those in a state at a time."""

    async def attempt(self, code: str) -> Sequence[AttemptSummary]:
        """List attempts whose id begins with these digits, with masked name and number while they are stored."""

    async def disputes(self, code: str) -> Sequence[Dispute]:
        """List disputes whose case number has these digits."""

    async def attempts(self, *, account: Account | None, limit: int, skip: int = 0) -> Sequence[AttemptSummary]:
        """List attempts, newest first, without name and number."""

    async def funnel_statistics(self, query: FunnelQuery) -> FunnelStatistics:
        """Load the counters of these journeys; groups are named by `query.by`, and "" without it.

        Durations are those of all methods together, of the method in the query, or of each method when grouped by it;
        the others are not added up.
        """

    async def campaigns(self) -> Sequence[str]:
        """List the campaigns that have links or journeys."""

    async def questions(self, *, since: date, until: date) -> Mapping[str, int]:
        """How often each topic answered a question in these days; "" counts those without an answer."""

    async def unanswered_questions(self, limit: int) -> Sequence[UnansweredQuestion]:
        """List unanswered questions, newest first."""

    async def audit_log(self, *, limit: int, skip: int = 0) -> Sequence[AuditEntry]:
        """List audit entries, newest first."""


class SupportUnit(SupportView, Protocol):
    """One use by support: a transaction that includes its audit entry."""

    async def add_link(self, link: Link) -> Link:
        """Store a new link; one whose id exists already is returned as stored."""

    async def revoke(self, link: LinkId, now: datetime) -> Link | None:
        """Revoke a link and return it; a second time changes nothing. None when it is unknown.

        A live attempt that only this link allowed ends too, and its person gets a notice.
        """


class SupportStore(Protocol):
    """Stores what support needs."""

    def keyed_digest(self, purpose: Purpose, text: str) -> bytes:
        """Compute a digest that requires the secret key: 32 bytes."""

    def support_unit(self, entry: AuditEntry) -> AbstractAsyncContextManager[SupportUnit]:
        """Open a transaction for one use and write its audit entry first; leaving commits, an error rolls back."""

    async def funnel_totals(self) -> Sequence[FunnelCount]:
        """Load all counters, grouped by campaign: numbers without a person, so no audit entry is written."""

    def support_view(self, entry: AuditEntry) -> AbstractAsyncContextManager[SupportView]:
        """Write an audit entry, then open a read-only view; a long read does not block writers."""
