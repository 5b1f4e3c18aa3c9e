"""The open TCP connections, so that a fault can cut one. ASGI servers cannot do this."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.auto import AutoHTTPProtocol


class Connections:
    """The open connections, by the address of the client."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def tracking_protocol(self) -> type[asyncio.Protocol]:
        """Return uvicorn's protocol class, extended to register its connections here."""
        connections = self._open

        class TrackingProtocol(AutoHTTPProtocol):  # type: ignore[valid-type, misc] # uvicorn picks the class at import
            def connection_made(self, transport: Any) -> None:
                self.client_address = transport.get_extra_info("peername")[:2]
                connections[self.client_address] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self.client_address, None)
                super().connection_lost(exc)

        return TrackingProtocol

    async def abort(self, request: Request) -> None:
        """Cut the connection of a request without an answer."""
        client = request.client
        transport = self._open.get((client.host, client.port)) if client else None
        if transport is not None:
            transport.abort()
        while (await request.receive())["type"] != "http.disconnect":
            pass
