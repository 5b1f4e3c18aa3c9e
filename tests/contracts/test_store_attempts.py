import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from storage import ConstraintViolated
from tests.contracts.conftest import Another
from tests.fakes import NOON, NUMBER, OTHER_NUMBER, make_attempt, make_identity
from tests.open_unit import open_unit
from verification.attempts import LIVE_STATUSES, Attempt, AttemptId, AttemptStatus, Method, Reason
from verification.dialogue_store import DialogueStore
from verification.ids import Account
from verification.ports import MAX_ACCOUNTS, QuotaSlot

ENDED = sorted(set(AttemptStatus) - LIVE_STATUSES)


async def save(store: DialogueStore, *attempts: Attempt) -> None:
    async with open_unit(store, "keep") as unit:
        for attempt in attempts:
            await unit.save_attempt(attempt)


async def take(store: DialogueStore, account: str, number: str = NUMBER) -> bool:
    attempt = make_attempt(f"attempt-of-{account}", account)
    async with open_unit(store, attempt.id) as unit:
        await unit.save_attempt(attempt)
        return await unit.take_slot(attempt, make_identity(number), NOON)


async def test_an_attempt_is_loaded_as_it_was_saved(store: DialogueStore) -> None:
    exact = NOON + timedelta(microseconds=1)
    attempt = make_attempt(
        provider_state="seen", reason=Reason.MISMATCH, expiry_announced=True, created_at=exact, contact="telegram:2"
    )
    await save(store, attempt)

    async with open_unit(store, "look") as unit:
        assert await unit.attempt(attempt.id) == attempt
        assert await unit.attempt_by_token(attempt.token) == attempt


async def test_saving_an_attempt_again_replaces_it(store: DialogueStore) -> None:
    await save(store, make_attempt())
    ended = make_attempt(
        status=AttemptStatus.FAILED, reason=Reason.DECLINED, identity=None, provider_state="end", token="token-new"
    )
    await save(store, ended)

    async with open_unit(store, "look") as unit:
        assert await unit.attempt(ended.id) == ended
        assert await unit.attempt_by_token("token-of-a1") is None


async def test_an_unknown_record_is_none(store: DialogueStore) -> None:
    async with open_unit(store, "look") as unit:
        assert await unit.attempt(AttemptId("nobody")) is None
        assert await unit.attempt_by_token("nothing") is None
        assert await unit.live_attempt(Account("telegram:2")) is None
        assert await unit.slot_of(Account("telegram:2")) is None
        assert await unit.accounts_of(make_identity()) == frozenset()


@pytest.mark.parametrize("status", sorted(LIVE_STATUSES))
async def test_inv09_an_account_has_one_live_attempt(store: DialogueStore, status: AttemptStatus) -> None:
    await save(store, make_attempt("a1", status=status))
    with pytest.raises(ConstraintViolated):
        await save(store, make_attempt("a2", status=AttemptStatus.RESERVED))

    async with open_unit(store, "look") as unit:
        assert await unit.attempt(AttemptId("a2")) is None
        assert await unit.live_attempt(Account("telegram:100012345")) == make_attempt("a1", status=status)


@pytest.mark.parametrize("status", ENDED)
async def test_an_account_may_begin_a_new_attempt_after_the_last_one_ended(
    store: DialogueStore, status: AttemptStatus
) -> None:
    await save(store, make_attempt("a1", status=status, identity=None), make_attempt("a2"))

    async with open_unit(store, "look") as unit:
        assert await unit.live_attempt(Account("telegram:100012345")) == make_attempt("a2")


async def test_two_attempts_never_share_a_token(store: DialogueStore) -> None:
    await save(store, make_attempt("a1"))
    with pytest.raises(ConstraintViolated):
        await save(store, make_attempt("a2", "telegram:2", token="token-of-a1"))


async def test_due_attempts_are_live_and_listed_oldest_first(store: DialogueStore) -> None:
    def at(name: str, seconds: int, status: AttemptStatus = AttemptStatus.WAITING) -> Attempt:
        return make_attempt(name, f"telegram:{name}", expires_at=NOON + timedelta(seconds=seconds), status=status)

    await save(
        store, at("third", 30), at("first", 10), at("second", 20), at("later", 31), at("over", 5, AttemptStatus.EXPIRED)
    )

    async with open_unit(store, "look") as unit:
        due = await unit.due_attempts(NOON + timedelta(seconds=30), 10)
        two = await unit.due_attempts(NOON + timedelta(seconds=30), 2)
    assert [attempt.id for attempt in due] == ["first", "second", "third"]
    assert [attempt.id for attempt in two] == ["first", "second"]


async def test_live_attempts_of_one_method_are_listed_by_their_end(store: DialogueStore) -> None:
    def of(name: str, method: Method, status: AttemptStatus, minutes: int) -> Attempt:
        end = NOON + timedelta(minutes=minutes)
        return make_attempt(name, f"telegram:{name}", method=method, status=status, expires_at=end)

    live = [of(status, Method.QQ, status, -number) for number, status in enumerate(sorted(LIVE_STATUSES))]
    ended = [of(status, Method.QQ, status, 1) for status in ENDED]
    await save(store, *live, *ended, of("other", Method.WECHAT, AttemptStatus.WAITING, 1))

    async with open_unit(store, "look") as unit:
        listed, two = await unit.live_attempts(Method.QQ, 9), await unit.live_attempts(Method.QQ, 2)
    in_order = [attempt.id for attempt in reversed(live)]
    assert (listed, two) == (in_order, in_order[:2])


@pytest.mark.parametrize("status", AttemptStatus)
async def test_an_attempt_that_is_abandoned_expires_unless_it_has_ended_and_no_other_does(
    store: DialogueStore, status: AttemptStatus
) -> None:
    await save(store, make_attempt("a1", "telegram:1", status=status), make_attempt("a2", "telegram:2"))
    async with open_unit(store, "a1") as unit:
        await unit.abandon(AttemptId("a1"))
    async with open_unit(store, "look") as unit:
        left = [await unit.attempt(AttemptId(each)) for each in ("a1", "a2")]

    ends_as = AttemptStatus.EXPIRED if status in LIVE_STATUSES else status
    assert [attempt and attempt.status for attempt in left] == [ends_as, AttemptStatus.WAITING]


async def test_a_number_has_three_quota_slots_whatever_the_name(store: DialogueStore) -> None:
    taken = [await take(store, f"telegram:{number}") for number in range(5)]

    assert taken == [True] * MAX_ACCOUNTS + [False] * 2
    async with open_unit(store, "look") as unit:
        assert await unit.accounts_of(make_identity(name="李雷")) == {"telegram:0", "telegram:1", "telegram:2"}
        assert await unit.accounts_of(make_identity(OTHER_NUMBER)) == frozenset()
        assert await unit.slot_of(Account("telegram:1")) == QuotaSlot(Account("telegram:1"), Method.WECHAT, NOON)
        assert await unit.slot_of(Account("telegram:3")) is None


async def test_inv16_an_account_takes_one_quota_slot(store: DialogueStore) -> None:
    assert await take(store, "telegram:1")
    assert not await take(store, "telegram:1", OTHER_NUMBER)

    async with open_unit(store, "look") as unit:
        assert await unit.accounts_of(make_identity(OTHER_NUMBER)) == frozenset()


async def test_inv16_taking_a_slot_again_takes_no_second_one(store: DialogueStore) -> None:
    assert [await take(store, "telegram:1"), await take(store, "telegram:1")] == [True, True]
    assert [await take(store, "telegram:2"), await take(store, "telegram:3")] == [True, True]
    assert not await take(store, "telegram:4")


async def test_inv17_a_slot_taken_in_a_failed_unit_is_free_again(store: DialogueStore) -> None:
    with suppress(ZeroDivisionError):
        async with open_unit(store, "fails") as unit:
            assert await unit.take_slot(make_attempt(), make_identity(), NOON)
            raise ZeroDivisionError

    async with open_unit(store, "look") as unit:
        assert await unit.accounts_of(make_identity()) == frozenset()


async def test_inv15_of_a_hundred_accounts_at_once_exactly_three_get_a_slot(
    store: DialogueStore, another: Another
) -> None:
    async with another() as other, asyncio.TaskGroup() as group:
        tasks = [group.create_task(take(store if number % 2 else other, f"telegram:{number}")) for number in range(100)]

    assert sum(each.result() for each in tasks) == MAX_ACCOUNTS
    async with open_unit(store, "look") as unit:
        assert len(await unit.accounts_of(make_identity())) == MAX_ACCOUNTS
