"""What support may do, for every front of it alike: chat, command line, calls over HTTP, the web desk.

Each method is one use, noted with its actor before or in the transaction that does it. Accounts are noted only masked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from verification.attempts import Method
from verification.identity import mask_account
from verification.invitations import (
    BadLink,
    Link,
    LinkId,
    LinkState,
    OtherLink,
    id_for,
    read_account,
    read_campaign,
    token_of,
)
from verification.support.funnel import Figures, Wanted
from verification.support.store import DeskStore, Glimpse, Missed, Use

LONGEST_TTL = timedelta(days=30)
SHORTEST_TTL = timedelta(minutes=1)
_PAGE = 20


def may_wait(ttl: timedelta) -> bool:
    """Whether a link may wait so long to be opened."""
    return SHORTEST_TTL <= ttl <= LONGEST_TTL


@dataclass(frozen=True, slots=True)
class Order:
    """What a link is wanted for; `request` names the asking, so that its repetition gives the same link."""

    account: str
    request: str
    campaign: str = ""
    ttl: timedelta | None = None
    method: Method | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A link, with the token that opens it; `verified`: its account needs none any more."""

    link: Link
    token: str
    verified: bool


class Support:
    """The desk's work over its store. `ttl` is how long a link waits to be opened."""

    def __init__(self, store: DeskStore, clock: Callable[[], datetime], ttl: timedelta) -> None:
        self._store = store
        self._clock = clock
        self.ttl = ttl

    async def make_link(self, actor: str, order: Order) -> Made:
        """Make a link; raises `BadLink` where it cannot be one, `OtherLink` where its request made another."""
        account, campaign = read_account(order.account), read_campaign(order.campaign)
        ttl = self.ttl if order.ttl is None else order.ttl
        if not may_wait(ttl):
            raise BadLink("a link waits from 1 minute to 30 days to be opened: 30m, 12h, 7d")
        now = self._clock()
        link = Link(
            # The same words asked for by two people are two requests.
            id=id_for(f"{actor}\0{order.request}", self._store.keyed),
            account=account,
            campaign=campaign,
            made_by=actor,
            made_at=now,
            expires_at=now + ttl,
            method=order.method,
            language=order.language,
        )
        async with self._store.desk(self._use(actor, "link", f"{link.id} {mask_account(account)}")) as desk:
            kept = await desk.add_link(link)
            if _is_other(kept, link, order):
                raise OtherLink("this request was made before, for another link")
            return Made(kept, self.token(kept.id), kept.verified)

    def token(self, link: LinkId) -> str:
        """The token that opens a link."""
        return token_of(link, self._store.keyed)

    async def link(self, actor: str, link: LinkId) -> Link | None:
        """Look at a link."""
        async with self._store.desk(self._use(actor, "look at link", link)) as desk:
            return await desk.link(link)

    async def links(
        self,
        actor: str,
        *,
        campaign: str | None = None,
        account: str | None = None,
        state: LinkState | None = None,
        limit: int = _PAGE,
        skip: int = 0,
    ) -> Sequence[Link]:
        """List links, the newest first."""
        subject = " ".join(filter(None, (campaign, account and mask_account(account), state)))
        standing = None if state is None else (state, self._clock())
        async with self._store.desk(self._use(actor, "links", subject)) as desk:
            return await desk.links(campaign=campaign, account=account, limit=limit, skip=skip, standing=standing)

    async def revoke(self, actor: str, link: LinkId) -> Link | None:
        """End a link, opened or not; None when there is none."""
        async with self._store.desk(self._use(actor, "revoke", link)) as desk:
            return await desk.revoke(link, self._clock())

    async def attempt(self, actor: str, code: str) -> Sequence[Glimpse]:
        """Look at the attempts with a code, as `desk.read_code` gives it."""
        async with self._store.desk(self._use(actor, "attempt", code)) as desk:
            return await desk.attempt(code)

    async def attempts(
        self, actor: str, *, account: str | None = None, limit: int = _PAGE, skip: int = 0
    ) -> Sequence[Glimpse]:
        """List attempts, the newest first."""
        async with self._store.desk(self._use(actor, "attempts", mask_account(account) if account else "")) as desk:
            return await desk.attempts(account=account, limit=limit, skip=skip)

    async def figures(self, actor: str, wanted: Wanted) -> Figures:
        """Give the figures of a funnel."""
        subject = f"{wanted.campaign or 'all'} {wanted.since}..{wanted.until}"
        async with self._store.look(self._use(actor, "funnel", subject)) as desk:
            return await desk.figures(wanted)

    async def campaigns(self, actor: str) -> Sequence[str]:
        """List the campaigns there are."""
        async with self._store.look(self._use(actor, "campaigns", "")) as desk:
            return await desk.campaigns()

    async def questions(self, actor: str, since: date, until: date) -> tuple[Mapping[str, int], Sequence[Missed]]:
        """What people asked: how often each topic answered, and the last questions that none did."""
        async with self._store.look(self._use(actor, "questions", f"{since}..{until}")) as desk:
            return await desk.questions(since, until), await desk.missed(_PAGE * 5)

    async def uses(self, actor: str, limit: int = _PAGE, skip: int = 0) -> Sequence[Use]:
        """List uses of the desk, the newest first."""
        async with self._store.desk(self._use(actor, "uses", "")) as desk:
            return await desk.uses(limit, skip)

    def _use(self, actor: str, action: str, subject: str) -> Use:
        return Use(actor, action, subject, self._clock())


def _is_other(kept: Link, wanted: Link, order: Order) -> bool:
    if order.ttl is not None and kept.expires_at - kept.made_at != wanted.expires_at - wanted.made_at:
        return True
    return (kept.account, kept.campaign, kept.method, kept.language) != (
        wanted.account,
        wanted.campaign,
        wanted.method,
        wanted.language,
    )
