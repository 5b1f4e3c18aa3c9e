"""What each operation of the core does in each status an attempt can have: a table, tried in every cell."""

from collections.abc import Awaitable
from datetime import timedelta

import pytest

from tests.contracts.test_provider_polling import FakeRemoteProvider, program
from tests.fakes import NOON, FakeClock, make_attempt, make_identity, make_request
from tests.open_unit import open_unit
from tests.verification.test_core_end import claim_notices
from verification.attempts import (
    LIVE_STATUSES,
    STATUS_TRANSITIONS,
    Attempt,
    AttemptId,
    AttemptStatus,
    Method,
    Passed,
    Reason,
    Rejected,
)
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import AttemptOver, ContradictoryVerdict, VerificationError
from verification.ids import Account
from verification.ports import NoticeKind

RESERVED, WAITING, OPENED, CONFIRMING, SUCCEEDED, FAILED, EXPIRED, CANCELLED = AttemptStatus
A1 = AttemptId("a1")

# Rows: where an attempt stands; columns: where it may go, in the order of the statuses.
MOVE_TABLE = {
    RESERVED: ". w . . . f e c",
    WAITING: ". . o c s f e c",
    OPENED: ". . . c s f e c",
    CONFIRMING: ". . . . s f e c",
    SUCCEEDED: ". . . . . . . .",
    FAILED: ". . . . . . . .",
    EXPIRED: ". . . . . . . .",
    CANCELLED: ". . . . . . . .",
}


def test_the_moves_are_those_of_the_table() -> None:
    assert {
        old: {new for new, cell in zip(AttemptStatus, MOVE_TABLE[old].split(), strict=True) if cell != "."}
        for old in AttemptStatus
    } == {old: set(moves) for old, moves in STATUS_TRANSITIONS.items()}


def attempt_in(status: AttemptStatus, **changes: object) -> Attempt:
    facts: dict[str, object] = {
        "status": status,
        "identity": make_identity() if status in LIVE_STATUSES else None,
        "reason": Reason.MISMATCH if status is FAILED else None,
        "provider_state": "page",
        "method": Method.QQ,
    }
    return make_attempt("a1", "telegram:1", **(facts | changes))


async def keep(store: DialogueStore, attempt: Attempt) -> Attempt:
    async with open_unit(store, attempt.id) as unit:
        await unit.save_attempt(attempt)
    return attempt


async def kept(store: DialogueStore) -> Attempt:
    async with open_unit(store, "look") as unit:
        attempt = await unit.attempt(A1)
    assert attempt is not None
    return attempt


async def error_of(operation: Awaitable[object]) -> type[VerificationError] | None:
    try:
        await operation
    except VerificationError as error:
        return type(error)
    return None


@pytest.mark.parametrize("old", AttemptStatus)
@pytest.mark.parametrize("new", [status for status in AttemptStatus if status in LIVE_STATUSES])
async def test_inv07_progress_in_each_status(
    old: AttemptStatus, new: AttemptStatus, core: Core, store: DialogueStore
) -> None:
    before = await keep(store, attempt_in(old))
    allowed = new in STATUS_TRANSITIONS[old] or (new is old and old in LIVE_STATUSES)

    assert await error_of(core.progress(A1, new, "next page")) is (None if allowed else AttemptOver)
    after = await kept(store)
    assert (after.status, after.provider_state) == ((new, "next page") if allowed else (old, "page"))
    assert after.account == before.account
    assert [kind for _, kind, _, _ in await claim_notices(store)] == [NoticeKind.PROGRESS] * (
        allowed and new is not old
    )


COMPLETED: dict[AttemptStatus, type[VerificationError] | None] = {
    **{RESERVED: AttemptOver, WAITING: None, OPENED: None, CONFIRMING: None},
    **{SUCCEEDED: None, FAILED: ContradictoryVerdict, EXPIRED: AttemptOver, CANCELLED: AttemptOver},
}


@pytest.mark.parametrize("status", AttemptStatus)
async def test_a_pass_in_each_status(status: AttemptStatus, core: Core, store: DialogueStore) -> None:
    await keep(store, attempt_in(status))
    counts = status in (WAITING, OPENED, CONFIRMING)

    assert await error_of(core.complete(A1, Passed())) is COMPLETED[status]
    assert (await kept(store)).status is (SUCCEEDED if counts else status)
    assert (await core.slot_of(Account("telegram:1")) is not None) is counts
    assert len(await claim_notices(store)) == counts


@pytest.mark.parametrize("status", AttemptStatus)
async def test_a_rejection_in_each_status(status: AttemptStatus, core: Core, store: DialogueStore) -> None:
    await keep(store, attempt_in(status))
    expected = {SUCCEEDED: ContradictoryVerdict, FAILED: ContradictoryVerdict}
    ended = AttemptOver if status in (EXPIRED, CANCELLED) else None

    assert await error_of(core.complete(A1, Rejected(Reason.DECLINED))) is expected.get(status, ended)
    assert (await kept(store)).status is (FAILED if status in LIVE_STATUSES else status)
    assert len(await claim_notices(store)) == (status in LIVE_STATUSES)


@pytest.mark.parametrize("status", AttemptStatus)
async def test_cancelling_in_each_status(status: AttemptStatus, core: Core, store: DialogueStore) -> None:
    before = await keep(store, attempt_in(status))
    await core.cancel(A1)

    after = await kept(store)
    assert after.status is (CANCELLED if status in LIVE_STATUSES else status)
    assert after.identity is None
    assert status in LIVE_STATUSES or after == before
    assert await claim_notices(store) == []


@pytest.mark.parametrize("status", AttemptStatus)
async def test_expiring_in_each_status(status: AttemptStatus, core: Core, store: DialogueStore) -> None:
    await keep(store, attempt_in(status, expires_at=NOON))

    assert await core.expire_due() == (status in LIVE_STATUSES)
    assert (await kept(store)).status is (EXPIRED if status in LIVE_STATUSES else status)
    assert len(await claim_notices(store)) == (status in LIVE_STATUSES)


@pytest.mark.parametrize("status", AttemptStatus)
async def test_what_a_sweep_saw_is_looked_at_again_in_each_status(
    status: AttemptStatus, core: Core, store: DialogueStore
) -> None:
    """Between the look and the change the attempt may have come to any status."""
    before = await keep(store, attempt_in(status, expires_at=NOON))
    await core._expire_or_announce(A1, NOON)

    assert (await kept(store)).status is (EXPIRED if status in LIVE_STATUSES else status)
    assert status in LIVE_STATUSES or await kept(store) == before


@pytest.mark.parametrize("status", AttemptStatus)
async def test_beginning_again_in_each_status(
    status: AttemptStatus, core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    before = await keep(store, attempt_in(status))
    clock.advance(minutes=1)
    error = await error_of(core.begin(make_request()))

    assert error is (None if status in LIVE_STATUSES else AttemptOver)
    after = await kept(store)
    assert after.status is (WAITING if status is RESERVED else status)
    assert (after.expires_at - before.expires_at) == (timedelta(minutes=1) if status is RESERVED else timedelta())


@pytest.mark.parametrize("status", AttemptStatus)
async def test_another_attempt_of_the_account_in_each_status(
    status: AttemptStatus, core: Core, store: DialogueStore
) -> None:
    """A live one is replaced, one that ended stays as it is."""
    before = await keep(store, attempt_in(status))
    await core.begin(make_request("a2"))

    after = await kept(store)
    assert after.status is (CANCELLED if status in LIVE_STATUSES else status)
    assert status in LIVE_STATUSES or after == before


@pytest.mark.parametrize("status", AttemptStatus)
async def test_an_attempt_that_cannot_be_read_is_abandoned_only_while_it_is_live(
    status: AttemptStatus, core: Core, store: DialogueStore
) -> None:
    await keep(store, attempt_in(status))
    await core._abandon(A1)

    assert (await kept(store)).status is (EXPIRED if status in LIVE_STATUSES else status)


# Which attempts a provider is asked about

ASKED_WHEN_NOTIFIED = set(AttemptStatus) - {AttemptStatus.RESERVED, WAITING}
ASKED_BY_THE_LOOP = {OPENED, CONFIRMING}


@pytest.mark.parametrize("status", AttemptStatus)
async def test_inv19_a_notification_asks_in_each_status(
    status: AttemptStatus, store: DialogueStore, clock: FakeClock
) -> None:
    remote = FakeRemoteProvider(answer=WAITING)
    ours = program(store, remote, clock)
    await keep(store, attempt_in(status, method=Method.WECHAT))
    await ours.poller.poll_one(A1)

    assert remote.polls == ([A1] if status in ASKED_WHEN_NOTIFIED else [])
    assert ours.outcomes == {"progress" if status in ASKED_WHEN_NOTIFIED else "ignored": 1}
    assert (await kept(store)).status is status


@pytest.mark.parametrize("status", AttemptStatus)
async def test_the_loop_asks_in_each_status(status: AttemptStatus, store: DialogueStore, clock: FakeClock) -> None:
    ours = program(store, FakeRemoteProvider(), clock)
    await keep(store, attempt_in(status, method=Method.WECHAT))

    assert await ours.poller.poll_due() == (status in ASKED_BY_THE_LOOP)


@pytest.mark.parametrize("old", [OPENED, CONFIRMING])
@pytest.mark.parametrize("heard", AttemptStatus)
async def test_inv19_news_of_each_status_take_an_attempt_only_further(
    old: AttemptStatus, heard: AttemptStatus, store: DialogueStore, clock: FakeClock
) -> None:
    """A provider's status is never a verdict, whatever word it uses."""
    ours = program(store, FakeRemoteProvider(answer=heard), clock)
    await keep(store, attempt_in(old, method=Method.WECHAT))
    await ours.poller.poll_one(A1)

    assert (await kept(store)).status is (CONFIRMING if heard is CONFIRMING else old)
    assert (await kept(store)).provider_state == "page"
    assert ours.outcomes == {"progress": 1}


@pytest.mark.parametrize("method", Method)
async def test_only_the_methods_of_the_poller_are_asked_about(
    method: Method, store: DialogueStore, clock: FakeClock
) -> None:
    remote = FakeRemoteProvider(answer=WAITING)
    ours = program(store, remote, clock)
    await keep(store, attempt_in(OPENED, method=method))

    assert await ours.poller.poll_due() == (method is Method.WECHAT)
    await ours.poller.poll_one(A1)
    assert remote.polls == ([A1] if method is Method.WECHAT else [])
