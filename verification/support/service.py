"""What support staff may do, the same for every front end: chat, command line, HTTP API, web desk.

Each call writes one audit entry with its actor, before or in the transaction that does the work. Accounts appear in
audit entries only masked.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar

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
from verification.record import Record
from verification.support.funnel import FunnelQuery, FunnelStatistics
from verification.support.store import AttemptSummary, AuditEntry, Dispute, SupportStore, UnansweredQuestion

MAX_TTL = timedelta(days=30)
MIN_TTL = timedelta(minutes=1)
_PAGE_SIZE = 20


def is_valid_ttl(ttl: timedelta) -> bool:
    """Whether a link may wait this long to be opened."""
    return MIN_TTL <= ttl <= MAX_TTL


class LinkRequest(Record, kw_only=True):
    """A request for a link; repeating one with the same `idempotency_key` gives the same link."""

    account: Account
    idempotency_key: str
    campaign: str = ""
    ttl: timedelta | None = None
    method: Method | None = None
    language: str | None = None


class CreatedLink(Record):
    """A link with the token that opens it; `verified`: its account is verified already."""

    hidden: ClassVar[frozenset[str]] = frozenset({"token"})

    link: Link
    token: str
    verified: bool


class SupportService:
    """The support calls over a store.

    `ttl` is the default time that a link waits to be opened; `methods` are those that are on.
    """

    def __init__(
        self,
        store: SupportStore,
        clock: Callable[[], datetime],
        ttl: timedelta,
        methods: Collection[Method] = tuple(Method),
    ) -> None:
        self._store = store
        self._clock = clock
        self.ttl = ttl
        self.methods = methods

    @property
    def link_methods(self) -> tuple[Method, ...]:
        """The methods that a link may suggest."""
        return tuple(method for method in self.methods if method.takes_identity)

    async def create_link(self, actor: Actor, request: LinkRequest) -> CreatedLink:
        """Make a link; raises `InvalidLinkRequest`, or `LinkRequestConflict` when this key made a different link."""
        account, campaign = read_account(request.account), read_campaign(request.campaign)
        ttl = self.ttl if request.ttl is None else request.ttl
        if not is_valid_ttl(ttl):
            raise InvalidLinkRequest("a link waits from 1 minute to 30 days to be opened: 30m, 12h, 7d")
        if request.method is not None and request.method not in self.link_methods:
            raise InvalidLinkRequest(f"the method {request.method} is off; there is: {', '.join(self.link_methods)}")
        now = self._clock()
        link = Link(
            # The same key from two actors means two requests.
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
        ) as unit:
            stored = await unit.add_link(link)
            if _differs(stored, link, request):
                raise LinkRequestConflict("an earlier request with this key made a different link")
            return CreatedLink(stored, self.link_token(stored.id), stored.verified)

    def link_token(self, link: LinkId) -> str:
        """The token that opens a link."""
        return link_token(link, self._store.keyed_digest)

    async def link(self, actor: Actor, link: LinkId) -> Link | None:
        """Look at a link."""
        async with self._store.support_unit(self._entry(actor, "look at link", subject=link)) as unit:
            return await unit.link(link)

    async def links(
        self,
        actor: Actor,
        *,
        campaign: str | None = None,
        account: Account | None = None,
        state: LinkState | None = None,
        limit: int = _PAGE_SIZE,
        skip: int = 0,
    ) -> Sequence[Link]:
        """List links, newest first."""
        subject = " ".join(filter(None, (campaign, account and mask_account(account), state)))
        state_at = None if state is None else (state, self._clock())
        async with self._store.support_unit(self._entry(actor, "links", subject=subject)) as unit:
            return await unit.links(campaign=campaign, account=account, limit=limit, skip=skip, state_at=state_at)

    async def revoke(self, actor: Actor, link: LinkId) -> Link | None:
        """Revoke a link, opened or not; None when it is unknown."""
        async with self._store.support_unit(self._entry(actor, "revoke", subject=link)) as unit:
            return await unit.revoke(link, self._clock())

    async def attempt(self, actor: Actor, code: str) -> tuple[Sequence[AttemptSummary], Sequence[Dispute]]:
        """Look at the attempts and disputes with a reference code, as `read_reference_code` returns it."""
        async with self._store.support_unit(self._entry(actor, "attempt", subject=code)) as unit:
            return await unit.attempt(code), await unit.disputes(code)

    async def attempts(
        self, actor: Actor, *, account: Account | None = None, limit: int = _PAGE_SIZE, skip: int = 0
    ) -> Sequence[AttemptSummary]:
        """List attempts, newest first."""
        async with self._store.support_unit(
            self._entry(actor, "attempts", subject=mask_account(account) if account else "")
        ) as unit:
            return await unit.attempts(account=account, limit=limit, skip=skip)

    async def funnel_statistics(self, actor: Actor, query: FunnelQuery) -> FunnelStatistics:
        """Load the funnel counters."""
        subject = f"{query.campaign or 'all'} {query.since}..{query.until}"
        async with self._store.support_view(self._entry(actor, "funnel", subject=subject)) as view:
            return await view.funnel_statistics(query)

    async def campaigns(self, actor: Actor) -> Sequence[str]:
        """List the campaigns."""
        async with self._store.support_view(self._entry(actor, "campaigns", subject="")) as view:
            return await view.campaigns()

    async def questions(
        self, actor: Actor, *, since: date, until: date
    ) -> tuple[Mapping[str, int], Sequence[UnansweredQuestion]]:
        """Load how often each FAQ topic answered a question, and the latest unanswered questions."""
        async with self._store.support_view(self._entry(actor, "questions", subject=f"{since}..{until}")) as view:
            return await view.questions(since=since, until=until), await view.unanswered_questions(_PAGE_SIZE * 5)

    async def audit_log(self, actor: Actor, *, limit: int = _PAGE_SIZE, skip: int = 0) -> Sequence[AuditEntry]:
        """List audit entries, newest first."""
        async with self._store.support_unit(self._entry(actor, "uses", subject="")) as unit:
            return await unit.audit_log(limit=limit, skip=skip)

    def _entry(self, actor: Actor, action: str, *, subject: str) -> AuditEntry:
        return AuditEntry(actor=actor, action=action, subject=subject, at=self._clock())


def _differs(stored: Link, wanted: Link, request: LinkRequest) -> bool:
    if request.ttl is not None and stored.expires_at - stored.made_at != wanted.expires_at - wanted.made_at:
        return True
    return (stored.account, stored.campaign, stored.method, stored.language) != (
        wanted.account,
        wanted.campaign,
        wanted.method,
        wanted.language,
    )
