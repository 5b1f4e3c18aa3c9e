"""Requests that are too large, too slow or too many are ended, and cost nobody else an answer."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web.connection_limits import ConnectionLimits
from web.serving import listen, serving

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def measure(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


class Server:
    """A server with these limits, and connections to it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self, *parts: bytes) -> asyncio.StreamReader:
        """Open a connection and send these parts of a request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(writer)
        for part in parts:
            writer.write(part)
            await writer.drain()
        return reader

    async def send(self, part: bytes) -> None:
        """Send more on the latest connection."""
        self._writers[-1].write(part)
        await self._writers[-1].drain()

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def limited(**limits: float) -> AsyncIterator[Server]:
    listener = listen("127.0.0.1", 0)
    server = Server(listener.getsockname()[1])
    app = Starlette(routes=[Route("/", measure, methods=["GET", "POST"])])
    async with serving(app, listener, limits=ConnectionLimits(**limits)), asyncio.timeout(10):  # type: ignore[arg-type]
        try:
            yield server
        finally:
            await server.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """What the server says before it closes the connection, or at most one answer."""
    try:
        return await reader.read(4096)
    except ConnectionResetError:
        return b""


async def test_a_request_within_the_limits_is_answered() -> None:
    async with limited(head_size=1000, message_size=5000) as server:
        reader = await server.connect(HEAD, b"Content-Length: 2000\r\n\r\n", b"x" * 2000)

        assert (await answer(reader)).endswith(b"\r\n\r\n2000")


@pytest.mark.parametrize(
    "head", [HEAD + b"X-Header: ", HEAD + b"a: b\r\n" * 200, b"GET /"], ids=["a header", "many headers", "an address"]
)
async def test_a_head_that_does_not_end_is_refused_at_its_limit(head: bytes) -> None:
    async with limited(head_size=1500) as server:
        reader = await server.connect(head, b"a" * 1500)

        assert (await answer(reader)).startswith(b"HTTP/1.1 431 ")


async def test_a_message_that_does_not_end_is_ended_at_its_limit() -> None:
    async with limited(message_size=10_000) as server:
        reader = await server.connect(HEAD, b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: ")
        await server.send(b"t" * 10_000)

        assert await answer(reader) == b""


@pytest.mark.parametrize(
    "parts",
    [(), (b"\r\n",), (HEAD,), (HEAD, b"Content-Length: 10\r\n\r\n", b"half")],
    ids=["nothing", "an empty line", "half a head", "half a body"],
)
async def test_a_request_that_does_not_arrive_is_ended(parts: tuple[bytes, ...]) -> None:
    async with limited(head_seconds=0.05, message_seconds=0.1) as server:
        assert await answer(await server.connect(*parts)) == b""


async def test_a_second_request_that_does_not_arrive_is_ended() -> None:
    async with limited(head_seconds=0.3) as server:
        reader = await server.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answer(reader)).endswith(b"\r\n\r\n0")
        await server.send(b"\r\n")

        assert await answer(reader) == b""


async def test_requests_that_do_not_arrive_make_room_for_those_that_do() -> None:
    async with limited(connections=5) as server:
        waiting = [await server.connect(HEAD) for _ in range(20)]
        reader = await server.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

        assert (await answer(reader)).endswith(b"\r\n\r\n0")
        assert [await answer(each) for each in waiting[:15]] == [b""] * 15


@pytest.mark.skipif(sys.platform == "win32", reason="its sockets are no files")
@pytest.mark.parametrize(("soft", "hard", "connections"), [(300, 4000, 1000), (256, 800, 500), (200, 200, 100)])
def test_there_are_as_many_connections_as_the_system_has_files_for(soft: int, hard: int, connections: int) -> None:
    program = "from web.connection_limits import ConnectionLimits; print(ConnectionLimits().fitting().connections)"
    limited = f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$0" -c "$1"'
    done = subprocess.run(
        ["/bin/sh", "-c", limited, sys.executable, program], capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == [str(connections)], done.stderr


async def test_where_every_request_has_arrived_a_further_connection_is_refused() -> None:
    async with limited(connections=2, head_seconds=100) as server:
        readers = [await server.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(2)]
        answers = [await answer(reader) for reader in readers]
        refused = await server.connect()

        assert [each[-1:] for each in answers] == [b"0", b"0"]
        assert await answer(refused) == b""
