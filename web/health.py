"""Health checks and metrics for the operator's monitoring."""

import hmac

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from web.dependencies import WebDeps

SEEN_AS_PATH = "/seen-as"


class HealthChecks:
    """Alive means that this process answers; ready means that every part it needs works."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    async def live(self, _: Request) -> Response:
        """Answer 200."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Report which parts are ready, and why the others are not; 503 unless all are."""
        parts = await self._deps.ready()
        reasons = {part: reason for part, reason in parts.items() if reason}
        answer = {"ready": not reasons, "parts": {part: not reason for part, reason in parts.items()}}
        return JSONResponse(answer | {"reasons": reasons}, status_code=503 if reasons else 200)

    async def seen_as(self, request: Request) -> Response:
        """Tell callers whom this program takes them for, so that `doctor` can judge the proxy in front of it.

        `forwarded` is `believed`, `ignored` (not from one of TRUSTED_PROXIES) or `none`, for X-Forwarded-For.
        """
        client = request.client.host if request.client else ""
        named = request.headers.get("x-forwarded-for", "")
        if not named:
            forwarded = "none"
        else:
            forwarded = "believed" if client in (each.strip() for each in named.split(",")) else "ignored"
        return JSONResponse({"client": client, "forwarded": forwarded})

    async def metrics(self, request: Request) -> Response:
        """The metrics in Prometheus' text format; 401 without the key where there is one."""
        key, given = self._deps.metrics_key, request.headers.get("authorization", "")
        if key is not None and not hmac.compare_digest(f"Bearer {key}".encode(), given.encode()):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        await self._deps.refresh()
        return Response(generate_latest(self._deps.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
