"""The URLs that Telegram accepts in buttons and links. The host needs a dot, so localhost is refused."""

from __future__ import annotations

import ipaddress
import re

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_APP = re.compile(r"(?i)(tg|ton|tonsite):(?://)?")
_APP_HOST = re.compile(r"[A-Za-z0-9_-]+")
_HOST = re.compile(r"(?:[A-Za-z0-9._!$,~*'();&+=-]|%[0-9a-fA-F]{2}|[^\x00-\x7f])+")
_MAX_PORT = 65535


class InvalidUrl(Exception):
    """Telegram does not accept the URL. The message is the public server's."""


def normalize_url_or_empty(link: str) -> str:
    """Return the URL as Telegram stores it, or "" when it is invalid."""
    try:
        return normalize_url(link)
    except InvalidUrl:
        return ""


def normalize_url(link: str, *, https_only: bool = False) -> str:
    """Return the URL as Telegram stores it. Raises `InvalidUrl`."""
    app = _APP.match(link)
    if app:
        return _normalize_app_url(app.group(1).lower(), link[app.end() :], https_only=https_only)
    match = _SCHEME.match(link)
    scheme = match.group(1).lower() if match else "http"
    if scheme not in {"http", "https"}:
        raise InvalidUrl("Unsupported URL protocol")
    if https_only and scheme != "https":
        raise InvalidUrl("Only HTTPS links are allowed")
    authority, rest = _split(link[match.end() :] if match else link)
    user, at, host_port = authority.rpartition("@")
    host, port = _host_and_port(host_port)
    if "." not in host and not host.startswith("["):
        raise InvalidUrl("Wrong HTTP URL")
    return f"{scheme}://{user}{at}{host}{port}{rest}"


def _split(link: str) -> tuple[str, str]:
    match = re.search(r"[/?#]", link)
    authority, rest = (link[: match.start()], link[match.start() :].rstrip()) if match else (link, "")
    rest = rest if rest.startswith("/") else f"/{rest}"
    return authority.strip(), re.sub(r"[\x00-\x20]", lambda blank: f"%{ord(blank.group()):02X}", rest)


def _host_and_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":") if re.search(r":[^\]]*$", authority) else (authority, "", "")
    if colon and not (port.isdigit() and 0 < int(port) <= _MAX_PORT):
        raise InvalidUrl("Wrong port number specified in the URL")
    if not host:
        raise InvalidUrl("URL host is empty")
    if host.startswith("[") and host.endswith("]"):
        _check_ipv6(host[1:-1])
    elif not _HOST.fullmatch(host):
        raise InvalidUrl("Disallowed character in URL host")
    return host.lower(), f"{colon}{port}"


def _check_ipv6(host: str) -> None:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise InvalidUrl("Wrong IPv6 address specified in the URL") from None


def _normalize_app_url(scheme: str, rest: str, *, https_only: bool) -> str:
    if https_only:
        raise InvalidUrl("Only HTTPS links are allowed")
    authority, query = _split(rest)
    if not _APP_HOST.fullmatch(authority):
        raise InvalidUrl("Unallowed characters in URL host" if authority else "URL host is empty")
    return f"{scheme}://{authority}{query[1:] if query.startswith('/?') or query == '/' else query}"
