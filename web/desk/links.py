"""The desk's pages of links: create, list, show with the QR code, print, and revoke after a confirmation."""

from collections.abc import Mapping
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
from verification.record import Record
from verification.support.service import LinkRequest
from web.dependencies import DeskRoute, UtcNow
from web.desk.forms import campaign_or_empty, enum_or_none, read_page_number, read_text
from web.desk.layout import DeskLayout, DeskRequest, redirect

_LINKS_PER_PAGE = 20
_MAX_OF_ACCOUNT = 50
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


class LinkSnapshot(Record):
    """A link with its state when the page was rendered."""

    link: Link
    state: LinkState

    @property
    def is_usable(self) -> bool:
        """Whether a person can still open it."""
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
            visit.actor,
            campaign=campaign or None,
            state=state,
            limit=_LINKS_PER_PAGE + 1,
            skip=(page - 1) * _LINKS_PER_PAGE,
        )
        return self._frame.page(
            visit,
            "links.html",
            links=[self._snapshot(link) for link in links[:_LINKS_PER_PAGE]],
            states=list(LinkState),
            state=state or "",
            campaign=campaign,
            campaigns=await self._support.campaigns(visit.actor),
            page=page,
            more=len(links) > _LINKS_PER_PAGE,
            account=None,
        )

    async def search(self, visit: DeskRequest) -> Response:
        """List the newest links of an account; a POST, so that no address holds the account."""
        account = read_text(visit.form, "account")
        if not account:
            return redirect(visit.request, "/links")
        links = await self._support.links(visit.actor, account=Account(account), limit=_MAX_OF_ACCOUNT)
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
        """Show the form for a new link."""
        return await self._form(visit, dict.fromkeys(_FIELDS, "") | {"fresh": self._desk.new_id()})

    async def create(self, visit: DeskRequest) -> Response:
        """Create the link, once per form shown, and go to its page; or show what is wrong."""
        fields = {name: visit.form.get(name, "") for name in _FIELDS}
        method = enum_or_none(Method, fields["method"])
        problem = _problem(fields)
        if method is not None and method not in self._support.link_methods:
            problem = problem or "method"
        if problem:
            return await self._form(visit, fields, problem)
        link_request = LinkRequest(
            account=read_account(fields["account"]),
            # A person may go back and send the same form with other values, which asks for another link.
            idempotency_key="\0".join(fields.values()),
            campaign=fields["campaign"],
            ttl=_TTLS.get(fields["ttl"]),
            method=method,
            language=self._frame.language_or_none(fields["language"]),
        )
        created = await self._support.create_link(visit.actor, link_request)
        return redirect(visit.request, f"/links/{created.link.id}")

    async def show(self, visit: DeskRequest) -> Response:
        """Show a link: its purpose, its state, and while it is usable its address."""
        snapshot = await self._load(visit)
        if snapshot is None:
            return self._frame.message(visit, "no_link", 404)
        attempts = await self._support.attempts(visit.actor, account=snapshot.link.account, limit=_ATTEMPTS)
        url = self._url(snapshot)
        return self._frame.page(visit, "link.html", snapshot=snapshot, attempts=attempts, url=url, code=self._code(url))

    async def sheet(self, visit: DeskRequest) -> Response:
        """Show a sheet to print and hand over."""
        snapshot = await self._load(visit)
        if snapshot is None or not snapshot.is_usable:
            return self._frame.message(visit, "no_link", 404)
        paper = visit.query.get("paper", "")
        paper = paper if paper in _PAPER_SIZES else _PAPER_SIZES[0]
        code = self._code(self._url(snapshot))
        return self._frame.page(visit, "sheet.html", snapshot=snapshot, paper=paper, papers=_PAPER_SIZES, code=code)

    async def picture(self, visit: DeskRequest) -> Response:
        """The QR code as a file for print."""
        form = visit.request.path_params["form"]
        snapshot = await self._load(visit) if form in {"svg", "png"} else None
        if snapshot is None or not snapshot.is_usable:
            return self._frame.message(visit, "no_link", 404)
        url = self._url(snapshot)
        body: str | bytes = self._desk.qr.svg(url) if form == "svg" else self._desk.qr.png(url)
        disposition = {"Content-Disposition": f'attachment; filename="link-{snapshot.link.id}.{form}"'}
        return Response(body, media_type="image/svg+xml" if form == "svg" else "image/png", headers=disposition)

    async def confirm_revoke(self, visit: DeskRequest) -> Response:
        """Ask whether to revoke the link."""
        snapshot = await self._load(visit)
        if snapshot is None:
            return self._frame.message(visit, "no_link", 404)
        return self._frame.page(visit, "revoke.html", snapshot=snapshot)

    async def revoke(self, visit: DeskRequest) -> Response:
        """Revoke the link, and show its new state."""
        link = await self._support.revoke(visit.actor, _id(visit))
        if link is None:
            return self._frame.message(visit, "no_link", 404)
        return redirect(visit.request, f"/links/{link.id}")

    async def _form(self, visit: DeskRequest, fields: Mapping[str, str], problem: str = "") -> Response:
        return self._frame.page(
            visit,
            "new_link.html",
            422 if problem else 200,
            fields=fields,
            problem=problem,
            ttls=_TTLS,
            usual=self._support.ttl,
            campaigns=await self._support.campaigns(visit.actor),
            methods=list(self._support.link_methods),
        )

    async def _load(self, visit: DeskRequest) -> LinkSnapshot | None:
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


def _problem(fields: Mapping[str, str]) -> str:
    for name, read in (("account", read_account), ("campaign", read_campaign)):
        try:
            read(fields[name])
        except InvalidLinkRequest:
            return name
    return ""
