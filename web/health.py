"""Health checks and metrics for the operator's monitoring."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from web.dependencies import WebDeps


class HealthChecks:
    """Alive means that this process answers; ready means that every part it needs works."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    async def live(self, _: Request) -> Response:
        """Answer 200."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Report which parts are ready; 503 unless all are."""
        parts = await self._deps.ready()
        ready = all(parts.values())
        return JSONResponse({"ready": ready, "parts": dict(parts)}, status_code=200 if ready else 503)

    async def metrics(self, _: Request) -> Response:
        """The metrics in Prometheus' text format."""
        await self._deps.refresh()
        return Response(generate_latest(self._deps.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
