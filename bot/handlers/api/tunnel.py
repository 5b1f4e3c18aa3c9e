"""Opens a tunnel through a proxy: by HTTP's CONNECT, or by SOCKS 5.

Names are resolved by the proxy: where Telegram is blocked, the answers of the local DNS are often wrong. Nothing behind
the proxy's answer is read, because it belongs to the connection in the tunnel.
"""

import asyncio
import re
import socket
from collections.abc import Mapping
from ipaddress import ip_address

from bot.proxies import Proxy

_MAX_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_NEEDS_CREDENTIALS = b"407"
_VERSION, _NO_CREDENTIALS, _PASSWORD, _CONNECT = 5, 0, 2, 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_LENGTHS = {_IPV4: 4, _IPV6: 16}
_REPLIES: Mapping[int, str] = {
    2: "its rules forbid it",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "timed out",
}


class TunnelRefused(Exception):
    """The proxy opens no tunnel; the message says why, and quotes nothing of its answer."""


async def open_tunnel(server: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Make a connection to a proxy one to a host; raises `TunnelRefused` or `OSError`."""
    if proxy.is_socks:
        await _open_socks(server, proxy, host, port)
    else:
        await _open_http(server, proxy, host, port)


def credentials_problem(proxy: Proxy) -> str:
    """What a proxy that wants a name and a password means, given what we told it."""
    return "refuses the name or the password" if proxy.username else "asks for a name and a password"


async def _open_http(server: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Send CONNECT (RFC 9110, section 9.3.6)."""
    loop = asyncio.get_running_loop()
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    authorization = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{authorization}\r\n"
    await loop.sock_sendall(server, request.encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = await loop.sock_recv(server, _MAX_HEAD - len(head))
        head += received
        if not received:
            break
    status = _STATUS.match(head)
    if status is not None and status[1] == _NEEDS_CREDENTIALS:
        raise TunnelRefused(credentials_problem(proxy))
    if status is not None and not status[1].startswith(b"2"):
        raise TunnelRefused(f"does not reach Telegram (status {status[1].decode()})")
    if status is None or not head.endswith(b"\r\n\r\n"):
        raise TunnelRefused("does not answer as an HTTP proxy does")


async def _open_socks(server: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Greet, say who we are if asked, and name the host (RFC 1928, RFC 1929)."""
    methods = bytes([_NO_CREDENTIALS, _PASSWORD] if proxy.username else [_NO_CREDENTIALS])
    version, method = await _exchange(server, bytes([_VERSION, len(methods)]) + methods, 2)
    if version != _VERSION:
        raise TunnelRefused("does not answer as a SOCKS 5 proxy does")
    if method not in methods:
        raise TunnelRefused(credentials_problem(proxy))
    if method == _PASSWORD:
        _, refusal = await _exchange(server, b"\x01" + _field(proxy.username) + _field(proxy.password), 2)
        if refusal:
            raise TunnelRefused(credentials_problem(proxy))
    request = bytes([_VERSION, _CONNECT, 0]) + _address(host) + port.to_bytes(2, "big")
    _, reply, _, kind = await _exchange(server, request, 4)
    if reply:
        raise TunnelRefused(f"does not reach Telegram ({_REPLIES.get(reply, f'SOCKS reply {reply}')})")
    length = _ADDRESS_LENGTHS[kind] if kind in _ADDRESS_LENGTHS else (await _read(server, 1))[0]
    await _read(server, length + 2)


def _field(text: str) -> bytes:
    return bytes([len(text.encode())]) + text.encode()


def _address(host: str) -> bytes:
    try:
        ip = ip_address(host)
    except ValueError:
        return bytes([_NAME]) + _field(host)
    return bytes([_IPV4 if ip.version == 4 else _IPV6]) + ip.packed


async def _exchange(server: socket.socket, request: bytes, length: int) -> bytes:
    await asyncio.get_running_loop().sock_sendall(server, request)
    return await _read(server, length)


async def _read(server: socket.socket, length: int) -> bytes:
    answer = b""
    while len(answer) < length:
        received = await asyncio.get_running_loop().sock_recv(server, length - len(answer))
        if not received:
            raise TunnelRefused("does not answer as a SOCKS 5 proxy does")
        answer += received
    return answer
