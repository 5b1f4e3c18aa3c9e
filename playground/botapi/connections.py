"""Cutting a connection for good, which no ASGI server offers by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.auto import AutoHTTPProtocol


class Connections:
    """The open connections by the address of their other end."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def tracking_protocol(self) -> type[asyncio.Protocol]:
        """Return the server's protocol, made to tell of connections here."""
        opened = self._open

        class Known(AutoHTTPProtocol):  # type: ignore[valid-type, misc] # uvicorn picks the class at import
            def connection_made(self, transport: Any) -> None:
                self.other_end = transport.get_extra_info("peername")[:2]
                opened[self.other_end] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                opened.pop(self.other_end, None)
                super().connection_lost(exc)

        return Known

    async def abort(self, request: Request) -> None:
        """End the connection of a request without a word."""
        client = request.client
        transport = self._open.get((client.host, client.port)) if client else None
        if transport is not None:
            transport.abort()
        while (await request.receive())["type"] != "http.disconnect":
            pass
