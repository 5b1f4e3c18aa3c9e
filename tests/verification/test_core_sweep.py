from datetime import timedelta

import pytest

from tests.fakes import NOON, OTHER_NUMBER, FakeClock, FakeProvider, make_attempt, make_deps, make_request
from tests.verification.test_core_end import A1, news
from verification.attempts import AttemptId, AttemptStatus, Method, Passed
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import AttemptOver
from verification.ports import NoticeKind


async def test_a_sweep_with_nothing_due_touches_nothing(core: Core, store: DialogueStore) -> None:
    await core.begin(make_request())

    assert await core.expire_due() == 0
    assert await news(store) == []


async def test_an_attempt_is_announced_once_before_it_fades_and_expires_once(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    await core.begin(make_request())
    clock.advance(minutes=9, seconds=29)
    assert await core.expire_due() == 0
    clock.advance(seconds=1)
    assert [await core.expire_due(), await core.expire_due()] == [1, 0]
    fading = await core.find_by_token("token-1")
    assert fading is not None
    assert fading.expiry_announced
    clock.advance(seconds=30)
    assert [await core.expire_due(), await core.expire_due()] == [1, 0]

    expired = await core.find_by_token("token-1")
    assert expired is not None
    assert (expired.status, expired.identity) == (AttemptStatus.EXPIRED, None)
    assert await news(store) == [
        ("a1", NoticeKind.EXPIRING_SOON, AttemptStatus.WAITING, None),
        ("a1", NoticeKind.ENDED, AttemptStatus.EXPIRED, None),
    ]


async def test_an_attempt_nobody_announced_expires_all_the_same(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    await core.begin(make_request())
    clock.advance(days=1)

    assert await core.expire_due() == 1
    assert await news(store) == [("a1", NoticeKind.ENDED, AttemptStatus.EXPIRED, None)]


async def test_an_attempt_reserved_and_never_opened_expires_too(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    async with store.unit("telegram:1") as unit:
        await core._reserve(unit, make_request())
    clock.advance(minutes=10)

    assert await core.expire_due() == 1


async def test_who_opened_the_page_is_no_longer_fading(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request())
    clock.advance(minutes=9, seconds=45)
    await core.expire_due()
    opened = await core.progress(A1, AttemptStatus.OPENED, "page")

    assert not opened.expiry_announced
    assert await core.expire_due() == 0


async def test_a_short_life_is_announced_in_its_last_quarter(
    store: DialogueStore, clock: FakeClock, provider: FakeProvider
) -> None:
    core = Core(store, dict.fromkeys(Method, provider), make_deps(clock), ttl=timedelta(seconds=20))
    await core.begin(make_request())
    clock.advance(seconds=14)
    assert await core.expire_due() == 0
    clock.advance(seconds=1)

    assert await core.expire_due() == 1


async def test_inv29_an_expired_attempt_never_revives(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request())
    clock.advance(minutes=11)
    await core.expire_due()
    clock.now = NOON

    with pytest.raises(AttemptOver):
        await core.complete(A1, Passed())
    with pytest.raises(AttemptOver):
        await core.begin(make_request())


async def test_what_was_judged_since_the_sweep_looked_stays_judged(core: Core, clock: FakeClock) -> None:
    await core.begin(make_request("a1", "telegram:1"))
    await core.begin(make_request("a2", "telegram:2"))
    await core.begin(make_request("a3", "telegram:3"))
    late = NOON + timedelta(minutes=9, seconds=50)
    judged = await core.complete(A1, Passed())
    await core.progress(AttemptId("a2"), AttemptStatus.OPENED, "page")
    clock.now = late
    await core.expire_due()
    before = [await core.find_by_token(f"token-{number}") for number in (1, 2, 3)]
    for number in (1, 2, 3):
        await core._expire_or_announce(AttemptId(f"a{number}"), late)

    assert [await core.find_by_token(f"token-{number}") for number in (1, 2, 3)] == before
    assert before[0] == judged


async def test_an_attempt_nobody_can_read_is_given_up_and_holds_up_nobody(
    core: Core, store: DialogueStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        await core.begin(make_request(f"a{number}", f"telegram:{number}", OTHER_NUMBER))
    async with store.unit("damage") as unit:
        await unit._connection.fetch("UPDATE attempts SET secrets = x'00' WHERE id = 'a2'")  # type: ignore[attr-defined]
    clock.advance(minutes=10)
    assert [await core.expire_due(), await core.expire_due()] == [3, 0]
    anew = await core.begin(make_request("a4", "telegram:2", OTHER_NUMBER))

    assert [told[:2] for told in await news(store)] == [("a1", NoticeKind.ENDED), ("a3", NoticeKind.ENDED)]
    assert anew.attempt == "a4"
    assert "a2 cannot be read" in caplog.text


async def test_a_crowd_that_is_fading_already_hides_nobody_behind_it(
    core: Core, store: DialogueStore, clock: FakeClock
) -> None:
    async with store.unit("crowd") as unit:
        for number in range(100):
            soon = NOON + timedelta(seconds=10)
            await unit.save_attempt(
                make_attempt(f"c{number}", f"telegram:c{number}", expires_at=soon, expiry_announced=True)
            )
        await unit.save_attempt(make_attempt("a1", "telegram:1", expires_at=NOON + timedelta(seconds=20)))

    assert [await core.expire_due(), await core.expire_due()] == [1, 0]
    assert await news(store) == [("a1", NoticeKind.EXPIRING_SOON, AttemptStatus.WAITING, None)]
