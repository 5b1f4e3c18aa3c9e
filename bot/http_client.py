"""Calls to a server of somebody else's: where they may go, how long they may take, how much they may answer.

Names are resolved here and every address is judged before anything connects to it, so neither a setting nor a name
server can lead a call into our own network. No redirect is followed, no cookie kept, no proxy of the environment used.
"""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from verification.errors import ProviderUnavailable
from verification.providers.addresses import is_loopback, is_public, looks_numeric
from verification.providers.http import Unanswered

LIMIT = 64 * 1024
PATIENCE = aiohttp.ClientTimeout(total=10, sock_connect=3, sock_read=5)
_CONNECTIONS = 20


class Outbound:
    """Calls to the open Internet, or, for trying out, to this machine alone."""

    def __init__(self, session: aiohttp.ClientSession, *, here: bool) -> None:
        self._session = session
        self._here = here

    async def __call__(self, verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Make one call; see `verification.providers.http.Call`."""
        address = URL(url)
        host = address.raw_host or ""
        if address.scheme != "https" and not self._here:
            raise ProviderUnavailable("an address without https")
        if looks_numeric(host) and not _may_go(host, here=self._here):
            raise ProviderUnavailable("an address where no call may go")
        try:
            async with self._session.request(
                verb, address, headers=headers, data=body or None, allow_redirects=False
            ) as answer:
                return answer.status, await _within(answer.content)
        except TimeoutError:
            raise Unanswered("no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            # Its kind only: its words would hold the address.
            raise Unanswered(type(error).__name__) from None


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses one with any address where no call may go."""

    def __init__(self, resolver: AbstractResolver, *, here: bool) -> None:
        self._resolver = resolver
        self._here = here

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name; raises `OSError`."""
        found = await self._resolver.resolve(host, port, family)
        if not all(_may_go(each["host"], here=self._here) for each in found):
            raise OSError("an address where no call may go")
        return found

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()


@asynccontextmanager
async def outbound(
    *, here: bool, resolver: AbstractResolver | None = None, patience: aiohttp.ClientTimeout = PATIENCE
) -> AsyncIterator[Outbound]:
    """Make calls possible until left; `here` is for a server on this machine, and for no other."""
    guarded = GuardedResolver(resolver or aiohttp.ThreadedResolver(), here=here)
    connector = aiohttp.TCPConnector(resolver=guarded, limit=_CONNECTIONS)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=patience,
        cookie_jar=aiohttp.DummyCookieJar(),
        # Unpacked, a small answer could be a large one.
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Outbound(session, here=here)


def _may_go(address: str, *, here: bool) -> bool:
    return is_loopback(address) if here else is_public(address)


async def _within(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > LIMIT:
            raise ProviderUnavailable("an answer that is too large")
    return bytes(body)
