"""Outgoing calls: only to allowed addresses, and limited in time and size."""

import socket
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.http_client import TIMEOUT, http_client
from tests.provider_server import SIGNING, ProviderFault, provider
from verification.errors import ProviderUnavailable
from verification.providers.http import TransientFailure


class FakeResolver(AbstractResolver):
    """A name server with set answers."""

    def __init__(self, *addresses: str) -> None:
        self._addresses: Sequence[str] = addresses
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "169.254.169.254",
        "10.0.0.1",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "１２７.0.0.1",
        "[::ffff:127.0.0.1]",
        "[fd00:ec2::254]",
    ],
)
async def test_ssrf_no_call_goes_to_an_internal_address(host: str) -> None:
    names = FakeResolver("127.0.0.1")
    async with http_client(loopback_only=False, resolver=names) as call:
        with pytest.raises(ProviderUnavailable, match="an address that is not allowed"):
            await call("GET", f"https://{host}/sessions/a1", {}, b"")

    assert not names.asked


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("169.254.169.254",), ("10.1.2.3",), ("::1",), ("::ffff:10.0.0.1",), ("8.8.8.8", "127.0.0.1")],
)
@pytest.mark.parametrize("host", ["verify.example.org", "localhost", "0x7f000001", "127.0.0.1.nip.example"])
async def test_ssrf_no_call_goes_to_a_name_that_resolves_to_an_internal_address(
    host: str, addresses: tuple[str, ...]
) -> None:
    names = FakeResolver(*addresses)
    async with provider() as inner, http_client(loopback_only=False, resolver=names) as call:
        port = inner.base.rpartition(":")[2]
        with pytest.raises(TransientFailure, match="client connector DNS"):
            await call("GET", f"https://{host}:{port}/sessions/a1", {}, b"")

        assert (names.asked, inner.asked) == ([host], [])


async def test_ssrf_a_loopback_client_calls_only_loopback() -> None:
    async with http_client(loopback_only=True, resolver=FakeResolver("8.8.8.8")) as call:
        for url in ("http://8.8.8.8", "http://10.0.0.1", "https://[2400:3200::1]"):
            with pytest.raises(ProviderUnavailable, match="an address that is not allowed"):
                await call("GET", url, {}, b"")
        with pytest.raises(TransientFailure, match="client connector DNS"):
            await call("GET", "http://localhost", {}, b"")


async def test_ssrf_without_https_nothing_is_sent() -> None:
    async with http_client(loopback_only=False, resolver=FakeResolver("8.8.8.8")) as call:
        with pytest.raises(ProviderUnavailable, match="https"):
            await call("GET", "http://verify.example.org", {}, b"")


async def test_ssrf_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with provider() as other, http_client(loopback_only=True) as call:
        other.troubles = [ProviderFault.REDIRECT]
        status, _ = await call("GET", f"{other.base}/sessions/a1", SIGNING.headers("a1", datetime.now(UTC), b""), b"")

        assert status == 302
        assert len(other.asked) == 1


async def test_inv21_a_call_without_an_answer_times_out() -> None:
    async with (
        provider() as other,
        http_client(loopback_only=True, client_timeout=aiohttp.ClientTimeout(total=0.05)) as call,
    ):
        other.troubles = [ProviderFault.HELD]
        with pytest.raises(TransientFailure, match="in time"):
            await call("GET", f"{other.base}/sessions/a1", SIGNING.headers("a1", datetime.now(UTC), b""), b"")


async def test_inv21_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    async with provider() as other, http_client(loopback_only=True) as call:
        other.troubles = [ProviderFault.HUGE]
        with pytest.raises(ProviderUnavailable, match="too large"):
            await call("GET", f"{other.base}/sessions/a1", SIGNING.headers("a1", datetime.now(UTC), b""), b"")


async def test_inv21_a_connection_error_names_only_its_kind() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/sessions/a-secret"
        async with http_client(loopback_only=True) as call:
            with pytest.raises(TransientFailure) as raised:
                await call("GET", url, {}, b"")

    assert str(raised.value) == "ClientConnectorError"


def test_an_answer_may_take_the_ten_seconds_that_the_documents_promise() -> None:
    assert (TIMEOUT.total, TIMEOUT.sock_read) == (10, None)
