"""The routes of the API under `/v1`; every one needs a key."""

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


def api_routes(deps: WebDeps) -> Sequence[BaseRoute]:
    """The API behind its keys; no route when no key is configured."""
    if deps.api is None:
        return ()
    links = LinkEndpoints(deps, deps.api)

    async def server_error(_: Request, error: Exception) -> Response:
        return (
            problems.unavailable_response()
            if deps.is_outage(error)
            else problems.problem_response(500, problems.SERVER_ERROR)
        )

    api = Starlette(
        routes=[
            _route("/links", GET=links.list, POST=links.create),
            _route("/links/{id}", GET=links.show, DELETE=links.revoke),
            _route("/links/{id}/qr.png", GET=links.png),
            _route("/links/{id}/qr.svg", GET=links.svg),
        ],
        exception_handlers={HTTPException: problems.problem_handler, Exception: server_error},
    )
    api.router.redirect_slashes = False
    return (Mount("/v1", ApiKeyMiddleware(api, deps.api.keys, deps.registry, deps.monotonic_clock)),)


def _route(path: str, **endpoints: Callable[[Request], Awaitable[Response]]) -> Route:
    """One route for all methods of a path, so that a 405 answer lists the allowed ones."""

    async def serve(request: Request) -> Response:
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, serve, methods=list(endpoints))
