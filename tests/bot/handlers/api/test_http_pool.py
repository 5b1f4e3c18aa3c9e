"""The HTTP client on the wire: what it sends, what it reads, when a connection is used again, and when it is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bot.handlers.api.http_connection import ConnectionLost
from bot.handlers.api.http_pool import HttpPool, NotConnected, Timeouts
from bot.proxies import parse_proxy
from tests.scripted_server import ScriptedServer, listening_at, own_certificate, proxy_server, scripted_server

PATIENT = Timeouts(pool=20, connect=20, write=20, read=20)
HASTY = Timeouts(pool=0.05, connect=20, write=20, read=0.05)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def get(pool: HttpPool, server: ScriptedServer, timeouts: Timeouts = PATIENT) -> tuple[int, bytes]:
    async with asyncio.timeout(30):
        return await pool.request("GET", f"{server.url}/file", "", b"", timeouts)


async def first_response(answer: bytes | None) -> tuple[int, bytes]:
    async with scripted_server(lambda _: answer) as server:
        with closing(HttpPool(connections=1)) as pool:
            return await get(pool, server)


async def connections_for_two_requests(answer: bytes) -> int:
    async with scripted_server(lambda _: answer) as server:
        with closing(HttpPool(connections=1)) as pool:
            await get(pool, server)
            await get(pool, server)
        return server.connections


async def test_a_request_says_where_it_goes_and_how_long_it_is() -> None:
    async with scripted_server(lambda _: OK) as server:
        with closing(HttpPool(connections=1)) as pool:
            await pool.request("POST", f"{server.url}/bot1:x/getMe?a=b", "application/json", b"{}", PATIENT)

    host = server.url.removeprefix("http://").encode()
    assert server.requests == [
        b"POST /bot1:x/getMe?a=b HTTP/1.1\r\nHost: " + host + b"\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    ]


async def test_a_name_and_a_password_in_the_address_become_a_header() -> None:
    async with scripted_server(lambda _: OK) as server:
        with closing(HttpPool(connections=1)) as pool:
            url = server.url.replace("//", "//user:p%40ss@")
            await pool.request("GET", url, "", b"", PATIENT)

    assert server.requests[0].startswith(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Basic dXNlcjpwQHNz\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n", b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nTrailer: 1\r\n\r\n", b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_a_response_with_a_length_is_read_and_its_connection_used_again(answer: bytes, body: bytes) -> None:
    assert (await first_response(answer))[1] == body
    assert await connections_for_two_requests(answer) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain",
        OK + b"H",
    ],
)
async def test_a_connection_that_cannot_be_trusted_to_go_on_is_closed(answer: bytes) -> None:
    assert await first_response(answer) == (200, b"ok")
    assert await connections_for_two_requests(answer) == 2


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nok")
        writer.close()

    async with listening_at(serve) as url:
        with closing(HttpPool(connections=1)) as pool:
            assert await pool.request("GET", url, "", b"", PATIENT) == (200, b"ok")


@asynccontextmanager
async def cutting_server(answer: bytes) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with listening_at(serve) as url:
        yield url


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ],
)
async def test_a_response_that_is_cut_or_makes_no_sense_is_lost_and_never_repeated(answer: bytes) -> None:
    async with cutting_server(answer) as url:
        with closing(HttpPool(connections=1)) as pool, pytest.raises(ConnectionLost):
            await pool.request("GET", url, "", b"", PATIENT)


async def test_a_connection_that_the_server_closed_while_idle_is_replaced() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.write_eof()
        assert await reader.read() == b""
        gone.set()

    async with listening_at(serve) as url:
        with closing(HttpPool(connections=1)) as pool:
            for _ in range(3):
                assert await pool.request("GET", url, "", b"", PATIENT) == (200, b"ok")
                await gone.wait()
                gone.clear()


async def test_a_request_that_the_server_read_and_did_not_answer_is_made_once() -> None:
    async with scripted_server(lambda request: None if b"second" in request else OK) as server:
        with closing(HttpPool(connections=1)) as pool:
            await get(pool, server)
            with pytest.raises(ConnectionLost):
                await pool.request("POST", server.url, "text/plain", b"second", PATIENT)

    assert len(server.requests) == 2


async def test_a_cancelled_request_closes_its_connection_and_frees_its_slot() -> None:
    arrived = asyncio.Event()

    def answer(request: bytes) -> bytes:
        if b"slow" in request:
            arrived.set()
            return b""
        return OK

    async with scripted_server(answer) as server:
        with closing(HttpPool(connections=1)) as pool:
            async with asyncio.TaskGroup() as tasks:
                slow = tasks.create_task(pool.request("POST", server.url, "text/plain", b"slow", PATIENT))
                await arrived.wait()
                slow.cancel()
            async with asyncio.timeout(20):
                await server.closed.acquire()

            assert await get(pool, server) == (200, b"ok")


async def test_the_response_has_its_own_time_limit() -> None:
    async with scripted_server(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n") as server:
        with closing(HttpPool(connections=1)) as pool:
            with pytest.raises(TimeoutError):
                await get(pool, server, HASTY)
            async with asyncio.timeout(20):
                await server.closed.acquire()


async def test_writing_has_its_own_time_limit() -> None:
    stop = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a reading transport has it
        await stop.wait()
        writer.close()

    async with listening_at(serve) as url:
        with closing(HttpPool(connections=1)) as pool, pytest.raises(TimeoutError):
            async with asyncio.timeout(5) as patience:
                await pool.request("POST", url, "text/plain", bytes(32 * 1024 * 1024), Timeouts(20, 20, 0.05, 20))
        stop.set()

    assert not patience.expired()


async def test_a_large_request_is_written_as_the_server_reads_it() -> None:
    async with scripted_server(
        lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%8d" % len(request)
    ) as server:
        with closing(HttpPool(connections=1)) as pool:
            body = bytes(8 * 1024 * 1024)
            _, length = await pool.request("POST", server.url, "text/plain", body, PATIENT)

    assert int(length) > len(body)


async def test_nothing_is_sent_when_no_connection_becomes_free() -> None:
    arrived, finish = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await finish.wait()
        writer.write(OK)

    async with listening_at(serve) as url:
        with closing(HttpPool(connections=1)) as pool:
            async with asyncio.TaskGroup() as tasks:
                first = tasks.create_task(pool.request("GET", url, "", b"", PATIENT))
                await arrived.wait()
                with pytest.raises(NotConnected):
                    await pool.request("GET", url, "", b"", HASTY)
                finish.set()

            assert first.result() == (200, b"ok")


async def test_no_more_connections_are_open_than_the_pool_allows() -> None:
    async with scripted_server(lambda _: OK) as server:
        with closing(HttpPool(connections=3)) as pool:
            responses = await asyncio.gather(*(get(pool, server) for _ in range(30)))

    assert responses == [(200, b"ok")] * 30
    assert server.connections <= 3


async def test_a_pool_that_is_closed_keeps_no_connection() -> None:
    arrived, finish = asyncio.Event(), asyncio.Event()
    ends: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await finish.wait()
        writer.write(OK)
        ends.append(await reader.read())

    async with listening_at(serve) as url:
        pool = HttpPool(connections=1)
        async with asyncio.TaskGroup() as tasks:
            request = tasks.create_task(pool.request("GET", url, "", b"", PATIENT))
            await arrived.wait()
            pool.close()
            finish.set()
    assert request.result() == (200, b"ok")
    assert ends in ([], [b""])


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://name.invalid", "http://.:80"])
async def test_an_address_that_leads_nowhere_is_not_connected(url: str) -> None:
    with closing(HttpPool(connections=1)) as pool, pytest.raises(NotConnected):
        await pool.request("GET", url, "", b"", PATIENT)


async def test_a_response_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.handlers.api.http_connection.MAX_BODY", 1)

    with pytest.raises(ConnectionLost, match="too large"):
        await first_response(OK)


async def test_a_certificate_that_is_not_trusted_is_not_connected(tmp_path: Path) -> None:
    tls, _ = own_certificate(tmp_path)
    async with scripted_server(lambda _: OK, tls=tls) as server:
        with closing(HttpPool(connections=1)) as pool, pytest.raises(NotConnected, match="certificate not trusted"):
            await get(pool, server)

    assert server.requests == []


async def test_a_trusted_server_is_reached_by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls, trusted = own_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with scripted_server(lambda _: OK, tls=tls) as server:
        with closing(HttpPool(connections=1)) as pool:
            assert [await get(pool, server) for _ in range(3)] == [(200, b"ok")] * 3

    assert server.connections == 1


async def test_a_proxy_opens_a_tunnel_for_https_and_sees_nothing_of_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, trusted = own_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with scripted_server(lambda _: OK, tls=tls) as server, proxy_server() as proxy:
        with closing(HttpPool(connections=1, proxy=parse_proxy(proxy.url.replace("//", "//me:secret@")))) as pool:
            assert [await get(pool, server) for _ in range(2)] == [(200, b"ok")] * 2

    authority = server.url.removeprefix("https://").encode()
    expected = b"CONNECT " + authority + b" HTTP/1.1\r\nHost: " + authority
    assert proxy.heads == [expected + b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0"]
    assert b"Proxy-Authorization" not in server.requests[0]
    assert server.requests[0].startswith(b"GET /file HTTP/1.1\r\n")


async def test_a_proxy_is_asked_for_the_whole_address_for_http() -> None:
    async with scripted_server(lambda _: OK) as server, proxy_server() as proxy:
        with closing(HttpPool(connections=1, proxy=parse_proxy(proxy.url))) as pool:
            assert await get(pool, server) == (200, b"ok")

    assert proxy.heads[0].startswith(f"GET {server.url}/file HTTP/1.1\r\nHost: 127.0.0.1:".encode())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nmore",
        b"220 mail.example.org ESMTP\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 20_000,
        b"",
    ],
)
async def test_a_proxy_that_opens_no_tunnel_means_that_nothing_was_sent(answer: bytes) -> None:
    async with proxy_server() as proxy:
        proxy.answer = answer
        with closing(HttpPool(connections=1, proxy=parse_proxy(proxy.url))) as pool, pytest.raises(NotConnected):
            await pool.request("GET", "https://127.0.0.1:9/secret", "", b"", PATIENT)

    assert len(proxy.heads) == 1
    assert b"secret" not in proxy.heads[0]
