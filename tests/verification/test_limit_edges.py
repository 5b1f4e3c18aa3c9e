"""Each limit alone, so that no other hides it: one below, at it, one above, and both ends of its day."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import fields, replace

from tests.fakes import NOON, FakeClock, FakeProvider, make_deps
from verification.attempts import AttemptId, Method, Passed
from verification.core import AttemptRequest, Core
from verification.dialogue_store import DialogueStore
from verification.errors import ProviderUnavailable, QuotaReached, TooManyAttempts
from verification.identity import Identity, Name, Number
from verification.ids import Account, Contact
from verification.limits import DAY, AttemptLimits, RateLimitRecord, refused_until

# As docs/decisions/0013 gives them.
DEFAULTS = {"account": 20, "person": 30, "number": 20, "own_share": 3, "numbers": 5, "overall": 5000}
FAR = 10**6
NONE = AttemptLimits(**dict.fromkeys(DEFAULTS, FAR))
"""Limits that nobody reaches."""

STEP = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


def test_the_defaults_are_those_of_the_decision() -> None:
    assert {each.name: getattr(AttemptLimits(), each.name) for each in fields(AttemptLimits)} == DEFAULTS
    assert timedelta(hours=24) == DAY


def record(at: int, number: str = "own", /, **facts: bool) -> RateLimitRecord:
    facts = {"provider_called": True, "same_account": False, "same_person": False, "same_number": False} | facts
    return RateLimitRecord(at=NOON + at * STEP, number=number, **facts)


RECORDS: dict[str, Callable[[int], RateLimitRecord]] = {
    "account": lambda at: record(at, same_account=True),
    "person": lambda at: record(at, "other", same_person=True),
    "numbers": lambda at: record(at, f"n{at}", same_person=True, provider_called=False),
}
"""The records that count for one limit and, as far as that is possible, for no other."""


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("others", [NONE, AttemptLimits()])
@pytest.mark.parametrize("more", [-1, 0, 1, 2])
def test_a_limit_refuses_from_its_own_number_on(name: str, others: AttemptLimits, more: int) -> None:
    limit = DEFAULTS[name]
    limits = replace(NONE, **{name: limit}) if others is NONE else others
    records = [RECORDS[name](at) for at in range(limit + more)]

    # The oldest of the last `limit` records must leave the day first.
    assert refused_until(records, limits) == (None if more < 0 else NOON + more * STEP + DAY)
    assert refused_until(records[::-1], limits) == refused_until(records, limits)


@pytest.mark.parametrize("name", RECORDS)
def test_a_limit_counts_nothing_of_other_people_and_accounts(name: str) -> None:
    strangers = [record(at, f"n{at}") for at in range(100)]

    assert refused_until(strangers, replace(NONE, **{name: 1})) is None


@pytest.mark.parametrize("crowd", [19, 20, 21])
@pytest.mark.parametrize("own", [2, 3, 4])
def test_a_number_is_refused_when_it_is_crowded_and_one_s_own_share_is_used(crowd: int, own: int) -> None:
    """Whoever waits for the sooner of both ends may try again."""
    limits = replace(NONE, number=DEFAULTS["number"], own_share=DEFAULTS["own_share"])
    strangers = [record(at, same_number=True) for at in range(crowd - own)]
    mine = [record(100 + at, same_number=True, same_person=True) for at in range(own)]
    times = sorted(each.at for each in (*strangers, *mine))
    refused = crowd >= 20 and own >= 3

    assert refused_until([*mine, *strangers], limits) == (min(times[-20], mine[-3].at) + DAY if refused else None)


@pytest.mark.parametrize("own", [2, 3])
def test_one_s_own_share_may_end_before_the_crowd_does(own: int) -> None:
    limits = replace(NONE, number=20, own_share=3)
    mine = [record(at, same_number=True, same_person=True) for at in range(own)]
    strangers = [record(100 + at, same_number=True) for at in range(30)]

    assert refused_until([*strangers, *mine], limits) == (NOON + DAY if own == 3 else None)


@pytest.mark.parametrize("name", ["account", "person", "number"])
def test_a_record_for_which_no_provider_was_asked_counts_for_no_other_limit(name: str) -> None:
    facts = {"same_account": True, "same_person": True, "same_number": True}
    limits = replace(NONE, own_share=1, **{name: 1})

    assert refused_until([record(0, provider_called=False, **facts)], limits) is None
    assert refused_until([record(0, provider_called=True, **facts)], limits) == NOON + DAY


def test_of_several_limits_the_last_end_counts() -> None:
    records = [record(0, same_account=True), record(5, "other", same_person=True)]

    assert refused_until(records, replace(NONE, account=1, person=1, numbers=1)) == NOON + 5 * STEP + DAY
    assert refused_until(records, replace(NONE, account=1, numbers=1)) == NOON + 5 * STEP + DAY
    assert refused_until(records, replace(NONE, account=1)) == NOON + DAY


def test_the_last_try_of_each_other_number_counts_in_any_order() -> None:
    records = [record(3, "x", same_person=True), record(1, "x", same_person=True), record(2, "y", same_person=True)]

    assert refused_until(records, replace(NONE, numbers=2)) == NOON + 2 * STEP + DAY
    assert refused_until(records[::-1], replace(NONE, numbers=2)) == NOON + 2 * STEP + DAY


# The same through the core and a store: what is counted, since when, and who is told to wait

LIMIT = 3
NUMBERS = ("11010519491231002X", "440524188001010014", "360426199101010071", "11010219840406970X", "440308199901101512")


def request(name: str, account: str, contact: str, number: str = NUMBERS[0]) -> AttemptRequest:
    return AttemptRequest(
        AttemptId(name), Account(account), Contact(contact), Identity(Name("王小明"), Number(number)), Method.QQ
    )


REQUESTS: dict[str, Callable[[int], AttemptRequest]] = {
    "account": lambda at: request(f"a{at}", "cloud:1", f"telegram:{at}", NUMBERS[at % 5]),
    "person": lambda at: request(f"a{at}", f"cloud:{at}", "telegram:1", NUMBERS[0]),
    "number": lambda at: request(f"a{at}", f"cloud:{at}", f"telegram:{at}" if at < 2 else "telegram:1", NUMBERS[1]),
    "numbers": lambda at: request(f"a{at}", f"cloud:{at}", "telegram:1", NUMBERS[at]),
    "overall": lambda at: request(f"a{at}", f"cloud:{at}", f"telegram:{at}", NUMBERS[at % 5]),
}
"""Requests that have only that in common which the limit counts."""


def core_with(store: DialogueStore, clock: FakeClock, limits: AttemptLimits, provider: FakeProvider) -> Core:
    # Several cores may share the store: each has tokens of its own.
    deps = make_deps(clock, f"{limits}-")
    return Core(store, dict.fromkeys(Method, provider), deps, ttl=timedelta(minutes=10), limits=limits)


def alone(name: str) -> AttemptLimits:
    return replace(NONE, **({"number": LIMIT, "own_share": 1} if name == "number" else {name: LIMIT}))


async def until(core: Core, asked: AttemptRequest) -> datetime | None:
    try:
        await core.begin(asked)
    except TooManyAttempts as refused:
        return refused.until
    return None


@pytest.mark.parametrize("name", REQUESTS)
async def test_each_limit_alone_refuses_one_too_many_until_its_day_is_over(
    name: str, store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    core = core_with(store, clock, alone(name), provider)
    for at in range(LIMIT):
        clock.now = NOON + at * STEP
        assert await until(core, REQUESTS[name](at)) is None
    over = NOON + DAY
    refusals = []
    for now in (clock.now, over - INSTANT, over):
        clock.now = now
        refusals.append(await until(core, REQUESTS[name](LIMIT)))

    assert refusals == [over, over, None]
    assert provider.opened == ["a0", "a1", "a2", "a3"]


@pytest.mark.parametrize("name", REQUESTS)
async def test_without_a_limit_of_its_own_nothing_else_refuses_it(
    name: str, store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    core = core_with(store, clock, NONE, provider)

    assert [await until(core, REQUESTS[name](at)) for at in range(LIMIT + 1)] == [None] * (LIMIT + 1)


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_provider_out_of_order_counts_for_the_different_numbers_alone(
    name: str, store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    core = core_with(store, clock, alone(name), provider)
    provider.out_of_order = True
    for at in range(LIMIT):
        with pytest.raises(ProviderUnavailable):
            await core.begin(REQUESTS[name](at))
    provider.out_of_order = False

    assert await until(core, REQUESTS[name](LIMIT)) == (NOON + DAY if name == "numbers" else None)


@pytest.mark.parametrize(("name", "is_overall"), [(name, name == "overall") for name in REQUESTS])
async def test_whether_all_people_or_one_must_wait_is_said(
    name: str, is_overall: bool, store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    core = core_with(store, clock, alone(name), provider)
    for at in range(LIMIT):
        await core.begin(REQUESTS[name](at))
    with pytest.raises(TooManyAttempts) as refused:
        await core.begin(REQUESTS[name](LIMIT))

    assert refused.value.is_overall is is_overall
    assert str(refused.value) == "until 2026-11-24 12:00 UTC"


async def test_a_refusal_for_want_of_a_slot_counts_for_the_different_numbers_alone(
    store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    everybody = core_with(store, clock, NONE, provider)
    for at in range(3):
        await everybody.begin(request(f"v{at}", f"cloud:v{at}", f"telegram:v{at}"))
        await everybody.complete(AttemptId(f"v{at}"), Passed())
    strict = core_with(store, clock, replace(NONE, account=1, person=1, numbers=1), provider)
    with pytest.raises(QuotaReached):
        await strict.begin(request("full", "cloud:1", "telegram:1"))

    assert await until(strict, request("other", "cloud:1", "telegram:1", NUMBERS[1])) == NOON + DAY
    generous = core_with(store, clock, replace(NONE, account=1, person=1), provider)
    assert await until(generous, request("other", "cloud:1", "telegram:1", NUMBERS[1])) is None
