import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.fakes import NOON, TELEGRAM, FakeClock, FakeProvider, make_deps, make_identity, make_request
from tests.open_unit import open_unit, settle
from verification.attempts import LIVE_STATUSES, AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import AttemptOver, ContradictoryVerdict
from verification.ids import Account
from verification.ports import MAX_ACCOUNTS, Notice, NoticeKind

A1 = AttemptId("a1")


async def claim_notices(store: DialogueStore) -> Sequence[tuple[str, NoticeKind, AttemptStatus, Reason | None]]:
    claimed = []
    while notices := await store.claim_notices(TELEGRAM, NOON, until=NOON + timedelta(days=1), limit=100):
        for notice in notices:
            claimed.append((notice.attempt, notice.kind, notice.status, notice.reason))
            await settle(store, notice)
    return claimed


async def test_a_pass_is_recorded_takes_a_quota_slot_and_posts_a_notice(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request())
    decided = await core.complete(A1, Passed())

    assert (decided.status, decided.identity) == (AttemptStatus.SUCCEEDED, None)
    assert await claim_notices(store) == [("a1", NoticeKind.ENDED, AttemptStatus.SUCCEEDED, None)]
    assert await core.slot_of(Account("telegram:1")) is not None


async def test_inv16_a_rejection_is_recorded_and_takes_no_quota_slot(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request())
    decided = await core.complete(A1, Rejected(Reason.FACE_COVERED))

    assert (decided.status, decided.reason) == (AttemptStatus.FAILED, Reason.FACE_COVERED)
    assert await claim_notices(store) == [("a1", NoticeKind.ENDED, AttemptStatus.FAILED, Reason.FACE_COVERED)]
    assert await core.slot_of(Account("telegram:1")) is None


@pytest.mark.parametrize("lease", [None, timedelta(seconds=20)])
async def test_a_notice_is_handed_over_leased_where_a_lease_is_wanted(
    store: DialogueStore, clock: FakeClock, provider: FakeProvider, lease: timedelta | None
) -> None:
    handed = list[Notice | None]()
    deps = replace(make_deps(clock), on_notice=handed.append, notice_lease=lease, front_end=TELEGRAM)
    core = Core(store, dict.fromkeys(Method, provider), deps, ttl=timedelta(minutes=10))
    await core.begin(make_request())
    await core.complete(A1, Passed())
    moments = [NOON, NOON + timedelta(hours=1)]
    claimed = [len(await store.claim_notices(TELEGRAM, at, until=at + timedelta(hours=1), limit=9)) for at in moments]

    assert [notice and notice.kind for notice in handed] == [None if lease is None else NoticeKind.ENDED]
    assert claimed == ([1, 1] if lease is None else [0, 1])


@pytest.mark.parametrize("outcome", [Passed(), Rejected(Reason.DECLINED)])
async def test_the_same_verdict_again_changes_nothing(core: Core, store: DialogueStore, outcome: Verdict) -> None:
    await core.begin(make_request())
    first = await core.complete(A1, outcome)

    assert await core.complete(A1, outcome) == first
    assert len(await claim_notices(store)) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Passed(), Rejected(Reason.DECLINED)),
        (Rejected(Reason.DECLINED), Passed()),
        (Rejected(Reason.DECLINED), Rejected(Reason.MISMATCH)),
    ],
)
async def test_a_different_verdict_is_refused_and_the_first_stands(
    core: Core, store: DialogueStore, first: Verdict, second: Verdict
) -> None:
    await core.begin(make_request())
    decided = await core.complete(A1, first)
    with pytest.raises(ContradictoryVerdict):
        await core.complete(A1, second)

    assert await core.find_by_token("token-1") == decided
    assert len(await claim_notices(store)) == 1


async def test_a_verdict_at_the_last_instant_counts_and_one_after_it_is_too_late(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request("a1", "telegram:1"))
    await core.begin(make_request("a2", "telegram:2"))
    clock.now = NOON + timedelta(minutes=10) - timedelta(microseconds=1)
    assert (await core.complete(A1, Passed())).status is AttemptStatus.SUCCEEDED
    clock.now = NOON + timedelta(minutes=10)

    with pytest.raises(AttemptOver):
        await core.complete(AttemptId("a2"), Passed())


async def test_an_unknown_attempt_is_over(core: Core) -> None:
    with pytest.raises(AttemptOver):
        await core.complete(A1, Passed())
    with pytest.raises(AttemptOver):
        await core.progress(A1, AttemptStatus.OPENED, "")


async def test_a_pass_before_the_code_is_shown_takes_no_quota_slot(core: Core, store: DialogueStore) -> None:
    async with open_unit(store, "telegram:1") as unit:
        await core.reserve(unit, make_request())
    with pytest.raises(AttemptOver):
        await core.complete(A1, Passed())

    assert await core.slot_of(Account("telegram:1")) is None


async def test_a_pass_without_an_identity_is_over(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request())
    async with open_unit(store, "a1") as unit:
        attempt = await unit.attempt(A1)
        assert attempt is not None
        await unit.save_attempt(replace(attempt, identity=None))

    with pytest.raises(AttemptOver):
        await core.complete(A1, Passed())


async def begin_many(core: Core, accounts: int) -> list[AttemptId]:
    wishes = [make_request(f"a{number}", f"telegram:{number}") for number in range(accounts)]
    return [(await core.begin(each)).attempt for each in wishes]


async def test_a_pass_without_a_free_slot_is_a_failure_for_the_quota(core: Core, store: DialogueStore) -> None:
    attempts = await begin_many(core, MAX_ACCOUNTS + 1)
    decided = [await core.complete(attempt, Passed()) for attempt in attempts]

    assert [each.status for each in decided] == [AttemptStatus.SUCCEEDED] * MAX_ACCOUNTS + [AttemptStatus.FAILED]
    assert decided[-1].reason is Reason.QUOTA
    assert (attempts[-1], NoticeKind.ENDED, AttemptStatus.FAILED, Reason.QUOTA) in await claim_notices(store)


async def test_repeating_a_pass_that_found_no_free_slot_is_no_contradiction(core: Core, store: DialogueStore) -> None:
    attempts = await begin_many(core, MAX_ACCOUNTS + 1)
    decided = [await core.complete(attempt, Passed()) for attempt in attempts]

    assert await core.complete(attempts[-1], Passed()) == decided[-1]
    assert len(await claim_notices(store)) == MAX_ACCOUNTS + 1
    with pytest.raises(ContradictoryVerdict):
        await core.complete(attempts[-1], Rejected(Reason.MISMATCH))


async def test_inv15_of_ten_accounts_passing_at_once_exactly_three_are_verified(
    core: Core, store: DialogueStore
) -> None:
    attempts = await begin_many(core, 10)
    decided = await asyncio.gather(*(core.complete(attempt, Passed()) for attempt in attempts))

    assert [each.status for each in decided].count(AttemptStatus.SUCCEEDED) == MAX_ACCOUNTS
    async with open_unit(store, "look") as unit:
        assert len(await unit.accounts_of(make_identity())) == MAX_ACCOUNTS
    assert len(await claim_notices(store)) == 10


async def test_of_contradicting_verdicts_at_once_one_stands_with_one_notice(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request())
    outcomes: list[Verdict] = [Passed(), Rejected(Reason.DECLINED), Passed(), Rejected(Reason.MISMATCH)]
    answers = await asyncio.gather(*(core.complete(A1, outcome) for outcome in outcomes), return_exceptions=True)

    final = await core.find_by_token("token-1")
    assert [answer for answer in answers if not isinstance(answer, ContradictoryVerdict)] == [final, final]
    assert len(await claim_notices(store)) == 1


@pytest.mark.parametrize("status", sorted(set(AttemptStatus) - LIVE_STATUSES))
async def test_progress_accepts_only_live_statuses(core: Core, status: AttemptStatus) -> None:
    await core.begin(make_request())
    with pytest.raises(ValueError, match="is not a live status"):
        await core.progress(A1, status, "page")

    assert await core.slot_of(Account("telegram:1")) is None


async def test_opening_the_page_restarts_the_time_limit_and_posts_a_notice(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    await core.begin(make_request())
    clock.advance(minutes=9)
    attempt = await core.progress(A1, AttemptStatus.OPENED, "page two")

    assert attempt.expires_at == NOON + timedelta(minutes=19)
    assert (attempt.status, attempt.provider_state, attempt.expiry_announced) == (
        AttemptStatus.OPENED,
        "page two",
        False,
    )
    assert await core.find_by_token("token-1") == attempt
    assert await claim_notices(store) == [("a1", NoticeKind.PROGRESS, AttemptStatus.OPENED, None)]


async def test_progress_without_a_new_status_stores_the_provider_state_only(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    await core.begin(make_request())
    opened = await core.progress(A1, AttemptStatus.OPENED, "page two")
    clock.advance(minutes=1)
    again = await core.progress(A1, AttemptStatus.OPENED, "page two")
    moved = await core.progress(A1, AttemptStatus.OPENED, "page three")

    assert again == opened
    assert (moved.expires_at, moved.provider_state) == (opened.expires_at, "page three")
    assert await core.find_by_token("token-1") == moved
    assert len(await claim_notices(store)) == 1


async def test_progress_after_expiry_is_too_late(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request())
    clock.advance(minutes=10)

    with pytest.raises(AttemptOver):
        await core.progress(A1, AttemptStatus.OPENED, "page two")


async def test_inv07_progress_never_goes_back(core: Core) -> None:
    await core.begin(make_request())
    confirming = await core.progress(A1, AttemptStatus.CONFIRMING, "page")
    with pytest.raises(AttemptOver):
        await core.progress(A1, AttemptStatus.OPENED, "page")

    assert await core.find_by_token("token-1") == confirming


async def test_a_scanned_code_moves_its_attempt_as_decided_while_it_is_live(core: Core) -> None:
    await core.begin(make_request())
    passed = await core.move("token-1", lambda _: Passed())
    again = await core.move("token-1", lambda _: Rejected(Reason.DECLINED))

    assert passed is not None
    assert passed.status is AttemptStatus.SUCCEEDED
    assert again == passed
    assert await core.move("no-token", lambda _: Passed()) is None
