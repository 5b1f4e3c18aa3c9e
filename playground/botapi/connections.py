"""The open TCP connections: a fault can cut one, and an answer goes out in one piece. ASGI servers can do neither."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.auto import AutoHTTPProtocol


class JoiningTransport:
    """A transport that sends what is written in one go as one piece.

    The server writes the head of an answer and its body apart. Each piece would wake the bot, and cost a system call on
    both sides: a tenth of the time of a script.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, piece: bytes) -> None:
        """Send a piece together with those that follow at once."""
        if not self._pieces:
            asyncio.get_running_loop().call_soon(self._send)
        self._pieces.append(piece)

    def close(self) -> None:
        """Send what waits, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()


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
                super().connection_made(JoiningTransport(transport))

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
