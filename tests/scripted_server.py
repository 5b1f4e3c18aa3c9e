"""A server on loopback that writes exactly the bytes a test gives it, and two proxies; each keeps what it reads."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_CLOSED = (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass
class ScriptedServer:
    """Answers each request with `answer`; None closes the connection instead."""

    answer: Callable[[bytes], bytes | None]
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection; `closed` counts those whose client is gone."""
        self.connections += 1
        with suppress(*_CLOSED):
            while True:
                request = await read_request(reader)
                self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
        self.closed.release()


@dataclass
class ProxyServer:
    """A proxy for tunnels and for requests with a whole address; `answer` refuses all of them."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)
    answer: bytes | None = None

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection, over which one server is reached."""
        with suppress(*_CLOSED):
            request = await read_request(reader)
            head = request.partition(b"\r\n\r\n")[0]
            self.heads.append(head)
            if self.answer is not None:
                writer.write(self.answer)
                return
            is_tunnel = head.startswith(b"CONNECT ")
            where = re.match(rb"CONNECT ([^ ]+):(\d+) " if is_tunnel else rb"\w+ http://([^:/]+):(\d+)/", head)
            assert where is not None
            to_server = await asyncio.open_connection(where[1].decode(), int(where[2]))
            if is_tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                to_server[1].write(request)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_copy(reader, to_server[1]))
                tasks.create_task(_copy(to_server[0], writer))


@dataclass
class SocksServer:
    """A SOCKS 5 proxy; `reply` refuses all hosts, `credentials` are a name and a password that it wants."""

    credentials: bytes = b""
    reply: int = 0
    bound: bytes = b"\x01\x7f\x00\x00\x01\x00\x00"
    url: str = ""
    hosts: list[bytes] = field(default_factory=list)

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection."""
        with suppress(*_CLOSED):
            _, count = await reader.readexactly(2)
            methods, wanted = await reader.readexactly(count), 2 if self.credentials else 0
            writer.write(bytes([5, wanted if wanted in methods else 255]))
            if self.credentials:
                told = [await reader.readexactly((await reader.readexactly(skip))[-1]) for skip in (2, 1)]
                writer.write(bytes([1, b":".join(told) != self.credentials]))
            kind = (await reader.readexactly(4))[3]
            length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
            host = await reader.readexactly(length)
            self.hosts.append(bytes([kind]) + host)
            port = int.from_bytes(await reader.readexactly(2), "big")
            writer.write(bytes([5, self.reply, 0]) + self.bound)
            if not self.reply:
                to_server = await asyncio.open_connection("127.0.0.1", port)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_copy(reader, to_server[1]))
                    tasks.create_task(_copy(to_server[0], writer))


async def read_request(reader: Reader) -> bytes:
    """Read a request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def _copy(reader: Reader, writer: Writer) -> None:
    try:
        with suppress(*_CLOSED):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def scripted_server(
    answer: Callable[[bytes], bytes | None], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedServer]:
    """Serve until left, with TLS if a certificate is given."""
    server = ScriptedServer(answer)
    async with listening_at(server.serve, tls) as server.url:
        yield server


@asynccontextmanager
async def proxy_server() -> AsyncIterator[ProxyServer]:
    """Serve a proxy until left."""
    proxy = ProxyServer()
    async with listening_at(proxy.serve) as proxy.url:
        yield proxy


@asynccontextmanager
async def socks_server(credentials: bytes = b"", reply: int = 0) -> AsyncIterator[SocksServer]:
    """Serve a SOCKS proxy until left."""
    proxy = SocksServer(credentials, reply)
    async with listening_at(proxy.serve) as url:
        proxy.url = url.replace("http://", "socks5://")
        yield proxy


@asynccontextmanager
async def listening_at(
    serve: Callable[[Reader, Writer], Coroutine[Any, Any, None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve each connection by a coroutine until left; gives the address."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort() if tls else writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for task in tuple(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tuple(tasks))


def own_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS with a certificate for 127.0.0.1, and the file that makes a client trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "certificate.pem", folder / "key.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted
