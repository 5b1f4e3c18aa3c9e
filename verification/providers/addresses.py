"""Rules for the addresses of other servers: public ones by https, or this machine for local trials.

The tables here decide. Python has such tables too, but they change from release to release.
"""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

_PHONE_URL = re.compile(r"[!-\[\]-~]{1,2048}")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[_Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_UNSPECIFIED = _networks("0.0.0.0/32", "::/128")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = _networks("0.0.0.0/0", "2000::/3")
_SPECIAL = _networks(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",  # reserved for protocols: some clouds serve machine credentials there
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # reserved for protocols, Teredo tunnels among them
    "2001:db8::/32",
    "2002::/16",  # tunnels to the embedded IPv4 address
    "3fff::/20",
)
"""IANA's special-purpose networks among the unicast addresses; the other special IPv6 networks are outside of them."""


def is_loopback(host: str) -> bool:
    """Whether a host, as written, is this machine; the IPv6 form of an IPv4 address does not count."""
    ip = _parse(host)
    return host == "localhost" if ip is None else _is_in(ip, _LOOPBACK)


def is_elsewhere(host: str) -> bool:
    """Whether another machine may reach this host.

    That is an address that is neither loopback nor unspecified, or a name with a dot; only this machine or its network
    knows a name without a dot.
    """
    ip = _parse(host)
    return "." in host if ip is None else not _is_in(_effective(ip), _LOOPBACK + _UNSPECIFIED)


def is_public(address: str) -> bool:
    """Whether an address is on the open Internet: not this machine, a private network or a cloud's metadata service.

    >>> [is_public(each) for each in ("8.8.8.8", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "2130706433")]
    [True, False, False, False, False]
    """
    ip = _parse(address)
    return ip is not None and _is_in(_effective(ip), _UNICAST) and not _is_in(_effective(ip), _SPECIAL)


def parse_base_url(url: str) -> SplitResult:
    """Parse the base address of a provider or of a result receiver; raises `ValueError` that says what is expected."""
    if re.search(r"[\s\\]", url):
        raise ValueError("write an address without spaces and backslashes")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not _has_good_port(parts):
        raise ValueError("write a port from 1 to 65535, or none")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("write an address without user, query and fragment")
    if is_loopback(host) and parts.scheme in ("http", "https"):
        return parts
    if parts.scheme != "https" or not host:
        raise ValueError("write an https:// address; http:// is for this machine only")
    if is_ip_literal(host) and not is_public(host):
        raise ValueError("this address is not on the open Internet; the only other address allowed is this machine")
    return parts


def allowed_phone_url(url: object, origins: Collection[str]) -> str | None:
    """The address if a phone may go there: its scheme and host are among the origins, and it adds no user or port."""
    if not isinstance(url, str) or not _PHONE_URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if f"{parts.scheme}://{parts.netloc.lower()}" in origins else None


def is_ip_literal(host: str) -> bool:
    """Whether a host is written as an IP address, in any form, so that no resolver is asked."""
    return ":" in host or host.replace(".", "").isdigit()


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _parse(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_in(ip: _Address, networks: tuple[_Network, ...]) -> bool:
    return any(ip in network for network in networks)


def _effective(ip: _Address) -> _Address:
    """The IPv4 address of a mapped or translated IPv6 address; other addresses unchanged."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _MAPPED or ip in _TRANSLATED else ip
