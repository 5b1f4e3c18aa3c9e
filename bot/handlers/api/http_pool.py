"""A pool of HTTP/1.1 connections to the servers of the Bot API, directly or through a proxy.

No request is repeated here: only the caller knows whether it may be. `NotConnected` says that nothing of a request was
written; after any other failure the server may have handled it. A server may close an idle connection just when a
request is written to it. Connections are therefore not used again after `_MAX_IDLE` seconds, and one that is known to
be closed is replaced before anything is written.
"""

import asyncio
import socket
import ssl
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from aiohappyeyeballs import start_connection

from bot.connection_failures import describe_failure
from bot.handlers.api.http_connection import HttpConnection, Response
from bot.handlers.api.tunnel import TunnelRefused, open_tunnel
from bot.proxies import Proxy, basic_authorization
from verification.record import Record

_MAX_IDLE = 60.0
_NEXT_ADDRESS_AFTER = 0.25
"""Seconds before the next address of a name is tried beside the first (RFC 8305), as IPv6 is broken in some places."""
_PORTS = {"http": 80, "https": 443}


class NotConnected(Exception):
    """There is no connection, so nothing of the request was sent."""


class Timeouts(Record):
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
        self.date = ""
        """The time that the last response told, as it was written."""

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
            self.date = connection.date.decode("latin-1")
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
        except TunnelRefused as error:
            raise NotConnected(f"the proxy {error}") from None
        except (OSError, ValueError) as error:
            # Only its kind: its message may hold the address.
            reason = describe_failure(error)
            raise NotConnected(reason if self._proxy is None else f"the proxy fails: {reason}") from None

    async def _open(self, origin: Origin) -> HttpConnection:
        server = await _open_socket(self._proxy or origin)
        connection: HttpConnection | None = None
        try:
            if self._proxy is not None and (origin.is_tls or self._proxy.is_socks):
                await open_tunnel(server, self._proxy, origin.host, origin.port)
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


@lru_cache(maxsize=256)
def _request_start(method: str, url: str, proxy: Proxy | None) -> tuple[Origin, str]:
    """Where a request goes, and its head without what depends on the body."""
    parts = urlsplit(url)
    origin = Origin(parts.scheme == "https", parts.hostname or "", parts.port or _PORTS[parts.scheme])
    host = parts.netloc.rpartition("@")[2]
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    credentials = basic_authorization(unquote(parts.username or ""), unquote(parts.password or ""))
    lines = [f"Host: {host}\r\n", f"Authorization: {credentials}\r\n" if credentials else ""]
    if proxy is not None and not origin.is_tls and not proxy.is_socks:
        target = f"http://{host}{target}"
        lines.append(f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else "")
    return origin, f"{method} {target} HTTP/1.1\r\n{''.join(lines)}"
