"""The result outbox on every store: posted with the verdict, shared among programs, stored until delivered."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest

from storage import SqlStore, open_database
from storage.inspection import inspect_database
from tests.contracts.conftest import Another
from tests.fakes import NOON, FakeClock, FakeProvider, make_attempt, make_deps, make_request, make_sealing
from tests.open_unit import open_unit
from tests.reliability import Proof
from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.core import Core
from verification.ids import Account, FrontEnd, PersonId
from verification.result_outbox import MAX_BLOCKING_TRIES, MAX_CLOCK_SKEW, DeliveryStatus, OutgoingResult, ResultBacklog

LEASE = timedelta(seconds=20)
MOMENT = timedelta(microseconds=1)
WEEK = timedelta(days=7)
ANNA = "telegram:100012345"


def verdict(number: int, account: str = ANNA, status: AttemptStatus = AttemptStatus.SUCCEEDED) -> Attempt:
    reason = Reason.MISMATCH if status is AttemptStatus.FAILED else None
    return make_attempt(f"a{number}", account, status=status, reason=reason, identity=None)


async def post(store: SqlStore, *attempts: Attempt) -> None:
    for attempt in attempts:
        async with open_unit(store, "post") as unit:
            await unit.save_attempt(attempt)
            await unit.post_result(attempt, NOON, simulated=False)


async def claim(store: SqlStore, after: timedelta = timedelta(), limit: int = 10) -> Sequence[OutgoingResult]:
    return await store.result_outbox().claim(NOON + after, until=NOON + after + LEASE, limit=limit)


async def claimed(store: SqlStore, after: timedelta = timedelta(), limit: int = 10) -> list[str]:
    return [result.attempt for result in await claim(store, after, limit)]


def core_of(store: SqlStore, *, posts_results: bool) -> Core:
    methods = dict.fromkeys(Method, FakeProvider())
    return Core(store, methods, make_deps(FakeClock()), ttl=timedelta(minutes=10), posts_results=posts_results)


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [(Passed(), AttemptStatus.SUCCEEDED, None), (Rejected(Reason.NO_CARD), AttemptStatus.FAILED, Reason.NO_CARD)],
)
async def test_a_repeated_verdict_is_posted_once(
    store: SqlStore, outcome: Verdict, status: AttemptStatus, reason: Reason | None
) -> None:
    core = core_of(store, posts_results=True)
    scan_code = await core.begin(make_request())
    for _ in range(2):
        await core.complete(scan_code.attempt, outcome)

    [result] = await claim(store)
    claimed_results = OutgoingResult(
        id=result.id,
        attempt=AttemptId("a1"),
        account=Account("telegram:1"),
        method=Method.WECHAT,
        status=status,
        reason=reason,
        simulated=True,
        at=NOON,
        front_end=FrontEnd("telegram"),
    )
    assert result == claimed_results


async def test_a_success_without_a_slot_is_posted_as_a_failure(store: SqlStore) -> None:
    core = core_of(store, posts_results=True)
    for number in range(4):
        await core.begin(make_request(f"a{number}", f"telegram:{number}"))
    for number in range(4):
        await core.complete(AttemptId(f"a{number}"), Passed())

    results = await claim(store)
    assert [(result.status, result.reason) for result in results] == [(AttemptStatus.SUCCEEDED, None)] * 3 + [
        (AttemptStatus.FAILED, Reason.QUOTA)
    ]


async def test_without_a_receiver_no_result_is_stored(store: SqlStore) -> None:
    core = core_of(store, posts_results=False)
    scan_code = await core.begin(make_request())
    await core.complete(scan_code.attempt, Passed())

    assert await claim(store) == []


async def test_an_attempt_without_a_verdict_gives_no_result(store: SqlStore) -> None:
    core = core_of(store, posts_results=True)
    await core.begin(make_request("a1"))
    await core.begin(make_request("a2"))
    await core.cancel(AttemptId("a2"))

    assert await claim(store) == []


async def test_a_result_of_a_failed_unit_is_never_sent(store: SqlStore) -> None:
    with suppress(ZeroDivisionError):
        async with open_unit(store, "fails") as unit:
            await unit.save_attempt(verdict(1))
            await unit.post_result(verdict(1), NOON, simulated=False)
            raise ZeroDivisionError

    assert await claim(store) == []


async def test_an_attempt_has_one_result(store: SqlStore) -> None:
    await post(store, verdict(1), verdict(1, status=AttemptStatus.FAILED))

    assert [result.status for result in await claim(store)] == [AttemptStatus.SUCCEEDED]


async def test_a_leased_result_goes_to_no_other_claim_until_the_lease_ends(store: SqlStore) -> None:
    await post(store, verdict(1))

    assert await claimed(store) == ["a1"]
    assert await claimed(store, LEASE - MOMENT) == []
    assert await claimed(store, LEASE) == ["a1"]


async def test_inv29_a_clock_that_was_set_back_delays_no_result(store: SqlStore) -> None:
    await post(store, verdict(1))
    assert await claimed(store, timedelta(days=1)) == ["a1"]

    assert await claimed(store) == ["a1"]


async def test_clocks_that_differ_a_little_do_not_break_a_lease(store: SqlStore) -> None:
    await post(store, verdict(1))
    assert await claimed(store, MAX_CLOCK_SKEW) == ["a1"]

    assert await claimed(store) == []


async def test_a_postponed_result_is_due_at_its_time_with_its_tries_counted(store: SqlStore) -> None:
    await post(store, verdict(1))
    [result] = await claim(store)
    await store.result_outbox().postpone(result, NOON + timedelta(hours=2))

    assert await claim(store, timedelta(hours=2) - MOMENT) == []
    [again] = await claim(store, timedelta(hours=2))
    assert (again.id, again.tries) == (result.id, 1)


async def test_a_settled_result_is_never_sent_again(store: SqlStore) -> None:
    await post(store, verdict(1))
    [result] = await claim(store)
    await store.result_outbox().settle(result, DeliveryStatus.DELIVERED, NOON)
    await store.result_outbox().postpone(result, NOON)
    await store.result_outbox().settle(result, DeliveryStatus.ABANDONED, NOON)

    assert await claim(store, timedelta(days=1)) == []
    assert (await store.purge_processed(NOON + MOMENT))["results"] == 1


async def test_the_results_of_an_account_come_one_after_the_other(store: SqlStore) -> None:
    await post(store, verdict(1, status=AttemptStatus.FAILED), verdict(2), verdict(3, "telegram:7"))

    claimed_results = await claim(store)
    assert [result.attempt for result in claimed_results] == ["a1", "a3"]
    await store.result_outbox().settle(claimed_results[0], DeliveryStatus.DELIVERED, NOON)
    assert await claimed(store) == ["a2"]


async def test_an_undeliverable_result_does_not_block_later_ones_of_its_account(store: SqlStore) -> None:
    await post(store, verdict(1, status=AttemptStatus.FAILED), verdict(2))
    came = []
    for _ in range(MAX_BLOCKING_TRIES):
        [result] = await claim(store)
        came.append(result.attempt)
        await store.result_outbox().postpone(result, NOON)

    assert came == ["a1"] * MAX_BLOCKING_TRIES
    assert await claimed(store) == ["a1", "a2"]


async def test_untried_results_come_before_failed_ones(store: SqlStore) -> None:
    await post(store, verdict(1, "telegram:1"))
    [failed] = await claim(store)
    await store.result_outbox().postpone(failed, NOON)
    await post(store, verdict(2, "telegram:2"))

    assert [await claimed(store, limit=1), await claimed(store, limit=1)] == [["a2"], ["a1"]]


async def test_inv31_programs_share_out_the_results(store: SqlStore, another: Another, proof: Proof) -> None:
    await post(store, *(verdict(number, f"telegram:{number}") for number in range(30)))

    async with another() as other, asyncio.TaskGroup() as group:
        assert isinstance(other, SqlStore)
        claims = [group.create_task(claimed(store if number % 2 else other, limit=4)) for number in range(10)]
    claimed_results = [attempt for each in claims for attempt in each.result()]

    assert len(claimed_results) == len(set(claimed_results)) == 30
    proof(cases=30)


async def test_settled_results_are_purged_after_their_time_and_others_stay(store: SqlStore) -> None:
    await post(store, verdict(1, "telegram:1"), verdict(2, "telegram:2"))
    [claimed_results, _] = await claim(store)
    await store.result_outbox().settle(claimed_results, DeliveryStatus.DELIVERED, NOON)

    assert (await store.purge_processed(NOON))["results"] == 0
    assert (await store.purge_processed(NOON + MOMENT))["results"] == 1
    assert (await store.purge_before(NOON + WEEK))["results"] == 0
    assert (await store.purge_before(NOON + WEEK + MOMENT))["results"] == 1


@pytest.mark.parametrize("who", [ANNA, "telegram:200000001"], ids=["the account's own chat", "another chat"])
async def test_inv39_erasing_leaves_only_an_undelivered_success(store: SqlStore, who: str) -> None:
    await post(store, verdict(1), verdict(2, status=AttemptStatus.FAILED), verdict(3, "telegram:7"))
    [done, other] = await claim(store)
    await store.result_outbox().settle(done, DeliveryStatus.DELIVERED, NOON)
    await post(store, verdict(4))
    async with open_unit(store, who) as unit:
        deleted = await unit.erase(PersonId(who), Account(ANNA))

    assert deleted["results"] == 2
    assert {*await claimed(store, LEASE), other.attempt} == {"a4", "a3"}


async def test_an_inspection_counts_undelivered_results_and_says_since_when(store: SqlStore, url: str) -> None:
    await post(store, *(verdict(number, f"telegram:{number}") for number in range(3)))
    [first, *_] = await claim(store)
    await store.result_outbox().settle(first, DeliveryStatus.ABANDONED, NOON)
    async with open_database(url) as database:
        condition = await inspect_database(database, make_sealing())

    assert condition.results == ResultBacklog(undelivered=2, since=NOON, abandoned=1)
