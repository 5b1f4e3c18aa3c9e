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
from verification.attempts import Attempt, Method
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import TooManyAttempts
from verification.ids import Account, PersonId
from verification.limits import DAY, AttemptLimits, RateLimitRecord

BEFORE = NOON - DAY


async def note(
    store: DialogueStore,
    name: str,
    account: str,
    contact: str,
    number: str = NUMBER,
    *,
    asked: bool = True,
    hours: int = 0,
) -> Attempt:
    attempt = make_attempt(name, account, contact=contact, created_at=NOON - timedelta(hours=hours))
    async with store.unit("note") as unit:
        await unit.add_rate_limit_record(attempt, make_identity(number), asked=asked)
    return attempt


async def tries(
    store: DialogueStore, attempt: Attempt, number: str = NUMBER, crowd: int = 100
) -> list[RateLimitRecord]:
    async with store.unit("look") as unit:
        found = await unit.rate_limit_records(attempt, make_identity(number), BEFORE, crowd)
    return sorted(found, key=lambda each: each.at)


def facts(each: RateLimitRecord) -> tuple[bool, bool, bool, bool]:
    return each.asked, each.same_account, each.same_person, each.same_number


async def test_tries_are_those_with_something_in_common_and_say_what(store: DialogueStore) -> None:
    await note(store, "a1", "cloud:1", "telegram:1", hours=4)
    await note(store, "a2", "cloud:2", "telegram:1", OTHER_NUMBER, hours=3)
    await note(store, "a3", "cloud:3", "telegram:3", hours=2)
    await note(store, "free", "cloud:3", "telegram:3", hours=2, asked=False)
    await note(store, "a4", "cloud:4", "telegram:4", OTHER_NUMBER, hours=1)
    await note(store, "a5", "cloud:1", "telegram:1", hours=25)

    found = await tries(store, make_attempt("new", "cloud:1", contact="telegram:1"))

    assert [facts(each) for each in found] == [
        (True, True, True, True),
        (True, False, True, False),
        (True, False, False, True),
    ]
    assert found[0].at == NOON - timedelta(hours=4)
    assert found[0].number == found[2].number != found[1].number


async def test_of_a_crowd_with_one_number_only_the_last_are_listed_and_one_s_own(store: DialogueStore) -> None:
    await note(store, "mine", "cloud:me", "telegram:me", hours=9)
    for hours in range(1, 9):
        await note(store, f"a{hours}", f"cloud:{hours}", f"telegram:{hours}", hours=hours)

    found = await tries(store, make_attempt("new", "cloud:me", contact="telegram:me"), crowd=3)

    assert [each.at for each in found] == [NOON - timedelta(hours=hours) for hours in (9, 3, 2, 1)]


async def test_a_try_noted_again_replaces_the_former(store: DialogueStore) -> None:
    attempt = await note(store, "a1", "cloud:1", "telegram:1")
    await note(store, "a1", "cloud:1", "telegram:1", asked=False)

    assert [facts(each) for each in await tries(store, attempt)] == [(False, True, True, True)]


async def test_of_tries_for_which_nobody_was_asked_one_a_person_and_number_is_kept(store: DialogueStore) -> None:
    for each in range(5):
        attempt = await note(store, f"a{each}", "cloud:1", "telegram:1", asked=False, hours=5 - each)
    await note(store, "b1", "cloud:1", "telegram:1", OTHER_NUMBER, asked=False)
    await note(store, "c1", "cloud:1", "telegram:2", asked=False)
    await note(store, "d1", "cloud:1", "telegram:1")

    assert [each.asked for each in await tries(store, attempt)] == [False, False, True]


async def test_the_budget_is_spent_from_the_moment_the_last_of_it_was(store: DialogueStore) -> None:
    for hours in (30, 3, 2, 1):
        await note(store, f"a{hours}", f"cloud:{hours}", f"telegram:{hours}", hours=hours)
    await note(store, "free", "cloud:0", "telegram:0", asked=False)

    async with store.unit("look") as unit:
        assert await unit.budget_spent(BEFORE, 4) is None
        assert await unit.budget_spent(BEFORE, 3) == NOON - timedelta(hours=3)
        assert await unit.budget_spent(BEFORE, 1) == NOON - timedelta(hours=1)


async def test_tries_outlive_an_erasure_and_are_forgotten_after_their_day(store: DialogueStore) -> None:
    attempt = await note(store, "a1", "telegram:1", "telegram:1", hours=1)
    async with store.unit("erase") as unit:
        await unit.erase(PersonId("telegram:1"), Account("telegram:1"))
    kept = await tries(store, attempt)
    await store.purge_rate_limit_records(NOON - timedelta(minutes=30))

    assert len(kept) == 1
    assert await tries(store, attempt) == []


async def test_of_programs_that_begin_at_once_no_more_than_the_budget_gets_through(another: Another) -> None:
    provider, clock, limits = FakeProvider(), FakeClock(), AttemptLimits(overall=7)

    async def begin(store: DialogueStore, each: int) -> None:
        core = Core(store, dict.fromkeys(Method, provider), make_deps(clock, f"{each}-"), ttl=DAY, limits=limits)
        with suppress(TooManyAttempts):
            await core.begin(make_request(f"a{each}", f"telegram:{each}"))

    async with another() as one, another() as two, asyncio.TaskGroup() as group:
        for each in range(40):
            group.create_task(begin((one, two)[each % 2], each))

    assert len(provider.asked) == 7
