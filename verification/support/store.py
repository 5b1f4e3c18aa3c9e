"""What support needs kept: links, what people asked in vain, the funnel, and who looked at what.

Nothing is changed here without a use of the desk being written down in the same transaction, and nothing looked at
without one being written down before.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from verification.attempts import REFERENCE_CODE_LENGTH, AttemptId, AttemptStatus, Method, Reason
from verification.attempts import reference_code as reference_code  # support knows it from here
from verification.ids import Account, Actor, Contact, PersonId
from verification.invitations import Link, LinkId, LinkState, Purpose
from verification.support.funnel import FunnelCount, FunnelIncrement, FunnelQuery, FunnelStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """That somebody used the desk: who (`telegram:<id>`, `command`, `api:<key>`, `desk`), what for, about what, when.

    `subject` names links, codes and campaigns; an account only masked.
    """

    actor: Actor
    action: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnansweredQuestion:
    """A question that nothing in the FAQ answered, as far as it may be kept: it belongs to nobody.

    `id` is any that nobody has had.
    """

    id: str
    text: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSummary:
    """An attempt as support may see it: name and number only masked, and only while they are kept."""

    id: AttemptId
    account: Account
    contact: Contact
    method: Method
    status: AttemptStatus
    reason: Reason | None
    created_at: datetime
    expires_at: datetime
    name: str = ""
    number: str = ""

    @property
    def code(self) -> str:
        """What its person reads out to support."""
        return reference_code(self.id)


def read_reference_code(text: str) -> str | None:
    """The digits of a code as somebody writes it; None for what is none.

    >>> read_reference_code(" 0a1b 2c3d")
    '0a1b2c3d'
    """
    digits = "".join(character for character in text.casefold() if character not in " -#")
    return digits if len(digits) == REFERENCE_CODE_LENGTH and set(digits) <= set("0123456789abcdef") else None


class DialogueSupportUnit(Protocol):
    """What a dialogue's transaction does for the desk; part of `DialogueUnit`."""

    async def open_link(self, link: LinkId, person: PersonId, now: datetime) -> Link | None:
        """Bind a link to the first person who opens it in time; to them it opens again and again, until revoked.

        None for whoever else, and for one that is unknown, expired or revoked: nothing tells these apart.
        """

    async def is_bound(self, person: PersonId, account: Account) -> bool:
        """Whether a link that nobody revoked binds the person to the account."""

    async def add_to_funnel(self, increments: Sequence[FunnelIncrement]) -> None:
        """Count facts; they are true once this unit commits."""

    async def count_question(self, topic: str, day: date) -> None:
        """Count a question by the topic that answered it, empty for none."""

    async def keep_unanswered(self, question: UnansweredQuestion) -> None:
        """Keep, sealed, a question that nothing answered."""


class SupportView(Protocol):
    """What may be looked at."""

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
        """List links, the newest first; `standing` asks for those in a state at a moment."""

    async def attempt(self, code: str) -> Sequence[AttemptSummary]:
        """List attempts whose id's digits begin with a code, masked name and number among it where they are kept."""

    async def attempts(self, *, account: Account | None, limit: int, skip: int = 0) -> Sequence[AttemptSummary]:
        """List attempts, the newest first, without name and number."""

    async def funnel_statistics(self, query: FunnelQuery) -> FunnelStatistics:
        """Give what was counted of these journeys; groups are named by `wanted.by`, and "" without.

        Times are those of all ways together, of the wanted one, or by way of each: what is not wanted is not added up.
        """

    async def campaigns(self) -> Sequence[str]:
        """List the campaigns there are links or journeys of."""

    async def questions(self, *, since: date, until: date) -> Mapping[str, int]:
        """How often each topic answered a question in these days, under "" how often none did."""

    async def unanswered_questions(self, limit: int) -> Sequence[UnansweredQuestion]:
        """List questions that nothing answered, the newest first."""

    async def audit_log(self, *, limit: int, skip: int = 0) -> Sequence[AuditEntry]:
        """List uses of the desk, the newest first."""


class SupportUnit(SupportView, Protocol):
    """One use of the desk: a transaction that holds the note of it."""

    async def add_link(self, link: Link) -> Link:
        """Keep a new link; one whose id is known already is given as it is kept."""

    async def revoke(self, link: LinkId, now: datetime) -> Link | None:
        """End a link, and give it as it is then; a second time changes nothing. None when it is unknown.

        A live attempt that only this link allowed ends with it, and its person is told.
        """


class SupportStore(Protocol):
    """Keeps what support needs."""

    def keyed_digest(self, purpose: Purpose, text: str) -> bytes:
        """Give a digest that nobody makes without the key: 32 bytes."""

    def support_unit(self, entry: AuditEntry) -> AbstractAsyncContextManager[SupportUnit]:
        """Open the desk for one use, which is noted first; leaving commits, an error rolls back."""

    async def funnel_totals(self) -> Sequence[FunnelCount]:
        """Give what was ever counted, in groups of campaigns: numbers without a person in them, so no use is noted."""

    def support_view(self, entry: AuditEntry) -> AbstractAsyncContextManager[SupportView]:
        """Note a use of the desk, then let it look, for as long as it takes: nobody who writes waits for it."""
