"""A method without a typed identity: the verdict names the person, and the quota counts by that name."""

from datetime import timedelta

import pytest

from tests.fakes import FakeClock, FakeProvider, make_deps, make_identity, make_request
from tests.open_unit import open_unit
from verification.attempts import AttemptId, AttemptStatus, Method, Passed, Reason, Rejected
from verification.core import AttemptRequest, Core
from verification.dialogue_store import DialogueStore
from verification.errors import AttemptOver, ProviderUnavailable, TooManyAttempts
from verification.identity import NetworkIdentity
from verification.ids import Account, Contact
from verification.limits import AttemptLimits
from verification.ports import MAX_ACCOUNTS
from verification.providers.simulated.provider import SimulatedProvider

ANNA = Passed(NetworkIdentity("a network identity"))
BELA = Passed(NetworkIdentity("another one"))


def make_core(store: DialogueStore, provider: FakeProvider | None = None, **limits: int) -> Core:
    providers = dict.fromkeys(Method, provider or FakeProvider())
    return Core(store, providers, make_deps(FakeClock()), ttl=timedelta(minutes=10), limits=AttemptLimits(**limits))


def request(name: str, account: str, contact: str = "telegram:1") -> AttemptRequest:
    return AttemptRequest(AttemptId(name), Account(account), Contact(contact), None, Method.NETID)


async def verified(core: Core, account: str, verdict: Passed = ANNA, contact: str = "telegram:1") -> Reason | None:
    attempt = request(f"attempt-of-{account}", account, contact)
    await core.begin(attempt)
    return (await core.complete(attempt.id, verdict)).reason


async def test_three_accounts_of_one_network_identity_are_verified_whoever_asks(store: DialogueStore) -> None:
    core = make_core(store)
    reasons = [await verified(core, f"cloud:{each}", contact=f"telegram:{each}") for each in range(MAX_ACCOUNTS + 1)]

    assert reasons == [None] * MAX_ACCOUNTS + [Reason.QUOTA]
    assert await verified(core, "cloud:other", BELA) is None
    async with open_unit(store, "look") as unit:
        assert len(await unit.accounts_of(NetworkIdentity("a network identity"))) == MAX_ACCOUNTS


async def test_a_number_and_a_network_identity_have_places_of_their_own(store: DialogueStore) -> None:
    core = make_core(store)
    for each in range(MAX_ACCOUNTS):
        await core.begin(make_request(f"a{each}", f"cloud:{each}"))
        await core.complete(AttemptId(f"a{each}"), Passed())

    assert await verified(core, "cloud:more") is None
    async with open_unit(store, "look") as unit:
        assert len(await unit.accounts_of(make_identity())) == MAX_ACCOUNTS


async def test_a_pass_that_names_nobody_grants_nothing(store: DialogueStore) -> None:
    core = make_core(store)
    await core.begin(request("a1", "cloud:1"))
    with pytest.raises(AttemptOver):
        await core.complete(AttemptId("a1"), Passed())

    async with open_unit(store, "look") as unit:
        assert await unit.slot_of(Account("cloud:1")) is None


async def test_a_network_identity_of_the_verdict_does_not_replace_a_typed_one(store: DialogueStore) -> None:
    core = make_core(store)
    await core.begin(make_request("a1", "cloud:1"))
    await core.complete(AttemptId("a1"), ANNA)

    async with open_unit(store, "look") as unit:
        assert await unit.accounts_of(make_identity()) == {"cloud:1"}


async def test_the_attempts_of_different_people_do_not_count_together(store: DialogueStore) -> None:
    core = make_core(store, number=2, own_share=2, account=9, person=9, numbers=9)
    for each in range(3):
        await core.begin(request(f"other-{each}", f"cloud:{each}", f"telegram:{each + 10}"))
    for each in range(2):
        await core.begin(request(f"own-{each}", "cloud:own"))

    with pytest.raises(TooManyAttempts):
        await core.begin(request("own-3", "cloud:own"))


async def test_the_same_request_gives_the_same_attempt_and_an_outage_ends_it(store: DialogueStore) -> None:
    provider = FakeProvider()
    core = make_core(store, provider)
    assert await core.begin(request("a1", "cloud:1")) == await core.begin(request("a1", "cloud:1"))
    provider.out_of_order = True
    with pytest.raises(ProviderUnavailable):
        await core.begin(request("a2", "cloud:2"))

    async with open_unit(store, "look") as unit:
        ended = await unit.attempt(AttemptId("a2"))
    assert ended is not None
    assert ended.status is AttemptStatus.CANCELLED


async def test_the_simulated_provider_names_the_person_who_asks(store: DialogueStore) -> None:
    core, pages = make_core(store), SimulatedProvider(Method.NETID)
    await core.begin(request("a1", "cloud:1", "telegram:7"))
    go = {"stage": "check", "press": "go_authorise"}
    attempt = await core.move("token-1", lambda now: pages.press(now, go).move)
    assert attempt is not None
    moves = [
        pages.press(attempt, {"stage": "authorise", "press": "authorise", "choice": choice}).move
        for choice in ("pass", "declined")
    ]

    assert moves == [Passed(NetworkIdentity("simulated:telegram:7")), Rejected(Reason.DECLINED)]
    assert "telegram:7" not in repr(moves)
