import asyncio
from contextlib import suppress
from datetime import timedelta

from tests.contracts.conftest import Another
from tests.fakes import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    FakeClock,
    FakeProvider,
    make_attempt,
    make_deps,
    make_identity,
    make_request,
)
from tests.open_unit import open_unit
from verification.attempts import Attempt, Method
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import TooManyAttempts
from verification.ids import Account, PersonId
from verification.limits import DAY, AttemptLimits, RateLimitRecord

BEFORE = NOON - DAY


async def record(
    store: DialogueStore,
    name: str,
    account: str,
    contact: str,
    number: str = NUMBER,
    *,
    provider_called: bool = True,
    hours: int = 0,
) -> Attempt:
    attempt = make_attempt(name, account, contact=contact, created_at=NOON - timedelta(hours=hours))
    async with open_unit(store, "note") as unit:
        await unit.add_rate_limit_record(attempt, make_identity(number), provider_called=provider_called)
    return attempt


async def load_records(
    store: DialogueStore, attempt: Attempt, number: str = NUMBER, number_limit: int = 100
) -> list[RateLimitRecord]:
    async with open_unit(store, "look") as unit:
        records = await unit.rate_limit_records(attempt, make_identity(number), BEFORE, number_limit)
    return sorted(records, key=lambda each: each.at)


def facts(each: RateLimitRecord) -> tuple[bool, bool, bool, bool]:
    return each.provider_called, each.same_account, each.same_person, each.same_number


async def test_records_are_those_with_something_in_common_and_say_what(store: DialogueStore) -> None:
    await record(store, "a1", "cloud:1", "telegram:1", hours=4)
    await record(store, "a2", "cloud:2", "telegram:1", OTHER_NUMBER, hours=3)
    await record(store, "a3", "cloud:3", "telegram:3", hours=2)
    await record(store, "free", "cloud:3", "telegram:3", hours=2, provider_called=False)
    await record(store, "a4", "cloud:4", "telegram:4", OTHER_NUMBER, hours=1)
    await record(store, "a5", "cloud:1", "telegram:1", hours=25)

    records = await load_records(store, make_attempt("new", "cloud:1", contact="telegram:1"))

    assert [facts(each) for each in records] == [
        (True, True, True, True),
        (True, False, True, False),
        (True, False, False, True),
    ]
    assert records[0].at == NOON - timedelta(hours=4)
    assert records[0].number == records[2].number != records[1].number


async def test_of_many_records_of_a_number_only_the_latest_and_ones_own_are_listed(store: DialogueStore) -> None:
    await record(store, "mine", "cloud:me", "telegram:me", hours=9)
    for hours in range(1, 9):
        await record(store, f"a{hours}", f"cloud:{hours}", f"telegram:{hours}", hours=hours)

    records = await load_records(store, make_attempt("new", "cloud:me", contact="telegram:me"), number_limit=3)

    assert [each.at for each in records] == [NOON - timedelta(hours=hours) for hours in (9, 3, 2, 1)]


async def test_recording_an_attempt_again_replaces_the_record(store: DialogueStore) -> None:
    attempt = await record(store, "a1", "cloud:1", "telegram:1")
    await record(store, "a1", "cloud:1", "telegram:1", provider_called=False)

    assert [facts(each) for each in await load_records(store, attempt)] == [(False, True, True, True)]


async def test_of_attempts_without_a_provider_call_one_record_per_person_and_number_is_kept(
    store: DialogueStore,
) -> None:
    for each in range(5):
        attempt = await record(store, f"a{each}", "cloud:1", "telegram:1", provider_called=False, hours=5 - each)
    await record(store, "b1", "cloud:1", "telegram:1", OTHER_NUMBER, provider_called=False)
    await record(store, "c1", "cloud:1", "telegram:2", provider_called=False)
    await record(store, "d1", "cloud:1", "telegram:1")

    assert [each.provider_called for each in await load_records(store, attempt)] == [False, False, True]


async def test_the_budget_is_spent_once_the_last_of_it_is_used(store: DialogueStore) -> None:
    for hours in (30, 3, 2, 1):
        await record(store, f"a{hours}", f"cloud:{hours}", f"telegram:{hours}", hours=hours)
    await record(store, "free", "cloud:0", "telegram:0", provider_called=False)

    async with open_unit(store, "look") as unit:
        assert await unit.budget_spent(BEFORE, 4) is None
        assert await unit.budget_spent(BEFORE, 3) == NOON - timedelta(hours=3)
        assert await unit.budget_spent(BEFORE, 1) == NOON - timedelta(hours=1)


async def test_records_outlive_an_erasure_and_are_deleted_after_a_day(store: DialogueStore) -> None:
    attempt = await record(store, "a1", "telegram:1", "telegram:1", hours=1)
    async with open_unit(store, "erase") as unit:
        await unit.erase(PersonId("telegram:1"), Account("telegram:1"))
    records_left = await load_records(store, attempt)
    await store.purge_rate_limit_records(NOON - timedelta(minutes=30))

    assert len(records_left) == 1
    assert await load_records(store, attempt) == []


async def test_programs_that_begin_at_once_do_not_exceed_the_budget(another: Another) -> None:
    provider, clock, limits = FakeProvider(), FakeClock(), AttemptLimits(overall=7)

    async def begin(store: DialogueStore, each: int) -> None:
        core = Core(store, dict.fromkeys(Method, provider), make_deps(clock, f"{each}-"), ttl=DAY, limits=limits)
        with suppress(TooManyAttempts):
            await core.begin(make_request(f"a{each}", f"telegram:{each}"))

    async with another() as one, another() as two, asyncio.TaskGroup() as group:
        for each in range(40):
            group.create_task(begin((one, two)[each % 2], each))

    assert len(provider.opened) == 7
