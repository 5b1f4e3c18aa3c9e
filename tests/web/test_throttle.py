"""Guessing links: it finds nothing, it is noticed, and it never throttles a person who scans a code."""

import base64
import secrets

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.clock import new_token
from tests.reliability import Proof
from tests.web.app_fixture import PHONES, WebFixture
from verification import AttemptStatus, Method
from web.serving import LOOPBACK, listen, serving
from web.throttle import BURST, client_network


def visitor(web_app: WebFixture, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(web_app.app, client=(address, 50000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers={"User-Agent": PHONES["wechat"]})


def a_guess() -> str:
    return f"/v/{secrets.token_urlsafe(18)}"


def counted(web_app: WebFixture, name: str) -> float:
    return web_app.registry.get_sample_value(name) or 0.0


def test_inv37_a_token_holds_144_random_bits() -> None:
    tokens = [new_token() for _ in range(10_000)]

    assert len(set(tokens)) == len(tokens)
    assert {len(base64.urlsafe_b64decode(each)) * 8 for each in tokens} == {144}
    # Each bit is set in about half of the tokens: within six standard deviations of a fair coin.
    drawn = [int.from_bytes(base64.urlsafe_b64decode(each)) for each in tokens]
    ones = [sum(each >> bit & 1 for each in drawn) for bit in range(144)]
    assert all(abs(count - 5000) < 300 for count in ones)


async def test_inv37_guessing_triggers_the_limiter_and_then_nothing_is_looked_up(
    web_app: WebFixture, proof: Proof
) -> None:
    looked_up = list[str]()
    web_app.store.before_unit = looked_up.append
    async with visitor(web_app, "203.0.113.7") as guesser:
        answers = [await guesser.get(a_guess()) for _ in range(BURST * 3)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers[:BURST]] == [404] * BURST
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert (len(looked_up), len(refused)) == (BURST, BURST * 2)
    assert counted(web_app, "web_refused_visits_total") == BURST * 2
    assert counted(web_app, "web_unknown_links_total") == BURST
    proof(cases=len(answers))


@pytest.mark.parametrize(("language", "words"), [("zh", "打开得太频繁了"), ("en", "Too many at once")])
async def test_a_throttled_visitor_sees_a_friendly_page(web_app: WebFixture, language: str, words: str) -> None:
    async with visitor(web_app, "203.0.113.7") as guesser:
        for _ in range(BURST):
            await guesser.get(a_guess())
        answer = await guesser.get(f"{a_guess()}?lang={language}")

    assert answer.status_code == 429
    assert words in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_people_who_open_their_own_codes_are_never_throttled(
    web_app: WebFixture,
) -> None:
    scan_code = await web_app.begin(Method.WECHAT)
    async with visitor(web_app, "203.0.113.7") as guesser, visitor(web_app, "198.51.100.9") as person:
        for _ in range(BURST * 2):
            await guesser.get(a_guess())
        theirs = await person.get(scan_code.phone_url)
        many = {(await person.get(scan_code.phone_url)).status_code for _ in range(BURST * 2)}

    assert theirs.status_code == 200
    assert many == {200}


async def test_after_the_reported_wait_a_visit_is_served(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)
    async with visitor(web_app, "203.0.113.7") as neighbour:
        for _ in range(BURST):
            await neighbour.get(a_guess())
        refused = await neighbour.get(scan_code.phone_url)
        web_app.seconds += int(refused.headers["retry-after"])
        answer = await neighbour.get(scan_code.phone_url)

    assert (refused.status_code, answer.status_code) == (429, 200)


async def test_guesses_from_many_addresses_raise_an_alarm_and_throttle_no_visitor(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)
    before = counted(web_app, "web_guessing")
    for network in range(101):
        async with visitor(web_app, f"203.0.113.{network}") as guesser:
            for _ in range(10):
                await guesser.get(a_guess())
    async with visitor(web_app, "198.51.100.9") as person:
        answer = await person.get(scan_code.phone_url)

    assert (before, counted(web_app, "web_guessing")) == (0, 1)
    assert answer.status_code == 200


async def test_unknown_malformed_and_foreign_links_get_the_same_answer(web_app: WebFixture) -> None:
    foreign = await web_app.begin(Method.WECHAT)
    web_app.store.put(foreign.attempt, status=AttemptStatus.RESERVED)
    async with visitor(web_app, "203.0.113.7") as person:
        answers = [
            await person.get(path)
            for path in (
                a_guess(),
                "/v/not%20a%20token",
                "/v/" + "x" * 500,
                foreign.phone_url.removeprefix("http://127.0.0.1"),
            )
        ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}


async def test_a_robot_learns_nothing(web_app: WebFixture) -> None:
    scan_code = await web_app.begin(Method.WECHAT)
    looked_up = list[str]()
    web_app.store.before_unit = looked_up.append

    known = await web_app.phone("robot").get(scan_code.phone_url)
    unknown = await web_app.phone("robot").get(a_guess())

    assert known.text == unknown.text
    assert looked_up == []


async def tell_address(request: Request) -> Response:
    return PlainTextResponse(client_network(request))


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ({}, "127.0.0.1"),
        ({"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
        # A visitor's own header values come before those that our proxy adds.
        ({"X-Forwarded-For": "198.51.100.9, 203.0.113.7"}, "203.0.113.7"),
        # Only the networks that are given are trusted: another private address may be a visitor.
        ({"X-Forwarded-For": "203.0.113.7, 10.0.0.5"}, "203.0.113.7"),
        ({"X-Forwarded-For": "203.0.113.7, 192.168.0.5"}, "192.168.0.5"),
        ({"X-Forwarded-For": "rubbish"}, ""),
    ],
)
async def test_behind_a_trusted_proxy_the_last_forwarded_address_counts(said: dict[str, str], believed: str) -> None:
    listener = listen("127.0.0.1", 0)
    app = Starlette(routes=[Route("/", tell_address)])
    proxies = (*LOOPBACK, "10.0.0.0/24")
    async with serving(app, listener, proxies), httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", headers=said)

    assert answer.text == believed


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", ""),
        ("x" * 1000, ""),
    ],
)
def test_a_network_is_an_ipv4_address_or_an_ipv6_prefix(peer: str, network: str) -> None:
    assert client_network(Request({"type": "http", "client": (peer, 1), "headers": []})) == network


def test_clients_without_an_address_share_one_bucket() -> None:
    assert client_network(Request({"type": "http", "client": None, "headers": []})) == ""
