"""The proxy through which Telegram is reached, if any.

`TELEGRAM_PROXY` wins. Without it the usual variables count: `HTTPS_PROXY` or `HTTP_PROXY` by the scheme of the Bot
API's address, else `ALL_PROXY`; and `NO_PROXY`, which lists what is reached directly. As in Go, they never apply to
this machine itself, so that the playground and a Bot API server on the same machine work where they are set.
"""

from base64 import b64encode
from ipaddress import ip_address, ip_network
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from verification.providers.addresses import is_loopback
from verification.record import Record

_PORTS = {"http": 80, "socks5": 1080, "socks5h": 1080, "socks": 1080}
"""GNOME writes `socks://`; a name is resolved by the proxy in any case."""
_MAX_FIELD = 255
"""Bytes of a name or a password (RFC 1929)."""


class Proxy(Record):
    """An HTTP proxy, or one that speaks SOCKS 5; `username` is empty where the proxy asks for none."""

    hidden: ClassVar[frozenset[str]] = frozenset({"username", "password"})

    host: str
    port: int
    username: str = ""
    password: str = ""
    is_socks: bool = False

    @property
    def authorization(self) -> str:
        """The value of the header `Proxy-Authorization`."""
        return basic_authorization(self.username, self.password)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_proxy(url: str) -> Proxy:
    """Read `http://host:port` or `socks5://user:password@host:port`; raises `ValueError` that quotes nothing."""
    try:
        parts = urlsplit(url)
        default_port = _PORTS[parts.scheme]
        host, port = parts.hostname, parts.port or default_port
    except (KeyError, ValueError):
        host, port = None, 0
    if host is None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            "write http://host:port or socks5://host:port, with user:password@ before the host if the proxy wants it,"
            " and in a password / as %2F, ? as %3F, # as %23, @ as %40"
        )
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    is_socks = parts.scheme != "http"
    if is_socks and max(len(part.encode()) for part in (host, username, password)) > _MAX_FIELD:
        raise ValueError(f"host, name and password of a SOCKS proxy have at most {_MAX_FIELD} bytes each")
    return Proxy(host, port, username, password, is_socks)


def basic_authorization(username: str, password: str) -> str:
    """The value of an `Authorization` header for a name and a password (RFC 7617); empty without a name."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}" if username else ""


def is_bypassed(url: str, no_proxy: str) -> bool:
    """Whether an address is reached directly although a variable of the environment names a proxy.

    An entry of `NO_PROXY` names a host and all hosts of its domain, with or without `.` or `*.` before it; an address,
    or a network of addresses; each with a port if that alone is meant. `*` names everything.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return is_loopback(host) or any(_covers(entry.strip().lower(), host, port) for entry in no_proxy.split(","))


def _covers(entry: str, host: str, port: int) -> bool:
    name, colon, written = entry.rpartition(":")
    if colon and written.isdigit() and (":" not in name or name.endswith("]")):
        if int(written) != port:
            return False
        entry = name
    entry = entry.removeprefix("[").removesuffix("]")
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        domain = entry.removeprefix("*").lstrip(".")
        return entry == "*" or (bool(domain) and (host == domain or host.endswith(f".{domain}")))
