"""A small HTTP/1.1 server on asyncio's protocols, because the load must cost less than any bot that it measures.

It answers the requests of a connection in order, keeps connections open, and knows just enough of the three forms that
clients of the Bot API use for their parameters.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httptools

Parameters = Mapping[str, Any]
_DISPOSITION = re.compile(rb'name="([^"]*)"(; ?filename)?')
_HEAD = b"HTTP/1.1 %d \r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@dataclass(slots=True)
class Request:
    """One request, and the connection that waits for its answer."""

    connection: "Connection"
    url: bytes = b""
    content_type: bytes = b""
    body: list[bytes] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self.url.partition(b"?")[0].decode("ascii")

    def parameters(self) -> Parameters:
        """The parameters of the query and the body; those of a file are its bytes."""
        query = urlsplit(self.url).query.decode("ascii")
        return {**dict(parse_qsl(query)), **read_parameters(self.content_type, b"".join(self.body))}

    def reply(self, status: int, body: bytes) -> None:
        """Answer, unless the client has gone."""
        self.connection.write(_HEAD % (status, len(body)) + body)


class Connection(asyncio.Protocol):
    """The server's side of a connection."""

    def __init__(self, handle: Callable[[Request], None]) -> None:
        self._handle = handle
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._request = Request(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, _: Exception | None) -> None:
        """Forget what answers were written to."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        self._parser.feed_data(data)

    def write(self, data: bytes) -> None:
        """Write an answer, unless the client has gone."""
        if self._transport is not None:
            self._transport.write(data)

    def on_message_begin(self) -> None:
        """Start a request."""
        self._request = Request(self)

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if name.lower() == b"content-type":
            self._request.content_type = value

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._request.body.append(body)

    def on_message_complete(self) -> None:
        """Handle the whole request."""
        self._handle(self._request)


def read_parameters(content_type: bytes, body: bytes) -> Parameters:
    """Read parameters from a body: JSON, a form, or a form with files."""
    if not body:
        return {}
    if content_type.startswith(b"application/json"):
        parameters: Parameters = json.loads(body)
        return parameters
    if content_type.startswith(b"multipart/form-data"):
        return dict(_read_part(part) for part in body.split(_delimiter(content_type))[1:-1])
    return dict(parse_qsl(body.decode()))


def _delimiter(content_type: bytes) -> bytes:
    return b"--" + content_type.partition(b"boundary=")[2].strip(b'"')


def _read_part(part: bytes) -> tuple[str, str | bytes]:
    head, _, content = part.partition(b"\r\n\r\n")
    name, filename = _DISPOSITION.findall(head)[0]
    content = content.removesuffix(b"\r\n")
    return name.decode(), content if filename else content.decode()
