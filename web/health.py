"""What an operator's machines ask: alive, ready, and the numbers."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from web.dependencies import WebDeps


class HealthChecks:
    """Alive means that this process answers; ready, that every part it cannot do without does."""

    def __init__(self, parts: WebDeps) -> None:
        self._parts = parts

    async def alive(self, _: Request) -> Response:
        """Answer."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Say which parts are ready; 503 unless all are."""
        parts = await self._parts.ready()
        ready = all(parts.values())
        return JSONResponse({"ready": ready, "parts": dict(parts)}, status_code=200 if ready else 503)

    async def metrics(self, _: Request) -> Response:
        """Give the numbers in Prometheus' own form."""
        await self._parts.refresh()
        return Response(generate_latest(self._parts.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
