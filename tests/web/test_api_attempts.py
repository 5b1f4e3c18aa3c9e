"""The API of attempts: a front end opens, watches and cancels them with a key alone, and hears by webhook."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from storage import SqlStore, open_store
from tests.fakes import NUMBER, FakeProvider, make_identity, make_sealing
from tests.open_unit import open_unit
from tests.sqlite_file import sqlite_url
from tests.web.api_fixture import FIRST, NAMED, OTHER, SHOP, ApiFixture, Json, caller
from verification.attempts import AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, reference_code
from verification.core import AttemptRequest
from verification.ids import Account, Contact
from verification.result_outbox import DeliveryStatus
from web.api.problems import ProblemCode

NAME = "王小明"
WANTED: Json = {"account": "cloud:100012345", "name": NAME, "number": NUMBER, "method": "qq"}
UNKNOWN = f"attempt-{'0' * 32}"
PATHS = (
    ("GET", "/v1/attempts"),
    ("POST", "/v1/attempts"),
    ("GET", f"/v1/attempts/{UNKNOWN}"),
    ("DELETE", f"/v1/attempts/{UNKNOWN}"),
    ("GET", f"/v1/attempts/{UNKNOWN}/qr.png"),
    ("GET", f"/v1/attempts/{UNKNOWN}/qr.svg"),
    ("GET", f"/v1/attempts/{UNKNOWN}/qr.txt"),
    ("GET", "/v1/accounts/cloud:100012345"),
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as opened:
        yield opened


@pytest.fixture
def api(store: SqlStore) -> ApiFixture:
    return ApiFixture(store, posts_results=True)


@pytest.fixture
async def console(api: ApiFixture) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(api.web, OTHER) as client:
        yield client


async def post(client: httpx.AsyncClient, key: str = "", **fields: object) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post("/v1/attempts", json=WANTED | fields, headers=headers)


async def opened(client: httpx.AsyncClient, key: str = "", **fields: object) -> Json:
    answer = await post(client, key, **fields)
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


def problem(answer: httpx.Response, status: int, code: ProblemCode) -> Json:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: Json = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert NAME not in answer.text
    assert NUMBER not in answer.text
    return body


async def told(api: ApiFixture) -> list[tuple[str, str, str]]:
    """What the receiver of results is told, in order."""
    now = api.web.now + timedelta(hours=1)
    outbox = api.store.result_outbox()
    found = list[tuple[str, str, str]]()
    while results := await outbox.claim(now, until=now + timedelta(days=1), limit=10):
        for result in results:
            found.append((result.front_end, result.attempt, result.status.value))
            await outbox.settle(result, DeliveryStatus.DELIVERED, now)
    return found


async def test_an_attempt_is_opened_with_everything_that_a_front_end_shows(
    api: ApiFixture, console: httpx.AsyncClient
) -> None:
    answer = await post(console, language="en")
    shown = await console.get(str(httpx.URL("http://127.0.0.1/v1/attempts").join(answer.headers["location"])))

    made = answer.json()
    code = made.pop("qr")
    assert base64.b64decode(code.removeprefix("data:image/png;base64,")).decode() == made["url"]
    assert made == shown.json()
    token = made.pop("url").removeprefix("http://127.0.0.1/v/").removesuffix("?lang=en")
    assert (await api.core.find_by_token(token)) is not None
    assert made.pop("id").startswith("attempt-")
    assert len(made.pop("code")) == 9
    assert made == {
        "account": "cloud:100012345",
        "method": "qq",
        "status": "waiting",
        "reason": None,
        "created_at": "2026-03-01T04:00:00Z",
        "expires_at": "2026-03-01T04:10:00Z",
        "language": "en",
        "simulated": True,
        "match_code": "47",
    }


async def test_the_code_comes_as_png_svg_and_text_until_the_attempt_ends(
    api: ApiFixture, console: httpx.AsyncClient
) -> None:
    made = await opened(console)
    forms = [f"/v1/attempts/{made['id']}/qr.{form}" for form in ("png", "svg", "txt")]
    drawn = [await console.get(form) for form in forms]
    await console.delete(f"/v1/attempts/{made['id']}")
    gone = [await console.get(form) for form in forms]

    assert [each.headers["content-type"].partition(";")[0] for each in drawn] == [
        "image/png",
        "image/svg+xml",
        "text/plain",
    ]
    assert (drawn[0].text, drawn[1].text) == (made["url"], f"<svg>{made['url']}</svg>")
    assert set(drawn[2].text) == set("█▀▄ \n")
    for each in gone:
        problem(each, 404, ProblemCode.NOT_FOUND)


async def test_an_attempt_is_followed_to_its_success(api: ApiFixture, console: httpx.AsyncClient) -> None:
    made = await opened(console)
    path = f"/v1/attempts/{made['id']}"
    await api.core.progress(AttemptId(made["id"]), AttemptStatus.OPENED, "")
    on_the_phone = (await console.get(path)).json()
    await api.core.progress(AttemptId(made["id"]), AttemptStatus.CONFIRMING, "")
    await api.core.complete(AttemptId(made["id"]), Passed())
    verified = (await console.get(path)).json()
    account = (await console.get("/v1/accounts/cloud:100012345")).json()

    assert (on_the_phone["status"], on_the_phone["url"]) == ("opened", made["url"])
    assert (verified["status"], verified["url"], verified["match_code"], verified["simulated"]) == (
        "succeeded",
        None,
        None,
        True,
    )
    assert account == {
        "account": "cloud:100012345",
        "verified": True,
        "method": "qq",
        "verified_at": "2026-03-01T04:00:00Z",
        "simulated": True,
        "live_attempt": None,
    }
    assert await told(api) == [("api.console", made["id"], word) for word in ("opened", "confirming", "succeeded")]
    assert await api.notices() == 0


async def test_a_failure_and_an_expiry_are_told_and_no_cancellation_of_its_own(
    api: ApiFixture, console: httpx.AsyncClient
) -> None:
    failed, expired, cancelled = [await opened(console, account=f"cloud:{number}") for number in range(3)]
    await api.core.complete(AttemptId(failed["id"]), Rejected(Reason.NO_CARD))
    await console.delete(f"/v1/attempts/{cancelled['id']}")
    api.web.now += timedelta(minutes=9, seconds=45)
    await api.core.expire_due()
    api.web.now += timedelta(minutes=1)
    await api.core.expire_due()

    shown = [(await console.get(f"/v1/attempts/{each['id']}")).json() for each in (failed, expired, cancelled)]
    assert [(each["status"], each["reason"]) for each in shown] == [
        ("failed", "no_card"),
        ("expired", None),
        ("cancelled", None),
    ]
    assert await told(api) == [
        ("api.console", failed["id"], "failed"),
        ("api.console", expired["id"], "expired"),
    ]


async def test_an_attempt_that_another_front_end_replaces_is_told(api: ApiFixture, console: httpx.AsyncClient) -> None:
    made = await opened(console)
    async with caller(api.web, SHOP) as shop:
        await opened(shop)

    assert (await console.get(f"/v1/attempts/{made['id']}")).json()["status"] == "cancelled"
    assert await told(api) == [("api.console", made["id"], "cancelled")]


async def test_without_a_receiver_nothing_is_stored_for_it(store: SqlStore) -> None:
    api = ApiFixture(store)
    async with caller(api.web, OTHER) as console:
        made = await opened(console)
        await api.core.progress(AttemptId(made["id"]), AttemptStatus.OPENED, "")

    assert await told(api) == []
    assert await api.notices() == 0


async def test_a_chat_that_loses_its_attempt_to_the_api_gets_its_notice(
    api: ApiFixture, console: httpx.AsyncClient
) -> None:
    async with open_unit(api.store, "test") as unit:
        request = AttemptRequest(
            AttemptId("a1"), Account("cloud:100012345"), Contact("telegram:7"), make_identity(), Method.QQ
        )
        await api.core.reserve(unit, request)
    await opened(console)

    assert await api.notices() == 1
    assert await told(api) == []


async def test_repeating_a_request_gives_the_same_attempt_however_it_ended(
    api: ApiFixture, console: httpx.AsyncClient
) -> None:
    first = await opened(console, "order-7")
    api.web.now += timedelta(minutes=1)
    again = await opened(console, "order-7", name=f" {NAME} ", number=NUMBER.lower())
    at_once = await asyncio.gather(*(opened(console, "order-8", account="cloud:8") for _ in range(5)))
    async with caller(api.web, SHOP) as shop:
        foreign = await opened(shop, "order-7", account="cloud:9")
    await api.core.complete(AttemptId(first["id"]), Rejected(Reason.MISMATCH))
    ended = await opened(console, "order-7")

    assert again == first
    assert len({each["id"] for each in at_once}) == 1
    assert len({each["id"] for each in (first, at_once[0], foreign)}) == 3
    assert (ended["id"], ended["status"], ended["qr"]) == (first["id"], "failed", None)


async def test_a_request_is_the_same_one_after_a_restart(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    found = []
    for _ in range(2):
        async with (
            open_store(url, sealing=make_sealing()) as store,
            caller(ApiFixture(store).web, OTHER) as console,
        ):
            found.append(await opened(console, "order-7"))
            conflict = await post(console, "order-7", method="face")

    assert found[0] == found[1]
    problem(conflict, 409, ProblemCode.IDEMPOTENCY_CONFLICT)


async def test_a_reserved_attempt_of_a_crashed_program_is_opened_by_the_next_try(
    api: ApiFixture, console: httpx.AsyncClient
) -> None:
    made = await opened(console, "order-7")
    async with open_unit(api.store, "test") as unit:
        await unit._connection.fetch("UPDATE attempts SET status = 'reserved'")
    reserved = (await console.get(f"/v1/attempts/{made['id']}")).json()
    again = await opened(console, "order-7")

    assert (reserved["status"], reserved["url"], reserved["match_code"]) == ("reserved", None, None)
    assert again == made


@pytest.mark.parametrize(
    "other",
    [
        {"account": "cloud:2"},
        {"name": "欧阳小明"},
        {"number": "440524188001010014"},
        {"method": "wechat"},
        {"language": "zh"},
    ],
)
async def test_the_same_idempotency_key_never_stands_for_two_attempts(console: httpx.AsyncClient, other: Json) -> None:
    await opened(console, "order-7")
    answer = await post(console, "order-7", **other)
    listed = (await console.get("/v1/attempts")).json()

    problem(answer, 409, ProblemCode.IDEMPOTENCY_CONFLICT)
    assert len(listed["attempts"]) == 1


async def test_a_refused_request_may_be_repeated_with_its_key(store: SqlStore) -> None:
    provider = FakeProvider(out_of_order=True)
    api = ApiFixture(store, dict.fromkeys(Method, provider))
    async with caller(api.web, OTHER) as console:
        refused = await post(console, "order-7")
        provider.out_of_order = False
        made = await opened(console, "order-7")

    problem(refused, 503, ProblemCode.PROVIDER_UNAVAILABLE)
    assert refused.headers["retry-after"] == "30"
    assert made["status"] == "waiting"


async def test_of_two_equal_requests_the_one_whose_attempt_is_refused_meanwhile_is_refused_too(store: SqlStore) -> None:
    provider = FakeProvider()
    api = ApiFixture(store, dict.fromkeys(Method, provider))

    async def fail_the_other() -> None:
        provider.out_of_order = True
        async with caller(api.web, OTHER) as other:
            problem(await post(other, "order-7"), 503, ProblemCode.PROVIDER_UNAVAILABLE)
        provider.out_of_order = False

    provider.before_answer = fail_the_other
    async with caller(api.web, OTHER) as console:
        answer = await post(console, "order-7")

    problem(answer, 503, ProblemCode.PROVIDER_UNAVAILABLE)


async def test_the_rules_of_the_core_are_told_by_codes(api: ApiFixture, console: httpx.AsyncClient) -> None:
    for number in range(3):
        made = await opened(console, account=f"cloud:{number}")
        await api.core.complete(AttemptId(made["id"]), Passed())
    fourth = await post(console, account="cloud:4")
    verified = await post(console, account="cloud:1")
    for _ in range(20):
        await opened(console, account="cloud:5", number="440524188001010014")
    too_many = await post(console, account="cloud:5", number="440524188001010014")

    problem(fourth, 409, ProblemCode.QUOTA_REACHED)
    problem(verified, 409, ProblemCode.ALREADY_VERIFIED)
    assert problem(too_many, 429, ProblemCode.TOO_MANY_ATTEMPTS)["until"] == "2026-03-02T04:00:00Z"
    assert too_many.headers["retry-after"] == str(24 * 60 * 60 + 1)


async def test_a_method_that_is_off_is_refused(store: SqlStore) -> None:
    api = ApiFixture(store, {Method.QQ: FakeProvider(simulated=False)})
    async with caller(api.web, OTHER) as console:
        off = await post(console, method="face")
        real = await opened(console)

    problem(off, 422, ProblemCode.METHOD_OFF)
    assert real["simulated"] is False


async def test_a_caller_sees_and_cancels_its_own_attempts_alone(api: ApiFixture, console: httpx.AsyncClient) -> None:
    made = await opened(console)
    async with caller(api.web, SHOP) as shop:
        answers = [
            await shop.request(verb, f"/v1/attempts/{made['id']}{end}")
            for verb, end in (("GET", ""), ("DELETE", ""), ("GET", "/qr.png"))
        ]
        listed = (await shop.get("/v1/attempts")).json()
        account = (await shop.get("/v1/accounts/cloud:100012345")).json()
    own = (await console.get("/v1/accounts/cloud:100012345")).json()

    for answer in answers:
        problem(answer, 404, ProblemCode.NOT_FOUND)
    assert (listed["attempts"], account["live_attempt"]) == ([], None)
    assert (own["live_attempt"], own["verified"], own["verified_at"]) == (made["id"], False, None)


async def test_attempts_are_listed_by_cursor_while_new_ones_come(api: ApiFixture, console: httpx.AsyncClient) -> None:
    made = []
    for number in range(5):
        # Two in one moment: the cursor must tell them apart.
        api.web.now += timedelta(seconds=number % 2)
        made.append(await opened(console, account=f"cloud:{number}"))
    first = (await console.get("/v1/attempts", params={"limit": 2})).json()
    await opened(console, account="cloud:new")
    second = (await console.get("/v1/attempts", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    third = (await console.get("/v1/attempts", params={"limit": 2, "cursor": second["next_cursor"]})).json()
    of_one = (await console.get("/v1/attempts", params={"account": "cloud:3"})).json()

    listed = [each["id"] for page in (first, second, third) for each in page["attempts"]]
    assert sorted(listed) == sorted(each["id"] for each in made)
    assert [len(page["attempts"]) for page in (first, second, third)] == [2, 2, 1]
    assert third["next_cursor"] is None
    assert [each["account"] for each in of_one["attempts"]] == ["cloud:3"]
    assert "url" not in of_one["attempts"][0]


async def test_a_cancelled_attempt_stays_cancelled(api: ApiFixture, console: httpx.AsyncClient) -> None:
    made = await opened(console)
    first = await console.delete(f"/v1/attempts/{made['id']}")
    again = await console.delete(f"/v1/attempts/{made['id']}")

    assert (first.json()["status"], first.json()["url"]) == ("cancelled", None)
    assert again.json() == first.json()
    assert [use for use in await api.uses() if use[1] == "cancel attempt"] == [
        ("api:console", "cancel attempt", reference_code(AttemptId(made["id"])))
    ]


async def test_calls_are_audited_by_the_name_of_the_key_without_personal_data(
    api: ApiFixture, console: httpx.AsyncClient
) -> None:
    made = await opened(console)
    await console.get(f"/v1/attempts/{made['id']}")
    await console.get("/v1/attempts", params={"account": "cloud:100012345"})
    await console.get("/v1/attempts")
    await console.get("/v1/accounts/telegram:100012345")

    assert await api.uses() == [
        ("api:console", "look at account", "telegram:10*****45"),
        ("api:console", "attempts", ""),
        ("api:console", "attempts", "cloud:10*****45"),
        ("api:console", "open attempt", f"{made['code']} cloud:10*****45"),
    ]


@pytest.mark.parametrize(
    ("fields", "code", "sentence"),
    [
        ({"name": ""}, "invalid_name", "name: "),
        ({"name": NUMBER}, "invalid_name", "name: "),
        ({"number": NUMBER[:-1] + "1"}, "invalid_number", "number: "),
        ({"number": "22000101"}, "invalid_number", "number: "),
        ({"account": "telegram:7"}, "invalid_request", "account: "),
        ({"account": "a b"}, "invalid_request", "account: "),
        ({"method": "sms"}, "invalid_request", "method: "),
        ({"language": "de"}, "invalid_request", "language: write zh or en."),
        ({"name": 7}, "invalid_request", "name: "),
        ({"number": None}, "invalid_request", "number: "),
        ({NUMBER: 1}, "invalid_request", "The request has an unknown field."),
    ],
)
async def test_an_invalid_request_gets_a_code_and_a_sentence_without_its_values(
    api: ApiFixture,
    console: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    fields: Json,
    code: str,
    sentence: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await post(console, **fields)

    assert problem(answer, 422, ProblemCode(code))["detail"].startswith(sentence)
    assert await api.uses() == []
    assert NAME not in caplog.text
    assert NUMBER not in caplog.text


async def test_a_number_is_refused_with_its_reason(console: httpx.AsyncClient) -> None:
    name = await post(console, name="王1小2明3")
    number = await post(console, number=NUMBER[:-1] + "1")

    assert name.json()["reason"] == "characters"
    assert number.json()["reason"] == "check_digit"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "cursor=", "cursor=x", "cursor=%E7%8E%8B", "cursor=eDp5", "account=a%20b", "skip=1"],
)
async def test_an_invalid_list_query_is_refused(console: httpx.AsyncClient, query: str) -> None:
    problem(await console.get(f"/v1/attempts?{query}"), 422, ProblemCode.INVALID_REQUEST)


@pytest.mark.parametrize("path", ["attempts/x", "attempts/..%2f", f"attempts/{UNKNOWN}", "accounts/a%20b"])
async def test_what_is_unknown_is_404(console: httpx.AsyncClient, path: str) -> None:
    problem(await console.get(f"/v1/{path}"), 404, ProblemCode.NOT_FOUND)


@pytest.mark.parametrize(("verb", "path"), PATHS)
async def test_nothing_is_done_without_a_key_of_the_scope(api: ApiFixture, verb: str, path: str) -> None:
    async with caller(api.web, None) as stranger, caller(api.web, NAMED) as tickets, caller(api.web, FIRST) as former:
        unknown = await stranger.request(verb, path, json=WANTED)
        others = [await client.request(verb, path, json=WANTED) for client in (tickets, former)]

    problem(unknown, 401, ProblemCode.UNAUTHORIZED)
    for answer in others:
        problem(answer, 403, ProblemCode.FORBIDDEN)
    assert await api.uses() == []


async def test_erasing_a_person_erases_their_requests(api: ApiFixture, console: httpx.AsyncClient) -> None:
    made = await opened(console, "order-7")
    for person in await api.store.people_of(Account("cloud:100012345")):
        async with open_unit(api.store, person) as unit:
            await unit.erase(person, Account("cloud:100012345"))
    answer = await console.get(f"/v1/attempts/{made['id']}")
    again = await opened(console, "order-7")

    problem(answer, 404, ProblemCode.NOT_FOUND)
    assert again["id"] != made["id"]


async def test_a_request_is_forgotten_after_its_retention(api: ApiFixture, console: httpx.AsyncClient) -> None:
    await opened(console, "order-7")
    deleted = await api.store.purge_before(api.web.now + timedelta(seconds=1))

    assert deleted["caller_requests"] == 1


async def test_no_file_of_the_store_holds_a_name_or_number(api: ApiFixture, console: httpx.AsyncClient) -> None:
    await opened(console, "order-7")

    async with open_unit(api.store, "test") as unit:
        [request] = await unit._connection.fetch("SELECT * FROM caller_requests")
    for value in request:
        assert NAME not in str(value)
        assert NUMBER not in str(value)
