"""Links at the desk: made, listed, shown with their code, printed, and ended after a second question."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from verification import Method
from verification.ids import Account
from verification.invitations import (
    InvalidLinkRequest,
    Link,
    LinkId,
    LinkState,
    is_link_id,
    read_account,
    read_campaign,
)
from verification.support.service import LinkRequest
from web.dependencies import DeskRoute, UtcNow
from web.desk.forms import campaign_or_empty, enum_or_none, read_page_number, read_text
from web.desk.layout import DeskLayout, DeskRequest, redirect

_PAGE = 20
_OF_ONE_ACCOUNT = 50
_ATTEMPTS = 5
_TTLS = {
    "30m": timedelta(minutes=30),
    "2h": timedelta(hours=2),
    "12h": timedelta(hours=12),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_FIELDS = ("account", "campaign", "ttl", "method", "language", "fresh")
_USABLE = (LinkState.WAITING, LinkState.OPENED)
_PAPER_SIZES = ("a6", "a4")


@dataclass(frozen=True, slots=True)
class LinkSnapshot:
    """A link with its state at the moment the page was made."""

    link: Link
    state: LinkState

    @property
    def is_usable(self) -> bool:
        """Whether it still leads somebody somewhere."""
        return self.state in _USABLE


class LinkPages:
    """The pages of links."""

    def __init__(self, desk: DeskRoute, frame: DeskLayout, clock: UtcNow) -> None:
        self._desk = desk
        self._support = desk.support
        self._frame = frame
        self._clock = clock

    async def index(self, visit: DeskRequest) -> Response:
        """List links, by state and campaign."""
        state = enum_or_none(LinkState, visit.query.get("state", ""))
        campaign, page = campaign_or_empty(visit.query.get("campaign", "")), read_page_number(visit.query)
        links = await self._support.links(
            visit.actor, campaign=campaign or None, state=state, limit=_PAGE + 1, skip=(page - 1) * _PAGE
        )
        return self._frame.page(
            visit,
            "links.html",
            links=[self._snapshot(link) for link in links[:_PAGE]],
            states=list(LinkState),
            state=state or "",
            campaign=campaign,
            campaigns=await self._support.campaigns(visit.actor),
            page=page,
            more=len(links) > _PAGE,
            account=None,
        )

    async def search(self, visit: DeskRequest) -> Response:
        """List the newest links of one account; asked by a form, so that no address holds the account."""
        account = read_text(visit.form, "account")
        if not account:
            return redirect(visit.request, "/links")
        links = await self._support.links(visit.actor, account=Account(account), limit=_OF_ONE_ACCOUNT)
        return self._frame.page(
            visit,
            "links.html",
            links=[self._snapshot(link) for link in links],
            states=[],
            state="",
            campaign="",
            campaigns=[],
            page=1,
            more=False,
            account=account,
        )

    async def form(self, visit: DeskRequest) -> Response:
        """Ask what the link is for."""
        return await self._form(visit, dict.fromkeys(_FIELDS, "") | {"fresh": self._desk.new_id()})

    async def create(self, visit: DeskRequest) -> Response:
        """Make it, once for each form that was shown, and go to its page; or say what is wrong."""
        given = {name: visit.form.get(name, "") for name in _FIELDS}
        problem = _problem(given)
        if problem:
            return await self._form(visit, given, problem)
        order = LinkRequest(
            account=read_account(given["account"]),
            # A form that the browser goes back to may be sent with other words: that asks for another link.
            idempotency_key="\0".join(given.values()),
            campaign=given["campaign"],
            ttl=_TTLS.get(given["ttl"]),
            method=enum_or_none(Method, given["method"]),
            language=self._frame.language_or_none(given["language"]),
        )
        made = await self._support.create_link(visit.actor, order)
        return redirect(visit.request, f"/links/{made.link.id}")

    async def show(self, visit: DeskRequest) -> Response:
        """Show a link: what it is for, how far it has come, and while it is alive the link itself."""
        standing = await self._found(visit)
        if standing is None:
            return self._frame.message(visit, "no_link", 404)
        attempts = await self._support.attempts(visit.actor, account=standing.link.account, limit=_ATTEMPTS)
        url = self._url(standing)
        return self._frame.page(visit, "link.html", standing=standing, attempts=attempts, url=url, code=self._code(url))

    async def sheet(self, visit: DeskRequest) -> Response:
        """Show a sheet to print and hand over."""
        standing = await self._found(visit)
        if standing is None or not standing.is_usable:
            return self._frame.message(visit, "no_link", 404)
        paper = visit.query.get("paper", "")
        paper = paper if paper in _PAPER_SIZES else _PAPER_SIZES[0]
        code = self._code(self._url(standing))
        return self._frame.page(visit, "sheet.html", standing=standing, paper=paper, papers=_PAPER_SIZES, code=code)

    async def picture(self, visit: DeskRequest) -> Response:
        """Give the code as a file for print."""
        form = visit.request.path_params["form"]
        standing = await self._found(visit) if form in {"svg", "png"} else None
        if standing is None or not standing.is_usable:
            return self._frame.message(visit, "no_link", 404)
        url = self._url(standing)
        body: str | bytes = self._desk.qr.svg(url) if form == "svg" else self._desk.qr.png(url)
        named = {"Content-Disposition": f'attachment; filename="link-{standing.link.id}.{form}"'}
        return Response(body, media_type="image/svg+xml" if form == "svg" else "image/png", headers=named)

    async def confirm_revoke(self, visit: DeskRequest) -> Response:
        """Ask whether the link shall end."""
        standing = await self._found(visit)
        if standing is None:
            return self._frame.message(visit, "no_link", 404)
        return self._frame.page(visit, "revoke.html", standing=standing)

    async def revoke(self, visit: DeskRequest) -> Response:
        """End it, and show what it is now."""
        link = await self._support.revoke(visit.actor, _id(visit))
        if link is None:
            return self._frame.message(visit, "no_link", 404)
        return redirect(visit.request, f"/links/{link.id}")

    async def _form(self, visit: DeskRequest, given: Mapping[str, str], problem: str = "") -> Response:
        return self._frame.page(
            visit,
            "new_link.html",
            422 if problem else 200,
            given=given,
            problem=problem,
            ttls=_TTLS,
            usual=self._support.ttl,
            campaigns=await self._support.campaigns(visit.actor),
            methods=list(Method),
        )

    async def _found(self, visit: DeskRequest) -> LinkSnapshot | None:
        link = await self._support.link(visit.actor, _id(visit))
        return None if link is None else self._snapshot(link)

    def _snapshot(self, link: Link) -> LinkSnapshot:
        return LinkSnapshot(link, link.state(self._clock()))

    def _url(self, snapshot: LinkSnapshot) -> str:
        return self._desk.link_url(self._support.link_token(snapshot.link.id)) if snapshot.is_usable else ""

    def _code(self, url: str) -> str:
        return self._desk.qr.svg(url) if url else ""


def _id(visit: DeskRequest) -> LinkId:
    text = visit.request.path_params["id"]
    if not is_link_id(text):
        raise HTTPException(404)
    return LinkId(text)


def _problem(given: Mapping[str, str]) -> str:
    for name, read in (("account", read_account), ("campaign", read_campaign)):
        try:
            read(given[name])
        except InvalidLinkRequest:
            return name
    return ""
