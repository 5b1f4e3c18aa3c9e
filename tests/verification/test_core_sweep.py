from datetime import timedelta

import pytest

from tests.fakes import NOON, OTHER_NUMBER, FakeClock, FakeProvider, make_attempt, make_deps, make_request
from tests.open_unit import open_unit
from tests.verification.test_core_end import A1, claim_notices
from verification.attempts import AttemptId, AttemptStatus, Method, Passed
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import AttemptOver
from verification.ports import NoticeKind


async def test_a_sweep_with_nothing_due_changes_nothing(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request())

    assert await core.expire_due() == 0
    assert await claim_notices(store) == []


async def test_an_attempt_is_announced_once_before_it_expires_once(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    await core.begin(make_request())
    clock.advance(minutes=9, seconds=29)
    assert await core.expire_due() == 0
    clock.advance(seconds=1)
    assert [await core.expire_due(), await core.expire_due()] == [1, 0]
    announced = await core.find_by_token("token-1")
    assert announced is not None
    assert announced.expiry_announced
    clock.advance(seconds=30)
    assert [await core.expire_due(), await core.expire_due()] == [1, 0]

    expired = await core.find_by_token("token-1")
    assert expired is not None
    assert (expired.status, expired.identity) == (AttemptStatus.EXPIRED, None)
    assert await claim_notices(store) == [
        ("a1", NoticeKind.EXPIRING_SOON, AttemptStatus.WAITING, None),
        ("a1", NoticeKind.ENDED, AttemptStatus.EXPIRED, None),
    ]


async def test_an_unannounced_attempt_expires_too(core: Core, store: DialogueStore, clock: FakeClock) -> None:
    await core.begin(make_request())
    clock.advance(days=1)

    assert await core.expire_due() == 1
    assert await claim_notices(store) == [("a1", NoticeKind.ENDED, AttemptStatus.EXPIRED, None)]


async def test_a_reserved_attempt_expires_too(core: Core, store: DialogueStore, clock: FakeClock) -> None:
    async with open_unit(store, "telegram:1") as unit:
        await core.reserve(unit, make_request())
    clock.advance(minutes=10)

    assert await core.expire_due() == 1


async def test_opening_the_page_withdraws_the_announcement(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request())
    clock.advance(minutes=9, seconds=45)
    await core.expire_due()
    opened = await core.progress(A1, AttemptStatus.OPENED, "page")

    assert not opened.expiry_announced
    assert await core.expire_due() == 0


async def test_a_short_time_limit_is_announced_in_its_last_quarter(
    store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    core = Core(store, dict.fromkeys(Method, provider), make_deps(clock), ttl=timedelta(seconds=20))
    await core.begin(make_request())
    clock.advance(seconds=14)
    assert await core.expire_due() == 0
    clock.advance(seconds=1)

    assert await core.expire_due() == 1


async def test_inv29_an_expired_attempt_stays_expired(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request())
    clock.advance(minutes=11)
    await core.expire_due()
    clock.now = NOON

    with pytest.raises(AttemptOver):
        await core.complete(A1, Passed())
    with pytest.raises(AttemptOver):
        await core.begin(make_request())


async def test_a_verdict_recorded_during_a_sweep_stays(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request("a1", "telegram:1"))
    await core.begin(make_request("a2", "telegram:2"))
    await core.begin(make_request("a3", "telegram:3"))
    late = NOON + timedelta(minutes=9, seconds=50)
    decided = await core.complete(A1, Passed())
    await core.progress(AttemptId("a2"), AttemptStatus.OPENED, "page")
    clock.now = late
    await core.expire_due()
    before = [await core.find_by_token(f"token-{number}") for number in (1, 2, 3)]
    for number in (1, 2, 3):
        await core._expire_or_announce(AttemptId(f"a{number}"), late)

    assert [await core.find_by_token(f"token-{number}") for number in (1, 2, 3)] == before
    assert before[0] == decided


async def test_an_unreadable_attempt_is_abandoned_and_blocks_no_other(
    core: Core, store: DialogueStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        await core.begin(make_request(f"a{number}", f"telegram:{number}", OTHER_NUMBER))
    async with open_unit(store, "damage") as unit:
        await unit._connection.fetch("UPDATE attempts SET secrets = x'00' WHERE id = 'a2'")
    clock.advance(minutes=10)
    assert [await core.expire_due(), await core.expire_due()] == [3, 0]
    anew = await core.begin(make_request("a4", "telegram:2", OTHER_NUMBER))

    assert [notice[:2] for notice in await claim_notices(store)] == [("a1", NoticeKind.ENDED), ("a3", NoticeKind.ENDED)]
    assert anew.attempt == "a4"
    assert "a2 cannot be read" in caplog.text


async def test_many_announced_attempts_do_not_delay_those_after_them(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    async with open_unit(store, "fill") as unit:
        for number in range(100):
            soon = NOON + timedelta(seconds=10)
            await unit.save_attempt(
                make_attempt(f"c{number}", f"telegram:c{number}", expires_at=soon, expiry_announced=True)
            )
        await unit.save_attempt(make_attempt("a1", "telegram:1", expires_at=NOON + timedelta(seconds=20)))

    assert [await core.expire_due(), await core.expire_due()] == [1, 0]
    assert await claim_notices(store) == [("a1", NoticeKind.EXPIRING_SOON, AttemptStatus.WAITING, None)]
