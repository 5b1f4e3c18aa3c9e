"""A method without a provider is off: nothing is begun by it, and what was begun before ends."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.fakes import NOON, TELEGRAM, FakeClock, FakeProvider, make_attempt, make_deps, make_request
from tests.open_unit import open_unit
from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, Passed
from verification.core import AttemptRequest, Core
from verification.dialogue_store import DialogueStore
from verification.errors import AttemptOver, MethodOff, ProviderUnavailable
from verification.identity import Identity
from verification.ids import Account
from verification.ports import Notice, NoticeKind, ProviderSession

LATER = NOON + timedelta(seconds=60)


def core_with(store: DialogueStore, *on: Method, simulated: bool = True) -> Core:
    providers = dict.fromkeys(on, FakeProvider(simulated=simulated))
    return Core(store, providers, make_deps(FakeClock(), "again-"), ttl=timedelta(minutes=10))


async def load(store: DialogueStore, request: AttemptRequest) -> Attempt | None:
    async with open_unit(store, "look") as unit:
        return await unit.attempt(request.id)


async def notices(store: DialogueStore) -> Sequence[Notice]:
    return await store.claim_notices(TELEGRAM, NOON, until=LATER, limit=100)


async def test_a_method_that_is_off_is_refused_and_nothing_is_stored(store: DialogueStore) -> None:
    request = make_request()
    with pytest.raises(MethodOff):
        await core_with(store, Method.QQ).begin(request)

    assert request.method is Method.WECHAT
    assert await load(store, request) is None


async def test_live_attempts_of_a_method_that_is_off_end_and_their_people_are_told(store: DialogueStore) -> None:
    before, now = core_with(store, *Method), core_with(store, Method.FACE)
    requests = [make_request(f"a{number}", f"telegram:{number}") for number in range(3)]
    for request in requests:
        await before.begin(request)

    assert await now.end_attempts_of_methods_off() == len(requests)

    ended = [await load(store, request) for request in requests]
    assert [(attempt and attempt.status, attempt and attempt.identity) for attempt in ended] == [
        (AttemptStatus.CANCELLED, None)
    ] * 3
    told = await notices(store)
    assert [(notice.kind, notice.status) for notice in told] == [(NoticeKind.ENDED, AttemptStatus.CANCELLED)] * 3
    assert await now.end_attempts_of_methods_off() == 0


async def test_attempts_of_a_method_that_is_on_stay(store: DialogueStore) -> None:
    request = make_request()
    await core_with(store, *Method).begin(request)

    assert await core_with(store, Method.WECHAT).end_attempts_of_methods_off() == 0
    attempt = await load(store, request)
    assert attempt is not None
    assert attempt.live


async def test_a_request_that_is_repeated_after_its_method_was_switched_off_ends_its_attempt(
    store: DialogueStore,
) -> None:
    request = make_request()
    await core_with(store, *Method).begin(request)

    with pytest.raises(MethodOff):
        await core_with(store, Method.FACE).begin(request)

    attempt = await load(store, request)
    assert attempt is not None
    assert attempt.status is AttemptStatus.CANCELLED


@pytest.mark.parametrize("simulated", [True, False])
async def test_a_success_says_for_good_whether_its_provider_was_simulated(
    store: DialogueStore, simulated: bool
) -> None:
    core = core_with(store, *Method, simulated=simulated)
    request = make_request()
    scan_code = await core.begin(request)
    await core.complete(request.id, Passed())

    # Another provider stands behind the method since, which changes nothing about this success.
    other = core_with(store, *Method, simulated=not simulated)
    slot = await other.slot_of(Account("telegram:1"))
    assert slot is not None
    assert (scan_code.simulated, slot.simulated) == (simulated, simulated)
    assert [notice.simulated for notice in await notices(store)] == [simulated]


async def test_an_attempt_that_cannot_be_read_ends_too(store: DialogueStore) -> None:
    await core_with(store, *Method).begin(make_request("a1"))
    async with open_unit(store, "damage") as unit:
        await unit._connection.fetch("UPDATE attempts SET secrets = x'00' WHERE id = 'a1'")

    assert await core_with(store, Method.FACE).end_attempts_of_methods_off() == 1
    assert await core_with(store, Method.FACE).end_attempts_of_methods_off() == 0


async def test_an_attempt_that_ended_meanwhile_stays_as_it_is(store: DialogueStore) -> None:
    request, core = make_request("a1"), core_with(store, *Method)
    await core.begin(request)
    await core.complete(request.id, Passed())
    await core._withdraw(request.id)

    ended = await load(store, request)
    assert ended is not None
    assert ended.status is AttemptStatus.SUCCEEDED


class AbsentProvider(FakeProvider):
    """A provider that does not answer."""

    async def open(self, attempt: AttemptId, identity: Identity | None, return_url: str) -> ProviderSession:
        raise ProviderUnavailable(attempt)


@pytest.mark.parametrize("is_begun", [False, True], ids=["erased", "ended"])
async def test_a_session_that_fails_after_its_attempt_is_over_changes_nothing(
    store: DialogueStore, is_begun: bool
) -> None:
    request, core = make_request("a1"), core_with(store, *Method)
    if is_begun:
        await core.begin(request)
        await core.complete(request.id, Passed())
    absent = Core(
        store, {request.method: AbsentProvider()}, make_deps(FakeClock(), "again-"), ttl=timedelta(minutes=10)
    )
    with pytest.raises(ProviderUnavailable):
        await absent.open_session(make_attempt(request.id, request.account))

    kept = await load(store, request)
    assert (kept and kept.status) == (AttemptStatus.SUCCEEDED if is_begun else None)


async def test_no_session_is_opened_for_an_attempt_that_has_ended(store: DialogueStore) -> None:
    core = core_with(store, *Method)
    with pytest.raises(AttemptOver):
        await core.open_session(make_attempt(status=AttemptStatus.CANCELLED, identity=None))
