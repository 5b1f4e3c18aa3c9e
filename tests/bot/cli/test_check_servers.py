"""`doctor` asks the servers beside Telegram."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.cli.check_servers import _page_findings, check_servers
from bot.settings import Settings
from tests.provider_server import SECRET
from tests.result_receiver import result_receiver
from tests.scripted_server import ProxyServer, SocksServer, proxy_server, socks_server
from verification.signing import WebhookSigner
from web.serving import listen, serving

NOWHERE = "http://127.0.0.1:1"


@asynccontextmanager
async def answering(respond: Callable[[Request], Response]) -> AsyncIterator[str]:
    """A server that answers everything in one way; yields its address."""

    async def take(request: Request) -> Response:
        await request.body()
        return respond(request)

    listener = listen("127.0.0.1", 0)
    routes = [Route("/{path:path}", take, methods=["GET", "POST"])]
    async with serving(Starlette(routes=routes), listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def findings(**settings: object) -> list[str]:
    given = {"bot_api_url": NOWHERE} | settings
    found = await check_servers(Settings(**given))  # type: ignore[arg-type]
    return [f"{each.severity}: {each.text}" for each in found]


def provider_at(url: str) -> dict[str, str]:
    return {
        "provider_face": "http",
        "provider_wechat": "off",
        "provider_qq": "off",
        "provider_url": url,
        "provider_secret": SECRET,
    }


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        (404, "ok: PROVIDER_URL: the provider of face answers, and accepts our signature"),
        (401, "problem: PROVIDER_SECRET: the provider refuses our signature (status 401); compare both sides"),
        (500, "problem: PROVIDER_URL: the provider answers face with status 500"),
    ],
)
async def test_the_provider_is_asked_for_a_session_that_does_not_exist(status: int, finding: str) -> None:
    asked: list[Request] = []

    def respond(request: Request) -> Response:
        asked.append(request)
        return Response(status_code=status)

    async with answering(respond) as url:
        assert await findings(**provider_at(url)) == [finding]

    [request] = asked
    WebhookSigner(SECRET).verify(request.headers, b"", datetime.now(UTC))
    assert request.method == "GET"


async def test_servers_that_do_not_answer_are_named_in_plain_words() -> None:
    found = await findings(
        **provider_at(NOWHERE),
        result_webhook_url=NOWHERE,
        result_webhook_secret=SECRET,
        public_url=NOWHERE,
    )

    assert [line.partition(" (")[0] for line in found] == [
        "problem: PROVIDER_URL: no answer for face",
        "problem: RESULT_WEBHOOK_URL: no answer to a signed ping",
        "warning: PUBLIC_URL: no answer from here",
    ]


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        (204, "ok: RESULT_WEBHOOK_URL: a signed ping is accepted"),
        (403, "problem: RESULT_WEBHOOK_SECRET: a signed ping is refused (status 403); compare it on both sides"),
        (410, "problem: RESULT_WEBHOOK_URL: a signed ping is answered with status 410"),
        (302, "problem: RESULT_WEBHOOK_URL: a signed ping is answered with status 302"),
    ],
)
async def test_the_receiver_gets_a_signed_ping(status: int, finding: str) -> None:
    async with result_receiver() as receiver:
        receiver.answers.append(status)
        found = await findings(result_webhook_url=receiver.url, result_webhook_secret=SECRET)
        [message] = receiver.heard

    assert found == [finding]
    WebhookSigner(SECRET).verify(message.headers, message.body, datetime.now(UTC))
    assert json.loads(message.body)["type"] == "ping"


@pytest.mark.parametrize(
    ("status", "body", "finding"),
    [
        (200, '{"client": "127.0.0.1", "forwarded": "none"}', "ok: PUBLIC_URL: the bot answers there"),
        (200, "<html>", "problem: PUBLIC_URL: something else than this bot answers there"),
        (200, "[]", "problem: PUBLIC_URL: something else than this bot answers there"),
        (502, "", "problem: PUBLIC_URL: /seen-as has status 502; does the proxy lead to the bot?"),
    ],
)
async def test_the_pages_are_asked_for_at_their_public_address(status: int, body: str, finding: str) -> None:
    asked: list[tuple[str, str]] = []

    def respond(request: Request) -> Response:
        asked.append((request.url.path, request.headers["x-forwarded-for"]))
        return Response(body, status_code=status)

    async with answering(respond) as url:
        assert await findings(public_url=f"{url}/verify") == [finding]

    assert asked == [("/verify/seen-as", "198.51.100.77")]


@pytest.mark.parametrize(
    ("url", "finding"),
    [
        ("https://name.invalid", "problem: PUBLIC_URL: name.invalid has no address in the DNS, so no phone finds it"),
        (
            "https://10.0.0.1",
            "warning: PUBLIC_URL: 10.0.0.1 is 10.0.0.1 here, a private address; look from outside too",
        ),
    ],
)
async def test_an_address_that_phones_cannot_reach_is_named(url: str, finding: str) -> None:
    assert await findings(public_url=url) == [finding]


@pytest.mark.parametrize(
    ("client", "forwarded", "found"),
    [
        ("172.30.77.2", "none", "problem: proxy: sends no X-Forwarded-For"),
        ("172.30.77.2", "ignored", "problem: TRUSTED_PROXIES: 172.30.77.2 is not in it"),
        ("198.51.100.77", "believed", "problem: proxy: passes on an X-Forwarded-For that anybody may invent"),
        ("203.0.113.9", "believed", "ok: proxy: X-Forwarded-For comes from it, and is believed"),
    ],
)
def test_the_headers_of_the_proxy_are_judged(client: str, forwarded: str, found: str) -> None:
    body = json.dumps({"client": client, "forwarded": forwarded}).encode()
    [_, finding] = _page_findings(body, has_proxy=True)

    assert f"{finding.severity}: {finding.text}".startswith(found)


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize(
    ("seconds", "finding"),
    [
        (0.5, r"ok: clock: as Telegram's"),
        (20, r"warning: clock: 2\d s ahead of Telegram's; is time synchronization on\?"),
        (-20, r"warning: clock: (19|20) s behind Telegram's; is time synchronization on\?"),
        (400, r"problem: clock: 40\d s ahead of Telegram's; signed messages are refused, .*"),
    ],
)
async def test_the_clock_is_compared_with_telegrams(tmp_path: Path, seconds: float, finding: str, status: int) -> None:
    (tmp_path / "clock").write_text(str(seconds), encoding="ascii")

    async with answering(lambda _: Response(status_code=status)) as url:
        [found] = await findings(bot_api_url=url, clock_offset_file=tmp_path / "clock")

    assert re.fullmatch(finding, found)


@pytest.mark.parametrize("header", [b"Date: soon\r\n", b""])
async def test_without_a_date_the_clock_is_left_alone(header: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + header + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await findings(bot_api_url=f"http://127.0.0.1:{port}") == []


@pytest.mark.parametrize("proxied", [proxy_server, socks_server])
async def test_behind_a_proxy_the_clock_is_compared_all_the_same(
    proxied: Callable[[], AbstractAsyncContextManager[ProxyServer | SocksServer]],
) -> None:
    async with answering(lambda _: Response()) as url, proxied() as proxy:
        assert await findings(bot_api_url=url, telegram_proxy=proxy.url) == ["ok: clock: as Telegram's"]


async def test_where_telegram_is_not_reached_the_clock_is_left_alone() -> None:
    assert await findings(bot_api_url="http://10.0.0.1", telegram_proxy="http://127.0.0.1:1", allow_simulated="1") == []
