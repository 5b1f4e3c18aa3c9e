import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.fakes import (
    NOON,
    OTHER_NUMBER,
    TELEGRAM,
    FakeClock,
    FakeProvider,
    asked_for_quota,
    make_identity,
    make_request,
)
from tests.open_unit import open_unit
from verification.attempts import Attempt, AttemptId, AttemptStatus, Passed, ProviderApp
from verification.core import Core, ScanCode
from verification.dialogue_store import DialogueStore
from verification.errors import AlreadyVerified, AttemptOver, ProviderUnavailable, QuotaReached
from verification.ids import Account, Contact, PersonId
from verification.ports import MAX_ACCOUNTS


async def verify(core: Core, name: str, account: str | None = None) -> None:
    request = make_request(name, account or f"telegram:{name}")
    await core.begin(request)
    await core.complete(request.id, Passed())


async def load(store: DialogueStore, attempt_id: str = "a1") -> Attempt:
    async with open_unit(store, "look") as unit:
        attempt = await unit.attempt(AttemptId(attempt_id))
    assert attempt is not None
    return attempt


async def test_beginning_returns_the_address_the_match_code_and_the_expiry(core: Core, store: DialogueStore) -> None:
    scan_code = await core.begin(make_request())

    assert scan_code == ScanCode(
        attempt=AttemptId("a1"),
        phone_url="http://127.0.0.1:8080/q/token-1",
        match_code="42",
        expires_at=NOON + timedelta(minutes=10),
        simulated=True,
        app=ProviderApp.WECHAT,
    )
    attempt = await load(store)
    assert (attempt.status, attempt.provider_state, attempt.identity) == (
        AttemptStatus.WAITING,
        "page-of-a1",
        make_identity(),
    )
    assert await core.find_by_token("token-1") == attempt
    assert await core.find_by_token("token-2") is None


async def test_the_repr_of_a_scan_code_hides_its_address(core: Core) -> None:
    assert "token-1" not in repr(await core.begin(make_request()))


async def test_the_time_limit_starts_when_the_provider_answers(
    core: Core, clock: FakeClock, provider: FakeProvider
) -> None:
    async def answers_late() -> None:
        clock.advance(seconds=50)

    provider.before_answer = answers_late

    assert (await core.begin(make_request())).expires_at == NOON + timedelta(minutes=10, seconds=50)


async def test_beginning_again_returns_the_same_attempt_without_a_provider_call(
    core: Core, provider: FakeProvider
) -> None:
    first = await core.begin(make_request())

    assert await core.begin(make_request()) == first
    assert provider.opened == ["a1"]


async def test_beginning_twice_at_once_opens_one_attempt(core: Core) -> None:
    openings = await asyncio.gather(*(core.begin(make_request()) for _ in range(5)))

    assert len(set(openings)) == 1


async def test_after_a_crash_during_the_provider_call_the_same_request_continues(
    core: Core, store: DialogueStore, provider: FakeProvider
) -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    provider.before_answer = crash
    with pytest.raises(ZeroDivisionError):
        await core.begin(make_request())
    assert (await load(store)).status is AttemptStatus.RESERVED

    assert (await core.begin(make_request())).phone_url.endswith("token-1")
    assert provider.opened == ["a1", "a1"]


async def test_a_fourth_account_is_refused_before_any_provider_call(core: Core, provider: FakeProvider) -> None:
    for number in range(MAX_ACCOUNTS):
        await verify(core, f"v{number}")
    with pytest.raises(QuotaReached):
        await core.begin(make_request("a4", "telegram:4"))

    assert "a4" not in provider.opened
    assert await core.begin(make_request("a5", "telegram:4", OTHER_NUMBER))


async def test_the_quota_is_told_before_a_method_is_chosen_and_opens_nothing(
    core: Core, store: DialogueStore, provider: FakeProvider
) -> None:
    for number in range(MAX_ACCOUNTS):
        await verify(core, f"v{number}")

    full = await asked_for_quota(core, store, make_request("q1", "telegram:4"))
    own = await asked_for_quota(core, store, make_request("q2", "telegram:v0"))
    free = await asked_for_quota(core, store, make_request("q3", "telegram:4", OTHER_NUMBER))

    assert (full, own, free) == (True, False, False)
    assert provider.opened == ["v0", "v1", "v2"]


async def test_a_verified_account_cannot_begin(core: Core, provider: FakeProvider) -> None:
    assert await core.slot_of(Account("telegram:v")) is None
    await verify(core, "v")
    with pytest.raises(AlreadyVerified):
        await core.begin(make_request("a2", "telegram:v", OTHER_NUMBER))

    slot = await core.slot_of(Account("telegram:v"))
    assert slot is not None
    assert slot.at == NOON
    assert provider.opened == ["v"]


async def test_a_new_attempt_cancels_the_older_one_of_the_account(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request("a1"))
    await core.begin(make_request("a2"))

    assert (await load(store, "a1")).status is AttemptStatus.CANCELLED
    assert (await load(store, "a1")).identity is None
    assert (await load(store, "a2")).status is AttemptStatus.WAITING
    with pytest.raises(AttemptOver):
        await core.complete(AttemptId("a1"), Passed())


@pytest.mark.parametrize(("contact", "notified"), [("telegram:1", []), ("telegram:2", ["telegram:1"])])
async def test_another_chat_at_the_account_gets_a_notice_that_its_attempt_ended(
    core: Core, store: DialogueStore, contact: str, notified: list[str]
) -> None:
    await core.begin(make_request("a1"))
    await core.begin(replace(make_request("a2"), contact=Contact(contact)))

    assert [
        notice.contact
        for notice in await store.claim_notices(TELEGRAM, NOON, until=NOON + timedelta(seconds=5), limit=9)
    ] == notified


async def test_an_attempt_replaced_during_its_provider_call_is_over(core: Core, provider: FakeProvider) -> None:
    async def begin_another() -> None:
        await core.begin(make_request("a2"))

    provider.before_answer = begin_another
    with pytest.raises(AttemptOver):
        await core.begin(make_request("a1"))

    assert (await core.begin(make_request("a2"))).attempt == "a2"


async def test_an_attempt_that_ended_cannot_begin_again(core: Core) -> None:
    await core.begin(make_request())
    await core.cancel(AttemptId("a1"))

    with pytest.raises(AttemptOver):
        await core.begin(make_request())


async def test_an_unavailable_provider_leaves_no_live_attempt(
    core: Core, store: DialogueStore, provider: FakeProvider
) -> None:
    provider.out_of_order = True
    with pytest.raises(ProviderUnavailable):
        await core.begin(make_request())
    assert (await load(store)).status is AttemptStatus.CANCELLED

    provider.out_of_order = False
    assert (await core.begin(make_request("a2"))).attempt == "a2"


async def test_an_attempt_erased_during_its_provider_call_is_over(
    core: Core, store: DialogueStore, provider: FakeProvider
) -> None:
    async def erase() -> None:
        async with open_unit(store, "telegram:1") as unit:
            await unit.erase(PersonId("telegram:1"), Account("telegram:1"))

    provider.before_answer = erase
    with pytest.raises(AttemptOver):
        await core.begin(make_request())


async def test_cancelling_an_ended_or_unknown_attempt_changes_nothing(core: Core, store: DialogueStore) -> None:
    await verify(core, "v")
    await core.cancel(AttemptId("v"))
    await core.cancel(AttemptId("unknown"))

    assert (await load(store, "v")).status is AttemptStatus.SUCCEEDED
