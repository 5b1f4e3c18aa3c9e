"""What programs ask of the HTTP API, on every store: once per request, listed in pages, erased and purged."""

import asyncio
from datetime import timedelta

from storage import SqlStore
from tests.contracts.conftest import Another
from tests.fakes import NOON, FakeClock, FakeProvider, make_attempt, make_deps, make_identity
from tests.open_unit import open_unit
from verification.attempts import AttemptId, AttemptStatus, Method
from verification.callers.attempts import CallerAttempts, NewAttempt
from verification.callers.keys import is_api_caller, read_callers
from verification.callers.store import CallerRequest, ListPosition
from verification.core import AttemptRequest, Core, CoreDeps
from verification.ids import Account, Actor, Contact, FrontEnd, PersonId
from verification.result_outbox import DeliveryStatus
from verification.support.store import AuditEntry

SHOP = FrontEnd("api.shop")
MOMENT = timedelta(microseconds=1)
FORMER_CLAIM = "SELECT id FROM results WHERE outcome IS NULL"
"""Which results a program of release 0.2 takes."""


def request(number: int, *, front_end: FrontEnd = SHOP, key: bytes | None = None, at: int = 0) -> CallerRequest:
    return CallerRequest(
        request_index=key or b"request-%d" % number,
        fields_index=b"fields",
        attempt=AttemptId(f"a{number}"),
        front_end=front_end,
        account=Account(f"cloud:{number}"),
        language=None,
        at=NOON + at * MOMENT,
    )


async def add(store: SqlStore, *requests: CallerRequest) -> None:
    for each in requests:
        async with open_unit(store, "add") as unit:
            await unit.save_attempt(
                make_attempt(each.attempt, each.account, contact=Contact(f"{each.front_end}:{each.account}"))
            )
            await unit.add_caller_request(each)


async def listed(
    store: SqlStore, *, account: Account | None = None, after: ListPosition | None = None, limit: int = 10
) -> list[str]:
    async with open_unit(store, "list") as unit:
        return [found.id for found in await unit.caller_attempts(SHOP, account=account, after=after, limit=limit)]


async def test_a_request_is_stored_once_and_returned_as_it_was(store: SqlStore) -> None:
    async with open_unit(store, "add") as unit:
        first = await unit.add_caller_request(request(1))
        again = await unit.add_caller_request(request(2, key=b"request-1"))
        found = await unit.caller_request(AttemptId("a1"))
        unknown = await unit.caller_request(AttemptId("a2"))

    assert first == again == found == request(1)
    assert unknown is None


async def test_a_forgotten_request_may_be_made_again(store: SqlStore) -> None:
    async with open_unit(store, "add") as unit:
        await unit.add_caller_request(request(1))
        await unit.forget_caller_request(AttemptId("a1"))
        again = await unit.add_caller_request(request(2, key=b"request-1"))

    assert again.attempt == "a2"


async def test_equal_requests_of_two_programs_at_once_give_one_attempt(store: SqlStore, another: Another) -> None:
    [shop] = read_callers(f"shop:{'k' * 24}")
    new = NewAttempt(
        account=Account("cloud:1"), identity=make_identity(), method=Method.QQ, language="en", idempotency_key="order-7"
    )

    def service(on: SqlStore, name: str) -> CallerAttempts:
        ids = iter(range(1000))
        core = Core(on, dict.fromkeys(Method, FakeProvider()), make_deps(FakeClock(), name), ttl=timedelta(minutes=10))
        return CallerAttempts(on, core, FakeClock(), lambda: f"{name}{next(ids)}", ())

    async with another() as other:
        services = service(store, "x"), service(other, "y")
        opened = await asyncio.gather(*(services[number % 2].open(shop, new) for number in range(6)))

    assert len({each.attempt.id for each in opened}) == 1
    assert {each.attempt.status for each in opened} == {AttemptStatus.WAITING}


async def test_a_page_begins_after_the_last_one_and_shows_one_front_end(store: SqlStore) -> None:
    await add(store, *(request(number, at=number // 2) for number in range(5)))
    await add(store, request(9, front_end=FrontEnd("api.other"), at=9))

    assert await listed(store) == ["a4", "a3", "a2", "a1", "a0"]
    assert await listed(store, limit=2) == ["a4", "a3"]
    assert await listed(store, after=ListPosition(NOON + MOMENT, AttemptId("a3"))) == ["a2", "a1", "a0"]
    assert await listed(store, account=Account("cloud:3")) == ["a3"]


async def test_inv39_erasing_takes_the_requests_of_the_account_alone(store: SqlStore) -> None:
    await add(store, request(1), request(2), request(3))
    for who, account in (("telegram:7", "cloud:1"), ("api.shop:cloud:2", "api.shop:cloud:2")):
        async with open_unit(store, who) as unit:
            deleted = await unit.erase(PersonId(who), Account(account))
        assert deleted["caller_requests"] == 1

    assert await listed(store) == ["a3"]


async def test_requests_are_purged_after_their_time(store: SqlStore) -> None:
    await add(store, request(1), request(2, at=1))

    assert (await store.purge_before(NOON + MOMENT))["caller_requests"] == 1


async def test_a_unit_writes_an_audit_entry_that_its_failure_takes_back(store: SqlStore) -> None:
    entry = AuditEntry(actor=Actor("api:shop"), action="attempts", subject="", at=NOON)
    async with open_unit(store, "audit") as unit:
        await unit.add_audit_entry(entry)
    async with store.support_unit(AuditEntry(actor=Actor("test"), action="uses", subject="", at=NOON)) as desk:
        entries = await desk.audit_log(limit=2)

    assert entries[1] == entry


async def test_news_of_an_attempt_is_posted_once_and_in_order_before_its_verdict(store: SqlStore) -> None:
    attempt = make_attempt("a1", "cloud:1", contact=Contact("api.shop:cloud:1"), status=AttemptStatus.OPENED)
    verdict = make_attempt("a1", "cloud:1", contact=attempt.contact, status=AttemptStatus.SUCCEEDED, identity=None)
    async with open_unit(store, "post") as unit:
        for each in (attempt, attempt, verdict):
            await unit.save_attempt(each)
            await unit.post_result(each, NOON, simulated=False)
        former = await unit._connection.fetch(FORMER_CLAIM)
    outbox, told = store.result_outbox(), []
    while results := await outbox.claim(NOON, until=NOON + MOMENT, limit=10):
        [result] = results
        told.append((result.message_id, result.status, result.front_end))
        await outbox.settle(result, DeliveryStatus.DELIVERED, NOON)

    assert told == [
        ("result_a1_opened", AttemptStatus.OPENED, SHOP),
        ("result_a1", AttemptStatus.SUCCEEDED, SHOP),
    ]
    assert len(former) == 1
    assert (await store.result_outbox().backlog()).undelivered == 0


async def test_a_front_end_that_hears_by_webhook_gets_no_notice(store: SqlStore) -> None:
    deps = make_deps(FakeClock())
    core = Core(
        store,
        dict.fromkeys(Method, FakeProvider()),
        CoreDeps(deps.clock, deps.token, deps.match_code, deps.phone_url, hears_by_webhook=is_api_caller),
        ttl=timedelta(minutes=10),
        posts_results=True,
    )
    for contact in ("api.shop:cloud:1", "telegram:7"):
        await core.begin(
            AttemptRequest(
                AttemptId(f"of-{contact[:3]}"), Account("cloud:1"), Contact(contact), make_identity(), Method.QQ
            )
        )
    await core.progress(AttemptId("of-tel"), AttemptStatus.OPENED, "")

    of_shop = await store.claim_notices(SHOP, NOON, until=NOON + MOMENT, limit=10)
    of_telegram = await store.claim_notices(FrontEnd("telegram"), NOON, until=NOON + MOMENT, limit=10)
    results = await store.result_outbox().claim(NOON, until=NOON + MOMENT, limit=10)
    assert (of_shop, [notice.status for notice in of_telegram]) == ([], [AttemptStatus.OPENED])
    assert [(result.attempt, result.status) for result in results] == [("of-api", AttemptStatus.CANCELLED)]
