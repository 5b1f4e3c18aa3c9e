"""Limits are checked before a provider is called; they cost no step, and erasing does not reset them."""

import asyncio
from datetime import timedelta

import pytest

from tests.fakes import NOON, NUMBER, OTHER_NUMBER, FakeClock, FakeProvider, asked_for_quota, make_deps, make_request
from tests.open_unit import open_unit
from verification.attempts import AttemptId, Method, Passed
from verification.core import AttemptRequest, Core
from verification.dialogue_store import DialogueStore
from verification.errors import ProviderUnavailable, QuotaReached, TooManyAttempts
from verification.identity import Identity, Name, Number
from verification.ids import Account, Contact, PersonId
from verification.limits import DAY, AttemptLimits

FEW = AttemptLimits(account=3, person=4, number=6, own_share=2, numbers=2, overall=1000)
NUMBERS = (NUMBER, OTHER_NUMBER, "360426199101010071", "11010219840406970X")


@pytest.fixture
def limits() -> AttemptLimits:
    return FEW


@pytest.fixture
def core(store: DialogueStore, clock: FakeClock, provider: FakeProvider, limits: AttemptLimits) -> Core:
    return Core(store, dict.fromkeys(Method, provider), make_deps(clock), ttl=timedelta(minutes=10), limits=limits)


def of(name: str, account: str, contact: str, number: str = NUMBER) -> AttemptRequest:
    return AttemptRequest(
        AttemptId(name), Account(account), Contact(contact), Identity(Name("王小明"), Number(number)), Method.WECHAT
    )


async def refusal(core: Core, request: AttemptRequest) -> TooManyAttempts:
    with pytest.raises(TooManyAttempts) as refused:
        await core.begin(request)
    return refused.value


async def test_an_account_at_its_limit_waits_and_no_provider_is_called(
    core: Core, clock: FakeClock, provider: FakeProvider
) -> None:
    for each in range(FEW.account):
        await core.begin(make_request(f"a{each}"))
        clock.advance(minutes=1)
    refused = await refusal(core, make_request("more"))

    assert refused.until == NOON + DAY
    assert not refused.is_overall
    assert provider.opened == ["a0", "a1", "a2"]


async def test_a_day_later_an_attempt_is_allowed_again(core: Core, clock: FakeClock) -> None:
    for each in range(FEW.account):
        await core.begin(make_request(f"a{each}"))
    clock.now = (await refusal(core, make_request("more"))).until

    assert await core.begin(make_request("more"))


async def test_a_refused_request_leaves_the_live_attempt(core: Core, store: DialogueStore) -> None:
    for each in range(FEW.account):
        await core.begin(make_request(f"a{each}"))
    await refusal(core, make_request("more"))

    async with open_unit(store, "look") as unit:
        live = await unit.live_attempt(Account("telegram:1"))
    assert live is not None
    assert live.id == "a2"


async def test_repeating_a_live_request_counts_once(core: Core) -> None:
    for _ in range(10):
        await core.begin(make_request("a1"))

    assert await core.begin(make_request("a2"))


async def test_a_person_with_many_accounts_is_counted_as_one(core: Core) -> None:
    for each in range(FEW.person):
        await core.begin(of(f"a{each}", f"cloud:{each}", "telegram:1"))

    await refusal(core, of("more", "cloud:99", "telegram:1"))
    assert await core.begin(of("else", "cloud:99", "telegram:2"))


async def test_a_number_is_counted_for_all_people_but_each_keeps_a_share(core: Core) -> None:
    for each in range(FEW.number):
        await core.begin(of(f"a{each}", f"cloud:{each}", f"telegram:{each}"))

    await core.begin(of("mine1", "cloud:me", "telegram:me"))
    await core.begin(of("mine2", "cloud:me", "telegram:me"))
    await refusal(core, of("mine3", "cloud:me", "telegram:me"))


async def test_a_person_can_probe_only_a_few_numbers_a_day(core: Core, provider: FakeProvider) -> None:
    for number in NUMBERS:
        for each in range(3):
            name = f"{number}-{each}"
            await core.begin(of(name, f"cloud:{name}", f"telegram:{name}", number))
            await core.complete(AttemptId(name), Passed())
    provider.opened.clear()
    answers = list[str]()
    for index, number in enumerate(NUMBERS):
        try:
            await core.begin(of(f"probe{index}", "cloud:spy", "telegram:spy", number))
        except (QuotaReached, TooManyAttempts) as error:
            answers.append(type(error).__name__)
    # Repeating the same numbers reveals nothing new, so it is answered.
    with pytest.raises(QuotaReached):
        await core.begin(of("again", "cloud:spy", "telegram:spy", NUMBERS[0]))

    assert answers == ["QuotaReached"] * FEW.numbers + ["TooManyAttempts"] * (len(NUMBERS) - FEW.numbers)
    assert provider.opened == []


async def test_asking_for_the_quota_counts_like_a_try_and_is_not_answered_beyond_the_limit(
    core: Core, store: DialogueStore
) -> None:
    for number in NUMBERS:
        for each in range(3):
            name = f"{number}-{each}"
            await core.begin(of(name, f"cloud:{name}", f"telegram:{name}", number))
            await core.complete(AttemptId(name), Passed())

    answers = [
        await asked_for_quota(core, store, of(f"probe{index}", "cloud:spy", "telegram:spy", number))
        for index, number in enumerate(NUMBERS)
    ]
    again = await asked_for_quota(core, store, of("again", "cloud:spy", "telegram:spy", NUMBERS[0]))

    assert answers == [True] * FEW.numbers + [False] * (len(NUMBERS) - FEW.numbers)
    assert again is True
    await refusal(core, of("begun", "cloud:spy", "telegram:spy", NUMBERS[-1]))


async def test_an_unavailable_provider_costs_no_attempt(core: Core, provider: FakeProvider) -> None:
    provider.out_of_order = True
    for each in range(20):
        with pytest.raises(ProviderUnavailable):
            await core.begin(make_request(f"down{each}"))
    provider.out_of_order = False

    for each in range(FEW.account):
        assert await core.begin(make_request(f"up{each}"))


async def test_cancelling_during_the_provider_call_still_counts(core: Core, provider: FakeProvider) -> None:
    for each in range(FEW.account):

        async def cancel(name: str = f"a{each}") -> None:
            await core.cancel(AttemptId(name))

        provider.before_answer = cancel
        with pytest.raises(Exception, match=f"a{each}"):
            await core.begin(make_request(f"a{each}"))

    await refusal(core, make_request("more"))


async def test_erasing_does_not_reset_the_limits(core: Core, store: DialogueStore) -> None:
    for each in range(FEW.account):
        await core.begin(make_request(f"a{each}"))
        async with open_unit(store, "telegram:1") as unit:
            await unit.erase(PersonId("telegram:1"), Account("telegram:1"))

    await refusal(core, make_request("more"))


@pytest.mark.parametrize("limits", [AttemptLimits(overall=5)])
async def test_all_people_together_share_a_budget(core: Core, clock: FakeClock, provider: FakeProvider) -> None:
    for each in range(5):
        await core.begin(make_request(f"a{each}", f"telegram:{each}"))
        clock.advance(minutes=1)
    refused = await refusal(core, make_request("more", "telegram:99"))
    clock.now = refused.until

    assert refused.is_overall
    assert refused.until == NOON + DAY
    assert len(provider.opened) == 5
    assert await core.begin(make_request("more", "telegram:99"))


async def test_many_people_at_once_do_not_exceed_the_budget(
    store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    core = Core(
        store,
        dict.fromkeys(Method, provider),
        make_deps(clock),
        ttl=timedelta(minutes=10),
        limits=AttemptLimits(number=100, overall=7),
    )

    async def one(each: int) -> bool:
        try:
            await core.begin(make_request(f"a{each}", f"telegram:{each}"))
        except TooManyAttempts:
            return False
        return True

    through = await asyncio.gather(*map(one, range(40)))

    assert sum(through) == len(provider.opened) == 7


async def test_a_refusal_names_no_account_and_no_number(core: Core) -> None:
    for each in range(FEW.account):
        await core.begin(make_request(f"a{each}"))
    refused = await refusal(core, make_request("more"))

    assert NUMBER not in str(refused)
    assert "telegram" not in str(refused)
