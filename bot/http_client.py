"""The HTTP client for calls to other servers, guarded against server-side request forgery (SSRF).

Every name is resolved here, and every address is checked before the client connects to it. So neither a setting nor a
DNS server can lead a call into our own network. The client follows no redirect, keeps no cookie and uses no proxy of
the environment; time and size of an answer are limited.
"""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from verification.errors import ProviderUnavailable, describe_error
from verification.providers.addresses import is_ip_literal, is_loopback, is_public
from verification.providers.http import TransientFailure

MAX_ANSWER = 64 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=3)
"""The ten seconds that a provider has for an answer."""
RESULT_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
"""As long as Standard Webhooks asks for; nobody waits for these calls."""
_CONNECTIONS = 20


class HttpClient:
    """Calls servers on the public Internet only, or for tests on this machine only."""

    def __init__(self, session: aiohttp.ClientSession, *, loopback_only: bool) -> None:
        self._session = session
        self._loopback_only = loopback_only

    async def __call__(self, verb: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Make one call; see `verification.providers.http.HttpCall`."""
        address = URL(url)
        host = address.raw_host or ""
        if address.scheme != "https" and not self._loopback_only:
            raise ProviderUnavailable("an address without https")
        if is_ip_literal(host) and not _is_allowed(host, loopback_only=self._loopback_only):
            raise ProviderUnavailable("an address that is not allowed")
        try:
            async with self._session.request(
                verb, address, headers=headers, data=body or None, allow_redirects=False
            ) as answer:
                return answer.status, await _read_limited(answer.content)
        except TimeoutError:
            raise TransientFailure("no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            # Only its type: its message would hold the address.
            raise TransientFailure(describe_error(error)) from None


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses a name when any of its addresses is not allowed."""

    def __init__(self, resolver: AbstractResolver, *, loopback_only: bool) -> None:
        self._resolver = resolver
        self._loopback_only = loopback_only

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name; raises `OSError`."""
        found = await self._resolver.resolve(host, port, family)
        if not all(_is_allowed(each["host"], loopback_only=self._loopback_only) for each in found):
            raise OSError("an address that is not allowed")
        return found

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()


@asynccontextmanager
async def http_client(
    *, loopback_only: bool, resolver: AbstractResolver | None = None, client_timeout: aiohttp.ClientTimeout = TIMEOUT
) -> AsyncIterator[HttpClient]:
    """Open a client until left; `loopback_only` allows this machine and nothing else."""
    guarded = GuardedResolver(resolver or aiohttp.ThreadedResolver(), loopback_only=loopback_only)
    connector = aiohttp.TCPConnector(resolver=guarded, limit=_CONNECTIONS)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=client_timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        # A small compressed answer could unpack to a very large one.
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield HttpClient(session, loopback_only=loopback_only)


def _is_allowed(address: str, *, loopback_only: bool) -> bool:
    return is_loopback(address) if loopback_only else is_public(address)


async def _read_limited(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ProviderUnavailable("an answer that is too large")
    return bytes(body)
