"""The API of links: create once per request, show masked, revoke, QR codes; nothing without a key."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from storage import SqlStore, StoreUnavailable, open_store
from tests.fakes import make_sealing
from tests.open_unit import open_unit
from tests.sqlite_file import sqlite_url
from tests.web.api_fixture import FIRST, NAMED, OTHER, SECOND, ApiFixture, Json, caller
from tests.web.app_fixture import START, WebFixture
from verification.ids import Actor, PersonId
from verification.invitations import LinkId, read_link_token
from verification.support.store import AuditEntry
from web.api.callers import BURST, CALL_BURST

UNKNOWN = "0123456789abcdef"
PATHS = (
    ("GET", "/v1/links"),
    ("POST", "/v1/links"),
    ("GET", f"/v1/links/{UNKNOWN}"),
    ("DELETE", f"/v1/links/{UNKNOWN}"),
    ("GET", f"/v1/links/{UNKNOWN}/qr.png"),
    ("GET", f"/v1/links/{UNKNOWN}/qr.svg"),
)

CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "idempotency_conflict",
    413: "too_large",
    422: "invalid_request",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as opened:
        yield opened


@pytest.fixture
def web_app(store: SqlStore) -> WebFixture:
    return ApiFixture(store).web


async def make(client: httpx.AsyncClient, key: str = "", **fields: object) -> Json:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await client.post("/v1/links", json={"account": "100012345", **fields}, headers=headers)
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


async def uses(store: SqlStore) -> list[tuple[str, str, str]]:
    async with store.support_unit(AuditEntry(actor=Actor("test"), action="uses", subject="", at=START)) as desk:
        return [(use.actor, use.action, use.subject) for use in await desk.audit_log(limit=20) if use.actor != "test"]


def assert_problem(answer: httpx.Response, status: int, sentence: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["status"], set(body)) == (status, {"title", "status", "code", "detail"})
    assert body["code"] == CODES[status]
    assert sentence in body["detail"]


async def test_a_link_is_made_for_an_account_and_shown_masked(web_app: WebFixture, store: SqlStore) -> None:
    async with caller(web_app) as client:
        answer = await client.post(
            "/v1/links", json={"account": "100012345", "campaign": "spring", "ttl_seconds": 7200, "method": "qq"}
        )
        shown = await client.get(str(httpx.URL("http://127.0.0.1/v1/links").join(answer.headers["location"])))

    made = answer.json()
    assert made.pop("account_verified") is False
    assert made == shown.json()
    assert read_link_token(made["url"].partition("start=")[2], store.keyed_digest) == made["id"]
    del made["id"], made["url"]
    assert made == {
        "state": "waiting",
        "account": "10*****45",
        "campaign": "spring",
        "method": "qq",
        "language": None,
        "made_by": "api:1",
        "made_at": "2026-03-01T04:00:00Z",
        "expires_at": "2026-03-01T06:00:00Z",
        "opened_at": None,
        "revoked_at": None,
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_repeating_an_idempotency_key_returns_the_same_link(web_app: WebFixture) -> None:
    async with caller(web_app) as client, caller(web_app, SECOND) as other:
        first = await make(client, "order-7", ttl_seconds=600)
        web_app.now += timedelta(minutes=5)
        again = await make(client, "order-7", ttl_seconds=600)
        at_once = await asyncio.gather(*(make(client, "order-8") for _ in range(5)))
        foreign = await make(other, "order-7")
        without = [await make(client), await make(client)]

    assert again == first
    assert len({each["id"] for each in at_once}) == 1
    assert len({each["id"] for each in (first, at_once[0], foreign, *without)}) == 5


@pytest.mark.parametrize(
    "other",
    [{"account": "100099999"}, {"campaign": "autumn"}, {"ttl_seconds": 60}, {"method": "qq"}, {"language": "en"}],
)
async def test_the_same_idempotency_key_never_stands_for_two_links(web_app: WebFixture, other: Json) -> None:
    async with caller(web_app) as client:
        await make(client, "order-7")
        answer = await client.post(
            "/v1/links", json={"account": "100012345", **other}, headers={"Idempotency-Key": "order-7"}
        )
        listed = await client.get("/v1/links")

    assert_problem(answer, 409, "This Idempotency-Key was used before for another link.")
    assert len(listed.json()["links"]) == 1


async def test_links_are_listed_in_pages_without_their_addresses(web_app: WebFixture) -> None:
    async with caller(web_app) as client:
        for number in range(5):
            web_app.now += timedelta(seconds=1)
            await make(client, account=f"10001234{number}", campaign="spring" if number % 2 else "")
        first = (await client.get("/v1/links", params={"limit": 3})).json()
        rest = (await client.get("/v1/links", params={"limit": 3, "skip": first["next_skip"]})).json()
        spring = (await client.get("/v1/links", params={"campaign": "spring"})).json()
        mine = (await client.get("/v1/links", params={"account": "100012342"})).json()

    assert [each["account"] for each in first["links"] + rest["links"]] == [f"10*****4{n}" for n in (4, 3, 2, 1, 0)]
    assert (first["next_skip"], rest["next_skip"]) == (3, None)
    assert (len(spring["links"]), len(mine["links"])) == (2, 1)
    assert "url" not in first["links"][0]


async def test_a_revoked_link_opens_for_no_person_and_stays_revoked(web_app: WebFixture, store: SqlStore) -> None:
    async with caller(web_app) as client:
        made = await make(client)
        revoked = await client.delete(f"/v1/links/{made['id']}")
        web_app.now += timedelta(minutes=1)
        again = await client.delete(f"/v1/links/{made['id']}")
    async with open_unit(store, "telegram:1") as unit:
        opened = await unit.open_link(LinkId(made["id"]), PersonId("telegram:1"), web_app.now)

    assert revoked.json()["state"] == "revoked"
    assert again.json() == revoked.json()
    assert opened is None


async def test_the_qr_code_of_a_link_comes_as_png_and_svg(web_app: WebFixture) -> None:
    async with caller(web_app) as client:
        made = await make(client)
        png = await client.get(f"/v1/links/{made['id']}/qr.png")
        svg = await client.get(f"/v1/links/{made['id']}/qr.svg")

    assert (png.headers["content-type"], png.content.decode()) == ("image/png", made["url"])
    assert (svg.headers["content-type"].partition(";")[0], svg.text) == ("image/svg+xml", f"<svg>{made['url']}</svg>")


async def test_every_call_is_audited_with_the_position_of_its_key_and_no_secret(
    web_app: WebFixture, store: SqlStore
) -> None:
    async with caller(web_app, SECOND) as client:
        made = await make(client)
        await client.get("/v1/links", params={"account": "100012345"})
        await client.get(f"/v1/links/{made['id']}/qr.png")
        await client.delete(f"/v1/links/{made['id']}")

    assert await uses(store) == [
        ("api:2", "revoke", made["id"]),
        ("api:2", "look at link", made["id"]),
        ("api:2", "links", "10*****45"),
        ("api:2", "link", f"{made['id']} 10*****45"),
    ]


async def test_a_named_key_is_audited_by_its_name(web_app: WebFixture, store: SqlStore) -> None:
    async with caller(web_app, NAMED) as client:
        made = await make(client)

    assert made["made_by"] == "api:tickets"
    assert await uses(store) == [("api:tickets", "link", f"{made['id']} 10*****45")]


@pytest.mark.parametrize(("verb", "path"), PATHS)
async def test_a_key_without_the_scope_of_links_does_nothing_with_them(
    web_app: WebFixture, store: SqlStore, verb: str, path: str
) -> None:
    async with caller(web_app, OTHER) as client:
        answer = await client.request(verb, path, content=b'{"account": "7"}')

    assert_problem(answer, 403, "This key may not use links.")
    assert await uses(store) == []


async def test_a_key_that_calls_too_often_waits_and_no_other_does(web_app: WebFixture) -> None:
    async with caller(web_app) as client, caller(web_app, SECOND) as other:
        answers = [await client.get("/v1/nothing") for _ in range(CALL_BURST + 1)]
        elsewhere = await other.get("/v1/nothing")
        web_app.seconds += int(answers[-1].headers["retry-after"])
        later = await client.get("/v1/nothing")

    assert [answer.status_code for answer in answers] == [404] * CALL_BURST + [429]
    assert_problem(answers[-1], 429, "This key calls too often.")
    assert (elsewhere.status_code, later.status_code) == (404, 404)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "The body is not valid JSON."),
        ("{", "The body is not valid JSON."),
        ('"\ud83d', "The body is not valid JSON."),
        ("[]", "Input should be an object."),
        ("{}", "account: Field required."),
        ('{"account": 7}', "account: Input should be a valid string."),
        ('{"account": "a b"}', "account: an account is 1 to 64 letters"),
        ('{"account": "telegram:7"}', "account: accounts that begin with telegram: belong to chats"),
        ('{"account": "7", "campaign": "a b"}', "campaign: a campaign is 1 to 32 letters"),
        ('{"account": "7", "ttl_seconds": 59}', "ttl_seconds: Input should be greater than or equal to 60."),
        ('{"account": "7", "ttl_seconds": 1e300}', "ttl_seconds: "),
        ('{"account": "7", "ttl_seconds": "60"}', "ttl_seconds: Input should be a valid integer."),
        ('{"account": "7", "ttl_seconds": true}', "ttl_seconds: Input should be a valid integer."),
        ('{"account": "7", "method": "sms"}', "method: Input should be 'wechat', 'qq' or 'face'."),
        ('{"account": "7", "language": "de"}', "language: write zh or en."),
        ('{"account": "7", "secret-110": 1}', "The request has an unknown field."),
    ],
)
async def test_an_invalid_link_request_gets_one_sentence(
    web_app: WebFixture, store: SqlStore, body: str, sentence: str
) -> None:
    async with caller(web_app) as client:
        answer = await client.post("/v1/links", content=body.encode("utf-8", "surrogatepass"))

    assert_problem(answer, 422, sentence)
    assert await uses(store) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=0", "limit: "),
        ("limit=101", "limit: "),
        ("limit=x", "limit: "),
        ("skip=-1", "skip: "),
        ("skip=99999999999999999999", "skip: "),
        ("campaign=a%20b", "campaign: "),
        ("account=", "account: "),
        ("state=opened", "The request has an unknown field."),
    ],
)
async def test_an_invalid_list_query_gets_one_sentence(web_app: WebFixture, query: str, sentence: str) -> None:
    async with caller(web_app) as client:
        answer = await client.get(f"/v1/links?{query}")

    assert_problem(answer, 422, sentence)


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_an_idempotency_key_is_1_to_200_characters(web_app: WebFixture, key: str) -> None:
    async with caller(web_app) as client:
        answer = await client.post("/v1/links", json={"account": "7"}, headers={"Idempotency-Key": key})

    assert_problem(answer, 422, "Idempotency-Key: write 1 to 200 characters.")


async def test_a_body_that_is_too_long_is_refused_unread(web_app: WebFixture) -> None:
    async with caller(web_app) as client:
        answer = await client.post("/v1/links", content=b"{" + b" " * 20_000)

    assert_problem(answer, 413, "The body is too long.")


@pytest.mark.parametrize("id", [UNKNOWN, "x", "0" * 500, "%00", "..%2f", "ABCDEF0123456789"])
async def test_an_unknown_link_is_404(web_app: WebFixture, id: str) -> None:
    async with caller(web_app) as client:
        answers = [
            await client.request(verb, f"/v1/links/{id}{end}")
            for verb, end in (("GET", ""), ("DELETE", ""), ("GET", "/qr.png"), ("GET", "/qr.svg"))
        ]

    for answer in answers:
        assert_problem(answer, 404, "There is ")


async def test_unknown_paths_and_methods_are_problems_too(web_app: WebFixture) -> None:
    async with caller(web_app) as client:
        nowhere = await client.get("/v1/nothing")
        slash = await client.get("/v1/links/")
        put = await client.put("/v1/links")

    assert_problem(nowhere, 404, "There is nothing here.")
    assert_problem(slash, 404, "There is nothing here.")
    assert_problem(put, 405, "This cannot be done here.")
    assert set(put.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(("verb", "path"), PATHS)
@pytest.mark.parametrize(
    "credentials",
    [None, "", "Bearer", "Bearer ", f"Bearer {FIRST}x", f"Bearer {FIRST[:-1]}", f"Basic {FIRST}", "Bearer ключ"],
)
async def test_without_a_valid_key_nothing_is_done(
    web_app: WebFixture, store: SqlStore, verb: str, path: str, credentials: str | None
) -> None:
    headers = [] if credentials is None else [(b"Authorization", credentials.encode())]
    async with caller(web_app, None) as client:
        answer = await client.request(verb, path, headers=headers, content=b'{"account": "7"}')

    assert_problem(answer, 401, "A key is needed: Authorization: Bearer KEY.")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert await uses(store) == []


async def test_an_address_that_tries_keys_waits_and_nobody_with_a_key_does(web_app: WebFixture) -> None:
    async with caller(web_app, "wrong-key-000000000000000000", "203.0.113.7") as guesser:
        answers = [await guesser.get("/v1/links") for _ in range(BURST + 5)]
        refused = answers[-1]
        web_app.seconds += int(refused.headers["retry-after"])
        later = await guesser.get("/v1/links")
    async with caller(web_app, FIRST, "203.0.113.7") as neighbour:
        served = await neighbour.get("/v1/links")

    assert [answer.status_code for answer in answers] == [401] * BURST + [429] * 5
    assert_problem(refused, 429, "Too many wrong keys came from this address.")
    assert (later.status_code, served.status_code) == (401, 200)
    assert web_app.registry.get_sample_value("web_wrong_keys_total") == BURST + 6


@pytest.mark.parametrize(("verb", "path"), PATHS)
async def test_without_configured_keys_there_is_no_api(verb: str, path: str) -> None:
    async with caller(WebFixture()) as client:
        answer = await client.request(verb, path)

    assert answer.status_code == 404
    assert "problem" not in answer.headers["content-type"]


async def test_an_internal_error_is_reported_without_its_message(
    web_app: WebFixture, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(token: str) -> str:
        raise RuntimeError(f"about {token}")

    assert web_app.api is not None
    web_app.api = replace(web_app.api, link_url=broken)
    web_app.__post_init__()
    async with caller(web_app) as client:
        answer = await client.post("/v1/links", json={"account": "100012345"})

    assert_problem(answer, 500, "Something went wrong here; ask again.")
    assert "request failed: RuntimeError" in caplog.text
    assert "about" not in answer.text + caplog.text


async def test_during_a_database_outage_a_call_gets_503_with_retry_after(web_app: WebFixture) -> None:
    def away(_: str) -> str:
        raise StoreUnavailable("away")

    assert web_app.api is not None
    web_app.api = replace(web_app.api, link_url=away)
    web_app.__post_init__()
    async with caller(web_app) as client:
        answer = await client.post("/v1/links", json={"account": "100012345"})

    assert_problem(answer, 503, "The database does not answer; ask again.")
    assert answer.headers["retry-after"] == "2"


async def test_no_key_and_no_link_is_logged(web_app: WebFixture, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with caller(web_app) as client:
        made = await make(client)
    async with caller(web_app, "wrong-key-000000000000000000") as guesser:
        await guesser.get("/v1/links")

    body = caplog.text + repr(web_app.api) + json.dumps(str(web_app.api))
    assert not [secret for secret in (FIRST, SECOND, "wrong-key", made["url"][-20:]) if secret in body]
