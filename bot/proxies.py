"""The HTTP proxy through which Telegram is reached, if any.

`TELEGRAM_PROXY` wins. Without it the usual variables count: `HTTPS_PROXY` or `HTTP_PROXY` by the scheme of the Bot
API's address, and `NO_PROXY`, which lists what is reached directly. As in Go, they never apply to this machine itself,
so that the playground and a Bot API server on the same machine work where they are set.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from verification.providers.addresses import is_loopback


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `authorization` is the value of a header, empty without a name and a password."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_proxy(url: str) -> Proxy:
    """Read `http://host:port` or `http://user:password@host:port`; raises `ValueError`, which quotes nothing of it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host, port = None, 0
    if host is None or parts.scheme != "http" or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            "write http://host:port or http://user:password@host:port,"
            " and in a password / as %2F, ? as %3F, # as %23, @ as %40"
        )
    return Proxy(host, port, basic_authorization(parts))


def basic_authorization(parts: SplitResult) -> str:
    """The value of an `Authorization` header for the name and password in an address (RFC 7617); empty without."""
    if parts.username is None:
        return ""
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(credentials.encode()).decode()}"


def is_bypassed(url: str, no_proxy: str) -> bool:
    """Whether an address is reached directly although a variable of the environment names a proxy.

    An entry of `NO_PROXY` names a host, and all hosts of a domain with or without a dot before it; `*` names every one.
    """
    host = (urlsplit(url).hostname or "").lower()
    entries = [entry.strip().lower().lstrip(".") for entry in no_proxy.split(",")]
    return is_loopback(host) or any(entry and (entry in ("*", host) or host.endswith(f".{entry}")) for entry in entries)
