"""The limits of connections: how many there are, how large a request may be, and how long it may take to arrive.

uvicorn limits neither the size of a head nor the time in which a request arrives. So one unfinished header could take
all memory, and requests that never end all files. When all connections are in use, the one whose request has been
incomplete for the longest time makes room: a request that has arrived is answered, whatever else comes in.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from msgspec.structs import replace
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from verification.record import Record

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_OTHER_FILES = 300
"""For Telegram, providers, the database and the log."""
_FEWEST = 100
"""Connections, where the system allows hardly any files."""


class ConnectionLimits(Record, kw_only=True):
    """Sizes in bytes, times in seconds."""

    connections: int = 1000
    head_size: int = 32 * 1024
    message_size: int = 4 * 1024 * 1024
    head_seconds: float = 10
    message_seconds: float = 30

    def fitting(self) -> ConnectionLimits:
        """Return these limits, with no more connections than the system lets this process have files."""
        files = _allowed_files(self.connections + _OTHER_FILES)
        return replace(self, connections=min(self.connections, max(files - _OTHER_FILES, _FEWEST)))


def _allowed_files(wanted: int) -> int:
    """Return how many files the process may open, at most as many as wanted; its own limit is raised if need be."""
    if sys.platform == "win32":
        return wanted  # its sockets are no files
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


class LimitedProtocol(HttpToolsProtocol):
    """One connection within its limits."""

    def __init__(self, *args: Any, limits: ConnectionLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._size = 0
        self._in_head = True
        self.arrived = False
        self.since = self.loop.time()
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own is
        """Take a connection, and close another one where there are too many."""
        others = [other for other in self.connections if isinstance(other, LimitedProtocol)]
        super().connection_made(transport)
        self._expect_message()
        if len(others) >= self._limits.connections:
            unfinished = [other for other in others if not other.arrived]
            min(unfinished, key=lambda other: other.since, default=self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._set_deadline(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        if self.arrived:
            self._expect_message()
        super().data_received(data)
        if self.arrived or self.transport.is_closing():
            return
        self._size += len(data)
        if self._in_head and self._size > self._limits.head_size:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._size > self._limits.message_size:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """Begin the request, and give its body more time."""
        self._in_head = False
        self._set_deadline(self._limits.message_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the time limit away: the rest is our own work."""
        self.arrived = True
        self._set_deadline(None)
        super().on_message_complete()

    def _expect_message(self) -> None:
        self._size, self._in_head, self.arrived, self.since = 0, True, False, self.loop.time()
        self._set_deadline(self._limits.head_seconds)

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)
