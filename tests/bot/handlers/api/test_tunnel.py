"""SOCKS 5: what is said to the proxy, and what its answers mean."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from telegram import Bot

from bot.handlers.api.http_pool import HttpPool, NotConnected, Timeouts
from bot.handlers.api.transport import BotApiRequest
from bot.proxies import parse_proxy
from tests.scripted_server import Reader, Writer, listening_at, own_certificate, scripted_server, socks_server
from tests.simulator_fixture import TOKEN, simulator

PATIENT = Timeouts(pool=5, connect=5, write=5, read=5)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOOPBACK = b"\x01\x7f\x00\x00\x01"


async def get(url: str, proxy: str) -> tuple[int, bytes]:
    with closing(HttpPool(connections=1, proxy=parse_proxy(proxy))) as pool:
        return await pool.request("GET", url, "", b"", PATIENT)


@pytest.mark.parametrize("user", ["", "me:p%40ss@"])
async def test_the_proxy_is_told_the_host_and_then_carries_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    tls, trusted = own_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with scripted_server(lambda _: OK, tls=tls) as server, socks_server(b"me:p@ss" if user else b"") as proxy:
        assert await get(server.url, proxy.url.replace("//", f"//{user}")) == (200, b"ok")

    assert proxy.hosts == [LOOPBACK]
    assert server.requests[0].startswith(b"GET / HTTP/1.1\r\n")


async def test_a_name_is_resolved_by_the_proxy() -> None:
    async with scripted_server(lambda _: OK) as server, socks_server() as proxy:
        port = server.url.rpartition(":")[2]
        assert await get(f"http://name.invalid:{port}", proxy.url) == (200, b"ok")

    assert proxy.hosts == [b"\x03name.invalid"]
    assert server.requests[0].startswith(b"GET / HTTP/1.1\r\nHost: name.invalid:")


@pytest.mark.parametrize("bound", [b"\x03\x04host\x00\x00", b"\x04" + b"\x00" * 18])
async def test_the_address_that_the_proxy_answers_with_may_be_of_any_kind(bound: bytes) -> None:
    async with scripted_server(lambda _: OK) as server, socks_server() as proxy:
        proxy.bound = bound
        assert await get(server.url, proxy.url) == (200, b"ok")


async def test_polls_sends_and_files_go_through_the_proxy() -> None:
    async with (
        simulator() as telegram,
        socks_server() as proxy,
        BotApiRequest(proxy=parse_proxy(proxy.url)) as calls,
        BotApiRequest(connections=1, proxy=parse_proxy(proxy.url)) as polls,
    ):
        bot = Bot(TOKEN, f"{telegram.url}/bot", f"{telegram.url}/file/bot", request=calls, get_updates_request=polls)
        await (await telegram.new_user()).says("/start")
        [update, *_] = await bot.get_updates()
        assert update.effective_chat is not None
        sent = await bot.send_document(update.effective_chat.id, b"content", filename="a.txt")
        assert sent.document is not None
        file = await bot.get_file(sent.document.file_id)

        assert bytes(await file.download_as_bytearray()) == b"content"

    assert proxy.hosts == [LOOPBACK] * 2


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A proxy that answers the greeting and then goes away; yields its address."""

    async def serve(reader: Reader, writer: Writer) -> None:
        await reader.read(1024)
        writer.write(answer)

    async with listening_at(serve) as url:
        yield url.replace("http://", "socks5://")


@pytest.mark.parametrize("answer", [b"", b"\x05", b"\x04\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_what_speaks_no_socks_is_named(answer: bytes) -> None:
    async with answering(answer) as url:
        with pytest.raises(NotConnected, match=r"^the proxy does not answer as a SOCKS 5 proxy does$"):
            await get("http://127.0.0.1:1", url)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (2, "its rules forbid it"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "timed out"),
        (9, "SOCKS reply 9"),
    ],
)
async def test_a_refusal_of_the_proxy_is_told_in_words(reply: int, reason: str) -> None:
    async with socks_server(reply=reply) as proxy:
        with pytest.raises(NotConnected, match=rf"^the proxy does not reach Telegram \({reason}\)$"):
            await get("http://127.0.0.1:1", proxy.url)


@pytest.mark.parametrize(
    ("user", "reason"), [("", "asks for a name and a password"), ("me:no@", "refuses the name or the password")]
)
async def test_a_proxy_that_wants_other_credentials_is_named(user: str, reason: str) -> None:
    async with socks_server(b"me:secret") as proxy:
        with pytest.raises(NotConnected, match=rf"^the proxy {reason}$"):
            await get("http://127.0.0.1:1", proxy.url.replace("//", f"//{user}"))


async def test_a_proxy_that_is_no_longer_trusted_by_tls_is_named(tmp_path: Path) -> None:
    tls: ssl.SSLContext = own_certificate(tmp_path)[0]
    async with scripted_server(lambda _: OK, tls=tls) as server, socks_server() as proxy:
        with pytest.raises(NotConnected, match=r"^the proxy fails: certificate not trusted$"):
            await get(server.url, proxy.url)
