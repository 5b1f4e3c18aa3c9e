"""Which addresses another server may have: public ones by https, or this very machine for trying it out.

An address is judged by the tables here. Python has tables too, and they change from release to release.
"""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*written: str) -> tuple[_Network, ...]:
    return tuple(map(ipaddress.ip_network, written))


_HERE = _networks("127.0.0.0/8", "::1/128")
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
    "192.0.0.0/24",  # kept for protocols: some clouds serve their machines' secrets there
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # kept for protocols; Teredo's tunnels begin here
    "2001:db8::/32",
    "2002::/16",  # tunnels to whatever IPv4 address stands in it
    "3fff::/20",
)
"""What IANA keeps for special purposes, of unicast addresses; IPv6 has the rest of its own outside them."""


def is_loopback(host: str) -> bool:
    """Whether a host, as it is written, is this machine; in an IPv4 address's IPv6 form it is not written plainly."""
    ip = _read(host)
    return host == "localhost" if ip is None else _is_in(ip, _HERE)


def is_elsewhere(host: str) -> bool:
    """Whether another machine may find this host: it is an address that is not this machine's own to itself, or a name.

    A name without a dot is known to this machine or its network alone.
    """
    ip = _read(host)
    return "." in host if ip is None else not _is_in(_meant(ip), _HERE + _UNSPECIFIED)


def is_public(address: str) -> bool:
    """Whether an address is one of the open Internet: not ours, not our network's, not a cloud's inner service.

    >>> [is_public(each) for each in ("8.8.8.8", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "2130706433")]
    [True, False, False, False, False]
    """
    ip = _read(address)
    return ip is not None and _is_in(_meant(ip), _UNICAST) and not _is_in(_meant(ip), _SPECIAL)


def parse_base_url(url: str) -> SplitResult:
    """Read the address of a provider, or of whom results go to; raises `ValueError` with what is wanted."""
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
        raise ValueError("this address is not on the open Internet; only this machine itself may be named so")
    return parts


def is_ip_literal(host: str) -> bool:
    """Whether a host is written as an address, in whatever form, and so is asked of no resolver."""
    return ":" in host or host.replace(".", "").isdigit()


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _read(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_in(ip: _Address, networks: tuple[_Network, ...]) -> bool:
    return any(ip in network for network in networks)


def _meant(ip: _Address) -> _Address:
    """The IPv4 address for which an IPv6 one stands, mapped or translated; else the address itself."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _MAPPED or ip in _TRANSLATED else ip
