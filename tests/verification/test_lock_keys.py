"""Which operations wait for each other: transactions with one key run one after the other, on every machine."""

from datetime import timedelta

import pytest

from tests.contracts.test_provider_polling import FakeRemoteProvider, program
from tests.fakes import FakeClock, make_request
from tests.web.memory_store import MemoryStore
from verification.attempts import AttemptId, AttemptStatus, Passed
from verification.errors import ProviderUnavailable
from verification.ids import Account

A1, ACCOUNT = AttemptId("a1"), Account("telegram:1")


async def test_a_reservation_waits_for_others_of_its_account_and_other_operations_for_its_attempt(
    clock: FakeClock,
) -> None:
    store, keys = MemoryStore(), list[str]()
    ours = program(store, FakeRemoteProvider(), clock)
    store.before_unit = keys.append

    await ours.core.begin(make_request())
    await ours.core.find_by_token("token-1")
    await ours.core.move("token-1", lambda _: None)
    await ours.core.slot_of(ACCOUNT)
    await ours.core.progress(A1, AttemptStatus.OPENED, "page")
    await ours.poller.poll_due()
    await ours.poller.poll_one(A1)
    await ours.core.complete(A1, Passed())
    await ours.core.cancel(A1)

    assert keys == [ACCOUNT, ACCOUNT, "token:token-1", "token:token-1", ACCOUNT, A1, "asks", A1, A1, A1]


async def test_an_expiry_waits_for_its_attempt(clock: FakeClock) -> None:
    store, keys = MemoryStore(), list[str]()
    core = program(store, FakeRemoteProvider(), clock).core
    await core.begin(make_request())
    clock.now += timedelta(hours=1)
    store.before_unit = keys.append

    assert await core.expire_due() == 1
    assert keys == ["sweep", A1]


async def test_a_provider_s_failure_is_recorded_under_the_account(clock: FakeClock) -> None:
    store, keys = MemoryStore(), list[str]()
    core = program(store, FakeRemoteProvider(out_of_order=True), clock).core
    store.before_unit = keys.append

    with pytest.raises(ProviderUnavailable):
        await core.begin(make_request())

    assert keys == [ACCOUNT, ACCOUNT]
