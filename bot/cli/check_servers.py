"""Checks the servers beside Telegram: the provider, the receiver of results, our own pages, and the clock."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from socket import SOCK_STREAM
from urllib.parse import urlsplit

from bot.cli.report import Finding, ok, problem, warning
from bot.clock import Clock, new_token
from bot.handlers.api.http_connection import ConnectionLost
from bot.handlers.api.http_pool import HttpPool, NotConnected, Timeouts
from bot.http_client import http_client
from bot.providers import alipay_client, faceid_client
from bot.settings import Settings
from verification.errors import ProviderUnavailable, describe_error
from verification.providers.addresses import is_loopback, is_public
from verification.providers.alipay import diagnosis as alipay
from verification.providers.tencent import diagnosis as tencent
from verification.signing import WebhookSigner
from web.health import SEEN_AS_PATH

_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NO_SESSION = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_TIMEOUT = 5.0
_FORGED = "198.51.100.77"
"""An address of documentation (RFC 5737), which nobody calls from."""
_OFF, _FAR_OFF = 5.0, 60.0
"""Seconds between our clock and Telegram's: worth a look, and too many for signatures and deadlines."""


async def check_servers(settings: Settings) -> list[Finding]:
    """Ask every server that the settings name; nothing is stored there."""
    found = await asyncio.gather(
        check_vendor(settings), _provider(settings), _receiver(settings), _pages(settings), _clock(settings)
    )
    return [finding for findings in found for finding in findings]


async def check_vendor(settings: Settings) -> list[Finding]:
    """Ask the vendor of the face method one question that costs nothing and changes nothing."""
    clock = Clock(settings.clock_offset_file).now
    servers = {"tencent": settings.tencent_endpoint, "alipay": settings.alipay_gateway}
    kind = settings.provider_face
    if kind not in servers:
        return []
    async with http_client(loopback_only=is_loopback(urlsplit(servers[kind]).hostname or "")) as call:
        if kind == "tencent":
            name, wrong = "FaceID", await tencent.find_problem(faceid_client(settings, call, clock))
        else:
            name, wrong = "Alipay", await alipay.find_problem(alipay_client(settings, call, clock))
    return [
        ok(f"PROVIDER_FACE: {name} answers, and knows the account")
        if wrong is None
        else problem(f"PROVIDER_FACE: {wrong}")
    ]


async def _provider(settings: Settings) -> list[Finding]:
    methods = ", ".join(method for method, kind in settings.providers.items() if kind == "http")
    if not methods or settings.provider_secret is None:
        return []
    # No session has this id, and a provider that says so has accepted the signature.
    session = new_token()
    headers = _sign(settings.provider_secret.get_secret_value(), session, b"")
    status = await _call("GET", f"{settings.provider_url}/sessions/{session}", headers)
    if isinstance(status, str):
        return [problem(f"PROVIDER_URL: no answer for {methods} ({status})")]
    if status in _REFUSALS:
        return [problem(f"PROVIDER_SECRET: the provider refuses our signature (status {status}); compare both sides")]
    if status not in _NO_SESSION:
        return [problem(f"PROVIDER_URL: the provider answers {methods} with status {status}")]
    return [ok(f"PROVIDER_URL: the provider of {methods} answers, and accepts our signature")]


async def _receiver(settings: Settings) -> list[Finding]:
    if not settings.result_webhook_url or settings.result_webhook_secret is None:
        return []
    at = Clock().now().isoformat(timespec="microseconds").replace("+00:00", "Z")
    body = json.dumps({"type": "ping", "timestamp": at, "data": {}}).encode()
    headers = _sign(settings.result_webhook_secret.get_secret_value(), f"ping_{new_token()}", body)
    status = await _call("POST", settings.result_webhook_url, headers | {"content-type": "application/json"}, body)
    if isinstance(status, str):
        return [problem(f"RESULT_WEBHOOK_URL: no answer to a signed ping ({status})")]
    if status in _REFUSALS:
        return [problem(f"RESULT_WEBHOOK_SECRET: a signed ping is refused (status {status}); compare it on both sides")]
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return [problem(f"RESULT_WEBHOOK_URL: a signed ping is answered with status {status}")]
    return [ok("RESULT_WEBHOOK_URL: a signed ping is accepted")]


async def _pages(settings: Settings) -> list[Finding]:
    if not settings.public_url:
        return []
    host = urlsplit(settings.public_url).hostname or ""
    addresses = await _addresses_of(host)
    if not addresses:
        return [problem(f"PUBLIC_URL: {host} has no address in the DNS, so no phone finds it")]
    if not (is_loopback(addresses[0]) or is_public(addresses[0])):
        return [warning(f"PUBLIC_URL: {host} is {addresses[0]} here, a private address; look from outside too")]
    answer = await _answer("GET", f"{settings.public_url}{SEEN_AS_PATH}", {"X-Forwarded-For": _FORGED})
    if isinstance(answer, str):
        return [warning(f"PUBLIC_URL: no answer from here ({answer}); is the bot running, and its proxy?")]
    status, body = answer
    if status != HTTPStatus.OK:
        return [problem(f"PUBLIC_URL: {SEEN_AS_PATH} has status {status}; does the proxy lead to the bot?")]
    # The bot itself speaks no TLS, so with https there is a proxy.
    return list(_page_findings(body, has_proxy=settings.public_url.startswith("https:")))


def _page_findings(body: bytes, *, has_proxy: bool) -> Iterator[Finding]:
    try:
        seen = json.loads(body)
        client, forwarded = str(seen["client"]), str(seen["forwarded"])
    except (KeyError, TypeError, ValueError):
        yield problem("PUBLIC_URL: something else than this bot answers there")
        return
    yield ok("PUBLIC_URL: the bot answers there")
    if has_proxy:
        yield _judge_proxy(client, forwarded)


def _judge_proxy(client: str, forwarded: str) -> Finding:
    """What the proxy makes of X-Forwarded-For, from what the bot says about a call that came with a forged one."""
    if forwarded == "none":
        return problem("proxy: sends no X-Forwarded-For, so all phones share one limit; make it overwrite that header")
    if forwarded == "ignored":
        return problem(f"TRUSTED_PROXIES: {client} is not in it, so all phones behind that proxy share one limit")
    if client == _FORGED:
        return problem("proxy: passes on an X-Forwarded-For that anybody may invent; make it overwrite that header")
    return ok("proxy: X-Forwarded-For comes from it, and is believed")


async def _addresses_of(host: str) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]


async def _clock(settings: Settings) -> list[Finding]:
    theirs = await _date_at(settings)
    return list(_clock_findings(Clock(settings.clock_offset_file).now(), theirs))


def _clock_findings(ours: datetime, theirs: datetime | None) -> Iterator[Finding]:
    if theirs is None:
        # The checks of Telegram report that it does not answer.
        return
    seconds = (ours - theirs).total_seconds()
    text = f"clock: {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} Telegram's"
    if abs(seconds) > _FAR_OFF:
        yield problem(f"{text}; signed messages are refused, and deadlines are wrong: set up time synchronization")
    elif abs(seconds) > _OFF:
        yield warning(f"{text}; is time synchronization on?")
    else:
        yield ok("clock: as Telegram's")


async def _date_at(settings: Settings) -> datetime | None:
    """The time that Telegram tells, reached as the bot reaches it."""
    timeouts = Timeouts(pool=_TIMEOUT, connect=_TIMEOUT, write=_TIMEOUT, read=_TIMEOUT)
    with closing(HttpPool(connections=1, proxy=settings.proxy)) as pool:
        try:
            await pool.request("GET", settings.bot_api_url, "", b"", timeouts)
            return parsedate_to_datetime(pool.date)
        except (ConnectionLost, NotConnected, TimeoutError, TypeError, ValueError):
            return None


def _sign(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    return WebhookSigner(secret).headers(message_id, Clock().now(), body)


async def _call(verb: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> int | str:
    """The status of an answer, or why there is none."""
    answer = await _answer(verb, url, headers, body)
    return answer if isinstance(answer, str) else answer[0]


async def _answer(verb: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, bytes] | str:
    try:
        async with http_client(loopback_only=is_loopback(urlsplit(url).hostname or "")) as call:
            return await call(verb, url, headers, body)
    except (ProviderUnavailable, ValueError) as error:
        return str(error) if isinstance(error, ProviderUnavailable) else describe_error(error)
