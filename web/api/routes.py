"""Where the calls are: under `/v1`, and nowhere without a key."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from web.api import problems
from web.api.callers import ApiKeyMiddleware
from web.api.links import LinkEndpoints
from web.dependencies import WebDeps


def api_routes(parts: WebDeps) -> Sequence[BaseRoute]:
    """The calls, behind their keys; none where no program has one."""
    if parts.api is None:
        return ()
    links = LinkEndpoints(parts, parts.api)

    async def failed(_: Request, error: Exception) -> Response:
        return (
            problems.unavailable_response()
            if parts.is_outage(error)
            else problems.problem_response(500, problems.SERVER_ERROR)
        )

    calls = Starlette(
        routes=[
            _route("/links", GET=links.list, POST=links.create),
            _route("/links/{id}", GET=links.show, DELETE=links.revoke),
            _route("/links/{id}/qr.png", GET=links.png),
            _route("/links/{id}/qr.svg", GET=links.svg),
        ],
        exception_handlers={HTTPException: problems.problem_handler, Exception: failed},
    )
    calls.router.redirect_slashes = False
    return (Mount("/v1", ApiKeyMiddleware(calls, parts.api.keys, parts.registry, parts.monotonic_clock)),)


def _route(path: str, **calls: Callable[[Request], Awaitable[Response]]) -> Route:
    """One route for all that can be done at a place, so that whoever tries something else is told what can be."""

    async def serve(request: Request) -> Response:
        return await calls["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, serve, methods=list(calls))
