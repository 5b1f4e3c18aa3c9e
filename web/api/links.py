"""Links over HTTP; each call is one use of support's desk, and shows accounts only masked."""

from collections.abc import Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from verification.identity import mask_account
from verification.invitations import InvalidLinkRequest, Link, LinkRequestConflict
from web.api.problems import Problem
from web.api.reading import read_link_id, read_link_request, read_list_query
from web.dependencies import ApiRoute, WebDeps


class LinkEndpoints:
    """What can be done with links."""

    def __init__(self, parts: WebDeps, route: ApiRoute) -> None:
        self._clock = parts.clock
        self._languages = tuple(parts.texts)
        self._route = route
        self._support = route.support

    async def create(self, request: Request) -> Response:
        """Make one, or give again the one that this request made."""
        order = await read_link_request(request, self._languages, self._route.new_id())
        try:
            made = await self._support.create_link(request.state.actor, order)
        except LinkRequestConflict:
            raise Problem(409, "This Idempotency-Key made another link before.") from None
        except InvalidLinkRequest as error:
            raise Problem(422, f"{error}.") from None
        told = {**self._full_json(made.link), "account_verified": made.verified}
        return JSONResponse(told, 201, {"Location": f"links/{made.link.id}"})

    async def list(self, request: Request) -> Response:
        """List them, the newest first."""
        page = read_list_query(request)
        found = await self._support.links(
            request.state.actor, campaign=page.campaign, account=page.account, limit=page.limit + 1, skip=page.skip
        )
        following = page.skip + page.limit if len(found) > page.limit else None
        return JSONResponse({"links": [self._list_json(each) for each in found[: page.limit]], "next_skip": following})

    async def show(self, request: Request) -> Response:
        """Show one."""
        return JSONResponse(self._full_json(await self._found(request)))

    async def revoke(self, request: Request) -> Response:
        """End one, opened or not; a second time changes nothing."""
        ended = await self._support.revoke(request.state.actor, read_link_id(request))
        if ended is None:
            raise Problem(404, "There is no such link.")
        return JSONResponse(self._full_json(ended))

    async def png(self, request: Request) -> Response:
        """Draw its code, as a picture."""
        link = await self._found(request)
        return Response(self._route.qr.png(self._url(link)), media_type="image/png")

    async def svg(self, request: Request) -> Response:
        """Draw its code, for print."""
        link = await self._found(request)
        return Response(self._route.qr.svg(self._url(link)), media_type="image/svg+xml")

    async def _found(self, request: Request) -> Link:
        link = await self._support.link(request.state.actor, read_link_id(request))
        if link is None:
            raise Problem(404, "There is no such link.")
        return link

    def _url(self, link: Link) -> str:
        return self._route.link_url(self._support.link_token(link.id))

    def _full_json(self, link: Link) -> Mapping[str, object]:
        """All there is to tell, with the address that opens it: not for lists."""
        return {**self._list_json(link), "url": self._url(link)}

    def _list_json(self, link: Link) -> Mapping[str, object]:
        return {
            "id": link.id,
            "state": link.state(self._clock()),
            "account": mask_account(link.account),
            "campaign": link.campaign,
            "method": link.method,
            "language": link.language,
            "made_by": link.made_by,
            "made_at": _utc_text(link.made_at),
            "expires_at": _utc_text(link.expires_at),
            "opened_at": _utc_text(link.opened_at),
            "revoked_at": _utc_text(link.revoked_at),
        }


def _utc_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
