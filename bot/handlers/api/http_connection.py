"""One HTTP/1.1 connection: writes a request, and reads its response with llhttp, the parser of Node.js.

One exchange runs at a time. A connection is used again only when its response was complete, the server keeps it open,
and nothing followed the response. In every other case, also when the caller is cancelled, it is closed.
"""

import asyncio
from typing import cast

import httptools

from bot.connection_failures import describe_failure
from verification.errors import describe_error

MAX_BODY = 64 * 1024 * 1024
"""Bytes; the Bot API serves files of up to 20 MB, and its other responses are much smaller."""
_OK = 200

Response = tuple[int, bytes]
"""The status and the body."""


class ConnectionLost(Exception):
    """The response is missing or incomplete; the request may have been handled."""


class HttpConnection(asyncio.Protocol):
    """A connection on which one request after the other is made.

    asyncio calls `connection_made` to `resume_writing`, httptools the methods from `on_message_begin` on.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._response: asyncio.Future[Response] | None = None
        self._written: asyncio.Future[None] | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._has_length = False
        self._has_headers = False
        self.idle_since = 0.0
        self.date = b""

    @property
    def is_open(self) -> bool:
        """Whether a request can be written."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """Close at once, without waiting for what is still to be written."""
        if self._transport is not None:
            self._transport.abort()

    async def exchange(self, request: bytes, *, write_timeout: float, read_timeout: float) -> Response:
        """Make a request and return its response; raises `ConnectionLost`, or `TimeoutError` after these seconds."""
        if self._transport is None:
            raise ConnectionLost("not connected")
        response: asyncio.Future[Response] = self._loop.create_future()
        self._response = response
        answer: Response | None = None
        try:
            self._transport.write(request)
            if self._written is not None:
                await asyncio.wait_for(self._written, write_timeout)
            timer = self._loop.call_later(read_timeout, _expire, response)
            try:
                answer = await response
            finally:
                timer.cancel()
        finally:
            self._response = None
            if answer is None:
                # Also when the caller is cancelled: the rest of this response must not answer the next request.
                self.close()
        self.idle_since = self._loop.time()
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read a part of the response; what nobody asked for closes the connection."""
        if self._response is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(describe_error(error))

    def eof_received(self) -> None:
        """Take the end of the stream as the end of a body without a length; the transport closes itself."""
        if self._has_headers and not self._has_length:
            self.on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the exchange that was under way."""
        self.eof_received()
        self._fail(describe_failure(exc) if exc is not None else "the server closed the connection")

    def pause_writing(self) -> None:
        """Make the exchange wait until the transport has room."""
        self._written = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let the exchange go on."""
        if self._written is not None and not self._written.done():
            self._written.set_result(None)
        self._written = None

    def on_message_begin(self) -> None:
        """Start a response; a second one closes the connection."""
        self._body, self._size = [], 0
        self._has_length = self._has_headers = False
        if self._response is None or self._response.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note whether the length of the body is known, and the server's time."""
        name = name.lower()
        self._has_length |= name in (b"content-length", b"transfer-encoding")
        if name == b"date":
            self.date = value

    def on_headers_complete(self) -> None:
        """Note that the head is complete."""
        self._has_headers = True

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._size += len(body)
        if self._size > MAX_BODY:
            self._fail("the response is too large")
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand over the response; one below 200 only announces another."""
        self._has_headers = False
        status = self._parser.get_status_code()
        if status < _OK:
            return
        if not self._parser.should_keep_alive():
            self.close()
        if self._response is not None and not self._response.done():
            self._response.set_result((status, b"".join(self._body)))
        self.resume_writing()

    def _fail(self, reason: str) -> None:
        self.close()
        if self._response is not None and not self._response.done():
            self._response.set_exception(ConnectionLost(reason))
        self.resume_writing()


def _expire(response: "asyncio.Future[Response]") -> None:
    if not response.done():
        response.set_exception(TimeoutError())
