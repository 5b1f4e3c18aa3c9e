"""What support may do, for every front of it alike: chat, command line, calls over HTTP, the web desk.

Each method is one use, noted with its actor before or in the transaction that does it. Accounts are noted only masked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from verification.attempts import Method
from verification.identity import mask_account
from verification.ids import Account, Actor
from verification.invitations import (
    InvalidLinkRequest,
    Link,
    LinkId,
    LinkRequestConflict,
    LinkState,
    link_id_for,
    link_token,
    read_account,
    read_campaign,
)
from verification.support.funnel import FunnelQuery, FunnelStatistics
from verification.support.store import AttemptSummary, AuditEntry, SupportStore, UnansweredQuestion

MAX_TTL = timedelta(days=30)
MIN_TTL = timedelta(minutes=1)
_PAGE = 20


def is_valid_ttl(ttl: timedelta) -> bool:
    """Whether a link may wait so long to be opened."""
    return MIN_TTL <= ttl <= MAX_TTL


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """What a link is wanted for; `request` names the asking, so that its repetition gives the same link."""

    account: Account
    idempotency_key: str
    campaign: str = ""
    ttl: timedelta | None = None
    method: Method | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class CreatedLink:
    """A link, with the token that opens it; `verified`: its account needs none any more."""

    link: Link
    token: str
    verified: bool


class SupportService:
    """The desk's work over its store. `ttl` is how long a link waits to be opened."""

    def __init__(self, store: SupportStore, clock: Callable[[], datetime], ttl: timedelta) -> None:
        self._store = store
        self._clock = clock
        self.ttl = ttl

    async def create_link(self, actor: Actor, request: LinkRequest) -> CreatedLink:
        """Make a link; raises `BadLink` where it cannot be one, `OtherLink` where its request made another."""
        account, campaign = read_account(request.account), read_campaign(request.campaign)
        ttl = self.ttl if request.ttl is None else request.ttl
        if not is_valid_ttl(ttl):
            raise InvalidLinkRequest("a link waits from 1 minute to 30 days to be opened: 30m, 12h, 7d")
        now = self._clock()
        link = Link(
            # The same words asked for by two people are two requests.
            id=link_id_for(f"{actor}\0{request.idempotency_key}", self._store.keyed_digest),
            account=account,
            campaign=campaign,
            made_by=actor,
            made_at=now,
            expires_at=now + ttl,
            method=request.method,
            language=request.language,
        )
        async with self._store.support_unit(
            self._entry(actor, "link", subject=f"{link.id} {mask_account(account)}")
        ) as desk:
            kept = await desk.add_link(link)
            if _differs(kept, link, request):
                raise LinkRequestConflict("this request was made before, for another link")
            return CreatedLink(kept, self.link_token(kept.id), kept.verified)

    def link_token(self, link: LinkId) -> str:
        """The token that opens a link."""
        return link_token(link, self._store.keyed_digest)

    async def link(self, actor: Actor, link: LinkId) -> Link | None:
        """Look at a link."""
        async with self._store.support_unit(self._entry(actor, "look at link", subject=link)) as desk:
            return await desk.link(link)

    async def links(
        self,
        actor: Actor,
        *,
        campaign: str | None = None,
        account: Account | None = None,
        state: LinkState | None = None,
        limit: int = _PAGE,
        skip: int = 0,
    ) -> Sequence[Link]:
        """List links, the newest first."""
        subject = " ".join(filter(None, (campaign, account and mask_account(account), state)))
        standing = None if state is None else (state, self._clock())
        async with self._store.support_unit(self._entry(actor, "links", subject=subject)) as desk:
            return await desk.links(campaign=campaign, account=account, limit=limit, skip=skip, state_at=standing)

    async def revoke(self, actor: Actor, link: LinkId) -> Link | None:
        """End a link, opened or not; None when there is none."""
        async with self._store.support_unit(self._entry(actor, "revoke", subject=link)) as desk:
            return await desk.revoke(link, self._clock())

    async def attempt(self, actor: Actor, code: str) -> Sequence[AttemptSummary]:
        """Look at the attempts with a code, as `desk.read_code` gives it."""
        async with self._store.support_unit(self._entry(actor, "attempt", subject=code)) as desk:
            return await desk.attempt(code)

    async def attempts(
        self, actor: Actor, *, account: Account | None = None, limit: int = _PAGE, skip: int = 0
    ) -> Sequence[AttemptSummary]:
        """List attempts, the newest first."""
        async with self._store.support_unit(
            self._entry(actor, "attempts", subject=mask_account(account) if account else "")
        ) as desk:
            return await desk.attempts(account=account, limit=limit, skip=skip)

    async def funnel_statistics(self, actor: Actor, query: FunnelQuery) -> FunnelStatistics:
        """Give the figures of a funnel."""
        subject = f"{query.campaign or 'all'} {query.since}..{query.until}"
        async with self._store.support_view(self._entry(actor, "funnel", subject=subject)) as desk:
            return await desk.funnel_statistics(query)

    async def campaigns(self, actor: Actor) -> Sequence[str]:
        """List the campaigns there are."""
        async with self._store.support_view(self._entry(actor, "campaigns", subject="")) as desk:
            return await desk.campaigns()

    async def questions(
        self, actor: Actor, *, since: date, until: date
    ) -> tuple[Mapping[str, int], Sequence[UnansweredQuestion]]:
        """What people asked: how often each topic answered, and the last questions that none did."""
        async with self._store.support_view(self._entry(actor, "questions", subject=f"{since}..{until}")) as desk:
            return await desk.questions(since=since, until=until), await desk.unanswered_questions(_PAGE * 5)

    async def audit_log(self, actor: Actor, *, limit: int = _PAGE, skip: int = 0) -> Sequence[AuditEntry]:
        """List uses of the desk, the newest first."""
        async with self._store.support_unit(self._entry(actor, "uses", subject="")) as desk:
            return await desk.audit_log(limit=limit, skip=skip)

    def _entry(self, actor: Actor, action: str, *, subject: str) -> AuditEntry:
        return AuditEntry(actor=actor, action=action, subject=subject, at=self._clock())


def _differs(kept: Link, wanted: Link, request: LinkRequest) -> bool:
    if request.ttl is not None and kept.expires_at - kept.made_at != wanted.expires_at - wanted.made_at:
        return True
    return (kept.account, kept.campaign, kept.method, kept.language) != (
        wanted.account,
        wanted.campaign,
        wanted.method,
        wanted.language,
    )
