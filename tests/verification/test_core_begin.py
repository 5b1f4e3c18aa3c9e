import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes import NOON, OTHER_NUMBER, FakeClock, FakeProvider, make_identity, make_request
from verification.attempts import Attempt, AttemptId, AttemptStatus, Passed
from verification.core import Core, ScanCode
from verification.dialogue_store import DialogueStore
from verification.errors import AlreadyVerified, AttemptOver, ProviderUnavailable, QuotaReached
from verification.ids import Account, Contact, PersonId
from verification.ports import MAX_ACCOUNTS


async def verify(core: Core, name: str, account: str | None = None) -> None:
    asked = make_request(name, account or f"telegram:{name}")
    await core.begin(asked)
    await core.complete(asked.id, Passed())


async def kept(store: DialogueStore, attempt_id: str = "a1") -> Attempt:
    async with store.unit("look") as unit:
        attempt = await unit.attempt(AttemptId(attempt_id))
    assert attempt is not None
    return attempt


async def test_beginning_gives_the_link_the_code_and_the_time_left(core: Core, store: DialogueStore) -> None:
    opening = await core.begin(make_request())

    assert opening == ScanCode(
        attempt=AttemptId("a1"),
        phone_url="http://127.0.0.1:8080/q/token-1",
        match_code="42",
        expires_at=NOON + timedelta(minutes=10),
    )
    attempt = await kept(store)
    assert (attempt.status, attempt.provider_state, attempt.identity) == (
        AttemptStatus.WAITING,
        "page-of-a1",
        make_identity(),
    )
    assert await core.find_by_token("token-1") == attempt
    assert await core.find_by_token("token-2") is None


async def test_no_repr_of_an_opening_shows_where_the_code_leads(core: Core) -> None:
    assert "token-1" not in repr(await core.begin(make_request()))


async def test_the_time_runs_from_the_moment_the_provider_answered(
    core: Core, clock: FakeClock, provider: FakeProvider
) -> None:
    async def answers_late() -> None:
        clock.advance(seconds=50)

    provider.meanwhile = answers_late

    assert (await core.begin(make_request())).expires_at == NOON + timedelta(minutes=10, seconds=50)


async def test_beginning_again_gives_the_same_opening_and_asks_nobody(core: Core, provider: FakeProvider) -> None:
    first = await core.begin(make_request())

    assert await core.begin(make_request()) == first
    assert provider.asked == ["a1"]


async def test_beginning_twice_at_once_gives_one_opening(core: Core) -> None:
    openings = await asyncio.gather(*(core.begin(make_request()) for _ in range(5)))

    assert len(set(openings)) == 1


async def test_after_a_crash_while_the_provider_was_asked_the_same_wish_goes_on(
    core: Core, store: DialogueStore, provider: FakeProvider
) -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    provider.meanwhile = crash
    with pytest.raises(ZeroDivisionError):
        await core.begin(make_request())
    assert (await kept(store)).status is AttemptStatus.RESERVED

    assert (await core.begin(make_request())).phone_url.endswith("token-1")
    assert provider.asked == ["a1", "a1"]


async def test_a_fourth_account_is_refused_before_any_provider_is_asked(core: Core, provider: FakeProvider) -> None:
    for number in range(MAX_ACCOUNTS):
        await verify(core, f"v{number}")
    with pytest.raises(QuotaReached):
        await core.begin(make_request("a4", "telegram:4"))

    assert "a4" not in provider.asked
    assert await core.begin(make_request("a5", "telegram:4", OTHER_NUMBER))


async def test_a_verified_account_has_nothing_left_to_do(core: Core, provider: FakeProvider) -> None:
    assert await core.slot_of(Account("telegram:v")) is None
    await verify(core, "v")
    with pytest.raises(AlreadyVerified):
        await core.begin(make_request("a2", "telegram:v", OTHER_NUMBER))

    place = await core.slot_of(Account("telegram:v"))
    assert place is not None
    assert place.at == NOON
    assert provider.asked == ["v"]


async def test_a_new_attempt_cancels_the_older_one_of_the_account(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request("a1"))
    await core.begin(make_request("a2"))

    assert (await kept(store, "a1")).status is AttemptStatus.CANCELLED
    assert (await kept(store, "a1")).identity is None
    assert (await kept(store, "a2")).status is AttemptStatus.WAITING
    with pytest.raises(AttemptOver):
        await core.complete(AttemptId("a1"), Passed())


@pytest.mark.parametrize(("contact", "told"), [("telegram:1", []), ("telegram:2", ["telegram:1"])])
async def test_whoever_else_was_at_the_account_is_told_that_their_attempt_is_over(
    core: Core, store: DialogueStore, contact: str, told: list[str]
) -> None:
    await core.begin(make_request("a1"))
    await core.begin(replace(make_request("a2"), contact=Contact(contact)))

    assert [
        notice.contact for notice in await store.claim_notices(NOON, until=NOON + timedelta(seconds=5), limit=9)
    ] == told


async def test_an_attempt_overtaken_while_its_provider_was_asked_is_over(core: Core, provider: FakeProvider) -> None:
    async def begin_another() -> None:
        await core.begin(make_request("a2"))

    provider.meanwhile = begin_another
    with pytest.raises(AttemptOver):
        await core.begin(make_request("a1"))

    assert (await core.begin(make_request("a2"))).attempt == "a2"


async def test_an_attempt_that_ended_is_not_begun_again(core: Core) -> None:
    await core.begin(make_request())
    await core.cancel(AttemptId("a1"))

    with pytest.raises(AttemptOver):
        await core.begin(make_request())


async def test_a_provider_out_of_order_leaves_nothing_live(
    core: Core, store: DialogueStore, provider: FakeProvider
) -> None:
    provider.out_of_order = True
    with pytest.raises(ProviderUnavailable):
        await core.begin(make_request())
    assert (await kept(store)).status is AttemptStatus.CANCELLED

    provider.out_of_order = False
    assert (await core.begin(make_request("a2"))).attempt == "a2"


async def test_an_attempt_erased_while_its_provider_was_asked_is_over(
    core: Core, store: DialogueStore, provider: FakeProvider
) -> None:
    async def erase() -> None:
        async with store.unit("telegram:1") as unit:
            await unit.erase(PersonId("telegram:1"), Account("telegram:1"))

    provider.meanwhile = erase
    with pytest.raises(AttemptOver):
        await core.begin(make_request())


async def test_cancelling_what_is_over_or_unknown_changes_nothing(core: Core, store: DialogueStore) -> None:
    await verify(core, "v")
    await core.cancel(AttemptId("v"))
    await core.cancel(AttemptId("unknown"))

    assert (await kept(store, "v")).status is AttemptStatus.SUCCEEDED
