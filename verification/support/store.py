"""What support needs kept: links, what people asked in vain, the funnel, and who looked at what.

Nothing is changed here without a use of the desk being written down in the same transaction, and nothing looked at
without one being written down before.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from verification.attempts import CODE_LENGTH, AttemptId, Method, Reason, Status
from verification.attempts import code_of as code_of  # support knows it from here
from verification.invitations import Link, LinkId, LinkState, Purpose
from verification.support.funnel import Counted, Figures, Tally, Wanted


@dataclass(frozen=True, slots=True)
class Use:
    """That somebody used the desk: who (`telegram:<id>`, `command`, `api:<key>`, `desk`), what for, about what, when.

    `subject` names links, codes and campaigns; an account only masked.
    """

    actor: str
    action: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """A question that nothing in the FAQ answered, as far as it may be kept: it belongs to nobody.

    `id` is any that nobody has had.
    """

    id: str
    text: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """An attempt as support may see it: name and number only masked, and only while they are kept."""

    id: AttemptId
    account: str
    contact: str
    method: Method
    status: Status
    reason: Reason | None
    created_at: datetime
    expires_at: datetime
    name: str = ""
    number: str = ""

    @property
    def code(self) -> str:
        """What its person reads out to support."""
        return code_of(self.id)


def read_code(text: str) -> str | None:
    """The digits of a code as somebody writes it; None for what is none.

    >>> read_code(" 0a1b 2c3d")
    '0a1b2c3d'
    """
    digits = "".join(character for character in text.casefold() if character not in " -#")
    return digits if len(digits) == CODE_LENGTH and set(digits) <= set("0123456789abcdef") else None


class FrontUnit(Protocol):
    """What a dialogue's transaction does for the desk; part of `DialogueUnit`."""

    async def open_link(self, link: LinkId, person: str, now: datetime) -> Link | None:
        """Bind a link to the first person who opens it in time; to them it opens again and again, until revoked.

        None for whoever else, and for one that is unknown, expired or revoked: nothing tells these apart.
        """

    async def is_bound(self, person: str, account: str) -> bool:
        """Whether a link that nobody revoked binds the person to the account."""

    async def tally(self, tallies: Sequence[Tally]) -> None:
        """Count facts; they are true once this unit commits."""

    async def count_question(self, topic: str, day: date) -> None:
        """Count a question by the topic that answered it, empty for none."""

    async def keep_missed(self, missed: Missed) -> None:
        """Keep, sealed, a question that nothing answered."""


class DeskView(Protocol):
    """What may be looked at."""

    async def link(self, link: LinkId) -> Link | None:
        """Load a link."""

    async def links(
        self,
        *,
        campaign: str | None,
        account: str | None,
        limit: int,
        skip: int = 0,
        standing: tuple[LinkState, datetime] | None = None,
    ) -> Sequence[Link]:
        """List links, the newest first; `standing` asks for those in a state at a moment."""

    async def attempt(self, code: str) -> Sequence[Glimpse]:
        """List attempts whose id's digits begin with a code, masked name and number among it where they are kept."""

    async def attempts(self, *, account: str | None, limit: int, skip: int = 0) -> Sequence[Glimpse]:
        """List attempts, the newest first, without name and number."""

    async def figures(self, wanted: Wanted) -> Figures:
        """Give what was counted of these journeys; groups are named by `wanted.by`, and "" without.

        Times are those of all ways together, of the wanted one, or by way of each: what is not wanted is not added up.
        """

    async def campaigns(self) -> Sequence[str]:
        """List the campaigns there are links or journeys of."""

    async def questions(self, since: date, until: date) -> Mapping[str, int]:
        """How often each topic answered a question in these days, under "" how often none did."""

    async def missed(self, limit: int) -> Sequence[Missed]:
        """List questions that nothing answered, the newest first."""

    async def uses(self, limit: int, skip: int = 0) -> Sequence[Use]:
        """List uses of the desk, the newest first."""


class DeskUnit(DeskView, Protocol):
    """One use of the desk: a transaction that holds the note of it."""

    async def add_link(self, link: Link) -> Link:
        """Keep a new link; one whose id is known already is given as it is kept."""

    async def revoke(self, link: LinkId, now: datetime) -> Link | None:
        """End a link, and give it as it is then; a second time changes nothing. None when it is unknown.

        A live attempt that only this link allowed ends with it, and its person is told.
        """


class DeskStore(Protocol):
    """Keeps what support needs."""

    def keyed(self, purpose: Purpose, text: str) -> bytes:
        """Give a digest that nobody makes without the key: 32 bytes."""

    def desk(self, use: Use) -> AbstractAsyncContextManager[DeskUnit]:
        """Open the desk for one use, which is noted first; leaving commits, an error rolls back."""

    async def totals(self) -> Sequence[Counted]:
        """Give what was ever counted, in groups of campaigns: numbers without a person in them, so no use is noted."""

    def look(self, use: Use) -> AbstractAsyncContextManager[DeskView]:
        """Note a use of the desk, then let it look, for as long as it takes: nobody who writes waits for it."""
