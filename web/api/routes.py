"""The routes of the API under `/v1`; every one needs a key, except the document that describes them."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from verification.callers.keys import CallerScope
from web.api import problems
from web.api.attempts import AttemptEndpoints
from web.api.callers import ApiKeyMiddleware, caller_of
from web.api.links import LinkEndpoints
from web.dependencies import ApiRoute, WebDeps

_OPENAPI = Path(__file__).with_name("openapi.json")


def api_routes(deps: WebDeps, route: ApiRoute) -> Sequence[BaseRoute]:
    """The API behind its keys."""
    links, attempts = LinkEndpoints(deps, route), AttemptEndpoints(deps, route)

    async def server_error(_: Request, error: Exception) -> Response:
        return (
            problems.unavailable_response()
            if deps.is_outage(error)
            else problems.problem_response(500, problems.SERVER_ERROR, problems.ProblemCode.INTERNAL)
        )

    api = Starlette(
        routes=[
            _route(CallerScope.LINKS, "/links", GET=links.list, POST=links.create),
            _route(CallerScope.LINKS, "/links/{id}", GET=links.show, DELETE=links.revoke),
            _route(CallerScope.LINKS, "/links/{id}/qr.png", GET=links.png),
            _route(CallerScope.LINKS, "/links/{id}/qr.svg", GET=links.svg),
            _route(CallerScope.ATTEMPTS, "/attempts", GET=attempts.list, POST=attempts.create),
            _route(CallerScope.ATTEMPTS, "/attempts/{id}", GET=attempts.show, DELETE=attempts.cancel),
            _route(CallerScope.ATTEMPTS, "/attempts/{id}/qr.png", GET=attempts.png),
            _route(CallerScope.ATTEMPTS, "/attempts/{id}/qr.svg", GET=attempts.svg),
            _route(CallerScope.ATTEMPTS, "/attempts/{id}/qr.txt", GET=attempts.text),
            _route(CallerScope.ACCOUNTS, "/accounts/{account}", GET=attempts.account),
        ],
        exception_handlers={HTTPException: problems.problem_handler, Exception: server_error},
    )
    api.router.redirect_slashes = False
    document = _OPENAPI.read_bytes()

    async def openapi(_: Request) -> Response:
        return Response(document, media_type="application/json")

    guarded = ApiKeyMiddleware(api, route.callers, deps.registry, deps.monotonic_clock)
    return Route("/v1/openapi.json", openapi), Mount("/v1", guarded)


def _route(scope: CallerScope, path: str, **endpoints: Callable[[Request], Awaitable[Response]]) -> Route:
    """One route for all methods of a path, so that a 405 answer lists the allowed ones; for keys of this scope."""

    async def serve(request: Request) -> Response:
        if scope not in caller_of(request).scopes:
            raise problems.Problem(403, f"This key may not use {scope}.", problems.ProblemCode.FORBIDDEN)
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, serve, methods=list(endpoints))
