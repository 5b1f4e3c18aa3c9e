"""The link endpoints; each call writes one audit entry, and accounts are shown only masked."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from verification.identity import mask_account
from verification.invitations import InvalidLinkRequest, Link, LinkRequestConflict
from web.api.callers import caller_of
from web.api.problems import Problem, ProblemCode, utc_text
from web.api.reading import read_link_id, read_link_request, read_list_query
from web.dependencies import ApiRoute, WebDeps


class LinkEndpoints:
    """The operations on links."""

    def __init__(self, deps: WebDeps, route: ApiRoute) -> None:
        self._clock = deps.clock
        self._languages = tuple(deps.texts)
        self._route = route
        self._support = route.support

    async def create(self, request: Request) -> Response:
        """Create a link, or return the one that the same request created before."""
        link_request = await read_link_request(request, self._languages, self._route.new_id())
        try:
            created = await self._support.create_link(caller_of(request).actor, link_request)
        except LinkRequestConflict:
            raise Problem(
                409, "This Idempotency-Key was used before for another link.", ProblemCode.IDEMPOTENCY_CONFLICT
            ) from None
        except InvalidLinkRequest as error:
            raise Problem(422, f"{error}.", ProblemCode.INVALID_REQUEST) from None
        body = {**self._full_json(created.link), "account_verified": created.verified}
        return JSONResponse(body, 201, {"Location": f"links/{created.link.id}"})

    async def list(self, request: Request) -> Response:
        """List links, newest first."""
        query = read_list_query(request)
        links = await self._support.links(
            caller_of(request).actor,
            campaign=query.campaign,
            account=query.account,
            limit=query.limit + 1,
            skip=query.skip,
        )
        next_skip = query.skip + query.limit if len(links) > query.limit else None
        return JSONResponse({"links": [self._list_json(each) for each in links[: query.limit]], "next_skip": next_skip})

    async def show(self, request: Request) -> Response:
        """Show one link."""
        return JSONResponse(self._full_json(await self._load(request)))

    async def revoke(self, request: Request) -> Response:
        """Revoke a link, opened or not; a second time changes nothing."""
        link = await self._support.revoke(caller_of(request).actor, read_link_id(request))
        if link is None:
            raise Problem(404, "There is no such link.", ProblemCode.NOT_FOUND)
        return JSONResponse(self._full_json(link))

    async def png(self, request: Request) -> Response:
        """The link's QR code as PNG."""
        link = await self._load(request)
        return Response(self._route.qr.png(self._url(link)), media_type="image/png")

    async def svg(self, request: Request) -> Response:
        """The link's QR code as SVG, for print."""
        link = await self._load(request)
        return Response(self._route.qr.svg(self._url(link)), media_type="image/svg+xml")

    async def _load(self, request: Request) -> Link:
        link = await self._support.link(caller_of(request).actor, read_link_id(request))
        if link is None:
            raise Problem(404, "There is no such link.", ProblemCode.NOT_FOUND)
        return link

    def _url(self, link: Link) -> str:
        return self._route.link_url(self._support.link_token(link.id))

    def _full_json(self, link: Link) -> Mapping[str, object]:
        """All fields, with the address that opens the link; lists leave the address out."""
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
            "made_at": utc_text(link.made_at),
            "expires_at": utc_text(link.expires_at),
            "opened_at": link.opened_at and utc_text(link.opened_at),
            "revoked_at": link.revoked_at and utc_text(link.revoked_at),
        }
