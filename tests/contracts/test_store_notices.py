import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from tests.contracts.conftest import Another
from tests.fakes import NOON, make_attempt
from tests.open_unit import open_unit, settle
from verification.attempts import Attempt, AttemptStatus, Method, Reason
from verification.dialogue_store import DialogueStore, DialogueUnit
from verification.ids import Contact
from verification.ports import Notice, NoticeKind

LATER = NOON + timedelta(seconds=60)


async def post(store: DialogueStore, *kinds_posted: NoticeKind, attempt: Attempt | None = None) -> None:
    attempt = attempt or make_attempt()
    async with open_unit(store, "post") as unit:
        await unit.save_attempt(attempt)
        for each in kinds_posted:
            await unit.post_notice(each, attempt, NOON)


async def claim(store: DialogueStore, limit: int = 10) -> Sequence[Notice]:
    return await store.claim_notices(NOON, until=LATER, limit=limit)


def of(number: int) -> Attempt:
    return make_attempt(f"a{number}", f"telegram:{number}")


async def test_a_notice_holds_the_attempt_as_it_was_when_posted(store: DialogueStore) -> None:
    failed = make_attempt(status=AttemptStatus.FAILED, reason=Reason.NO_CARD, identity=None, contact="telegram:7")
    await post(store, NoticeKind.ENDED, attempt=failed)

    [notice] = await claim(store)
    assert notice == Notice(
        id=notice.id,
        contact=Contact("telegram:7"),
        kind=NoticeKind.ENDED,
        attempt=failed.id,
        account=failed.account,
        method=Method.WECHAT,
        status=AttemptStatus.FAILED,
        reason=Reason.NO_CARD,
        expires_at=failed.expires_at,
    )


async def test_a_notice_of_a_failed_unit_is_never_sent(store: DialogueStore) -> None:
    await post(store)
    with suppress(ZeroDivisionError):
        async with open_unit(store, "fails") as unit:
            await unit.post_notice(NoticeKind.ENDED, make_attempt(), NOON)
            raise ZeroDivisionError

    assert await claim(store) == []


async def test_inv02_a_leased_notice_goes_to_no_other_claim_until_the_lease_ends(store: DialogueStore) -> None:
    await post(store, NoticeKind.ENDED)
    [first] = await claim(store)

    assert await store.claim_notices(LATER - timedelta(microseconds=1), until=LATER, limit=10) == []
    assert await store.claim_notices(LATER + timedelta(seconds=1), until=LATER + timedelta(seconds=61), limit=10) == [
        first
    ]


async def test_a_lease_from_before_the_clock_was_set_back_delays_nothing(store: DialogueStore) -> None:
    await post(store, NoticeKind.ENDED)
    [first] = await claim(store)
    put_back = NOON - timedelta(hours=1)

    assert await store.claim_notices(put_back, until=put_back + timedelta(seconds=60), limit=10) == [first]


async def test_a_settled_notice_is_not_sent_again(store: DialogueStore) -> None:
    await post(store, NoticeKind.ENDED)
    [notice] = await claim(store)
    await settle(store, notice)
    await settle(store, notice)

    assert await store.claim_notices(LATER + timedelta(days=1), until=LATER + timedelta(days=2), limit=10) == []


async def test_a_contact_gets_one_notice_at_a_time_in_the_order_of_posting(store: DialogueStore) -> None:
    await post(store, NoticeKind.PROGRESS, NoticeKind.EXPIRING_SOON, NoticeKind.ENDED)

    kinds = []
    for _ in range(3):
        [notice] = await claim(store)
        assert await claim(store) == []
        await settle(store, notice)
        kinds.append(notice.kind)
    assert kinds == [NoticeKind.PROGRESS, NoticeKind.EXPIRING_SOON, NoticeKind.ENDED]
    assert await claim(store) == []


async def test_contacts_do_not_wait_for_each_other_and_the_oldest_comes_first(store: DialogueStore) -> None:
    for number in (3, 1, 2):
        await post(store, NoticeKind.PROGRESS, NoticeKind.ENDED, attempt=of(number))

    assert [notice.contact for notice in await claim(store, 2)] == ["telegram:3", "telegram:1"]
    assert [notice.contact for notice in await claim(store, 2)] == ["telegram:2"]


async def test_inv02_two_programs_never_claim_the_same_notice(store: DialogueStore, another: Another) -> None:
    for number in range(30):
        await post(store, NoticeKind.ENDED, attempt=of(number))

    async with another() as other, asyncio.TaskGroup() as group:
        claims = [group.create_task(claim(store if number % 2 else other, 4)) for number in range(10)]
    ids = [notice.id for each in claims for notice in each.result()]
    assert len(ids) == len(set(ids)) == 30


async def test_a_late_settle_never_settles_a_new_notice(store: DialogueStore) -> None:
    await post(store, NoticeKind.ENDED)
    [old] = await claim(store)
    await settle(store, old)
    await store.purge_processed(LATER)
    await post(store, NoticeKind.ENDED)
    await settle(store, old)

    assert len(await claim(store)) == 1


async def post_leased(store: DialogueStore, kind: NoticeKind, contact: int = 1) -> Notice | None:
    attempt = of(contact)

    async def body(unit: DialogueUnit) -> Notice | None:
        await unit.save_attempt(attempt)
        return await unit.post_notice(kind, attempt, NOON, leased_until=LATER)

    return await store.transact(attempt.id, body)


async def test_a_notice_may_be_leased_as_it_is_posted(store: DialogueStore) -> None:
    notice = await post_leased(store, NoticeKind.PROGRESS)

    assert notice is not None
    assert (notice.kind, notice.contact) == (NoticeKind.PROGRESS, "telegram:1")
    assert await claim(store) == []
    assert await store.claim_notices(LATER, until=LATER + timedelta(seconds=5), limit=10) == [notice]


async def test_a_notice_that_another_of_its_contact_precedes_is_not_leased(store: DialogueStore) -> None:
    first = await post_leased(store, NoticeKind.PROGRESS)
    assert first is not None
    assert await post_leased(store, NoticeKind.ENDED) is None
    assert await post_leased(store, NoticeKind.PROGRESS, contact=2) is not None

    assert await settle(store, first)
    assert [notice.kind for notice in await claim(store)] == [NoticeKind.ENDED]


async def test_settling_says_whether_it_was_the_first_time(store: DialogueStore) -> None:
    notice = await post_leased(store, NoticeKind.ENDED)

    assert notice is not None
    assert [await settle(store, notice), await settle(store, notice)] == [True, False]
