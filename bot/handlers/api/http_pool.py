"""A pool of HTTP/1.1 connections to the servers of the Bot API, directly or through a proxy.

No request is repeated here: only the caller knows whether it may be. `NotConnected` says that nothing of a request was
written; after any other failure the server may have handled it. A server may close an idle connection just when a
request is written to it. Connections are therefore not used again after `_MAX_IDLE` seconds, and one that is known to
be closed is replaced before anything is written.
"""

import asyncio
import re
import socket
import ssl
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection

from bot.handlers.api.http_connection import HttpConnection, Response
from bot.proxies import Proxy, basic_authorization
from verification.errors import describe_error

_MAX_IDLE = 60.0
_NEXT_ADDRESS_AFTER = 0.25
"""Seconds before the next address of a name is tried beside the first (RFC 8305), as IPv6 is broken in some places."""
_MAX_TUNNEL_HEAD = 16 * 1024
_TUNNEL_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_PORTS = {"http": 80, "https": 443}


class NotConnected(Exception):
    """There is no connection, so nothing of the request was sent."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How many seconds each phase of a request may take: a free connection, connecting, writing, and the response."""

    pool: float
    connect: float
    write: float
    read: float


class Origin(NamedTuple):
    """Where a request goes."""

    is_tls: bool
    host: str
    port: int


class HttpPool:
    """Makes requests over at most `connections` connections at a time, which stay open between requests."""

    def __init__(self, *, connections: int, proxy: Proxy | None = None) -> None:
        self._slots = asyncio.Semaphore(connections)
        self._proxy = proxy
        self._tls: ssl.SSLContext | None = None
        self._idle: defaultdict[Origin, list[HttpConnection]] = defaultdict(list)
        self._is_closed = False

    def close(self) -> None:
        """Close the idle connections; the others are closed when their requests end."""
        self._is_closed = True
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def request(self, method: str, url: str, content_type: str, body: bytes, timeouts: Timeouts) -> Response:
        """Make a request; raises `NotConnected`, `ConnectionLost` or `TimeoutError`."""
        origin, start = _request_start(method, url, self._proxy)
        head = f"{start}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n" if body else f"{start}\r\n"
        await self._take_slot(timeouts.pool)
        try:
            connection = self._take_idle(origin) or await self._connect(origin, timeouts.connect)
            response = await connection.exchange(
                head.encode() + body, write_timeout=timeouts.write, read_timeout=timeouts.read
            )
            self._keep(origin, connection)
            return response
        finally:
            self._slots.release()

    async def _take_slot(self, seconds: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise NotConnected("all connections are in use") from None

    def _keep(self, origin: Origin, connection: HttpConnection) -> None:
        if self._is_closed:
            connection.close()
        elif connection.is_open:
            self._idle[origin].append(connection)

    def _take_idle(self, origin: Origin) -> HttpConnection | None:
        # The one that was used last, so that those that are not needed grow old.
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.is_open and asyncio.get_running_loop().time() - connection.idle_since < _MAX_IDLE:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: Origin, seconds: float) -> HttpConnection:
        try:
            async with asyncio.timeout(seconds):
                return await self._open(origin)
        except (OSError, ValueError) as error:
            # Only its kind: its message may hold the address.
            raise NotConnected(describe_error(error)) from None

    async def _open(self, origin: Origin) -> HttpConnection:
        server = await _open_socket(self._proxy or origin)
        connection: HttpConnection | None = None
        try:
            if self._proxy is not None and origin.is_tls:
                await _open_tunnel(server, origin, self._proxy)
            _, connection = await asyncio.get_running_loop().create_connection(
                HttpConnection,
                sock=server,
                ssl=self._tls_context() if origin.is_tls else None,
                server_hostname=origin.host if origin.is_tls else None,
            )
        finally:
            if connection is None:
                server.close()
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


async def _open_socket(server: Origin | Proxy) -> socket.socket:
    addresses = await asyncio.get_running_loop().getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    return await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER)


async def _open_tunnel(server: socket.socket, origin: Origin, proxy: Proxy) -> None:
    """Ask a proxy for a tunnel (RFC 9110, section 9.3.6); raises `ConnectionRefusedError`."""
    loop = asyncio.get_running_loop()
    authority = f"[{origin.host}]:{origin.port}" if ":" in origin.host else f"{origin.host}:{origin.port}"
    request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{_authorization(proxy)}\r\n"
    await loop.sock_sendall(server, request.encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = await loop.sock_recv(server, _MAX_TUNNEL_HEAD - len(head))
        head += received
        if not received:
            break
    status = _TUNNEL_STATUS.match(head)
    if not head.endswith(b"\r\n\r\n") or status is None or not status[1].startswith(b"2"):
        raise ConnectionRefusedError("the proxy opens no tunnel")


@lru_cache(maxsize=256)
def _request_start(method: str, url: str, proxy: Proxy | None) -> tuple[Origin, str]:
    """Where a request goes, and its head without what depends on the body."""
    parts = urlsplit(url)
    origin = Origin(parts.scheme == "https", parts.hostname or "", parts.port or _PORTS[parts.scheme])
    host = parts.netloc.rpartition("@")[2]
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    credentials = basic_authorization(parts)
    lines = [f"Host: {host}\r\n", f"Authorization: {credentials}\r\n" if credentials else ""]
    if proxy is not None and not origin.is_tls:
        target = f"http://{host}{target}"
        lines.append(_authorization(proxy))
    return origin, f"{method} {target} HTTP/1.1\r\n{''.join(lines)}"


def _authorization(proxy: Proxy) -> str:
    return f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
