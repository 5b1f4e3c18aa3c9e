"""Which addresses another server may have: public ones by https, or this very machine for trying it out."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
# Kept for protocols: some clouds serve their machines' secrets there, and Python counts only a part of it as private.
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")


def is_loopback(host: str) -> bool:
    """Whether a host, as it is written, is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_public(address: str) -> bool:
    """Whether an address is one of the open Internet: not ours, not our network's, not a cloud's inner service.

    >>> [is_public(each) for each in ("8.8.8.8", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "2130706433")]
    [True, False, False, False, False]
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast and ip not in _PROTOCOLS
    inner = _embedded_ipv4(ip)
    return is_public(str(inner)) if inner is not None else ip.is_global and ip in _UNICAST


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


def _embedded_ipv4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that some IPv6 addresses stand for."""
    if ip in _TRANSLATED:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
