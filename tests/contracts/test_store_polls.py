"""Which attempts are polled, and when: each attempt in progress in turn, by one program at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from tests.contracts.conftest import Another
from tests.fakes import NOON, make_attempt
from tests.open_unit import open_unit
from verification.attempts import AttemptId, AttemptStatus, Method
from verification.dialogue_store import DialogueStore

FIVE = timedelta(seconds=5)
UNDER_WAY = {AttemptStatus.OPENED, AttemptStatus.CONFIRMING}


async def save(store: DialogueStore, *numbers: int, **changes: object) -> None:
    async with open_unit(store, "keep") as unit:
        for number in numbers:
            changes.setdefault("status", AttemptStatus.OPENED)
            await unit.save_attempt(make_attempt(f"a{number}", f"telegram:{number}", **changes))


async def take(store: DialogueStore, now: datetime = NOON, limit: int = 100) -> Sequence[AttemptId]:
    async with open_unit(store, "asks") as unit:
        return sorted(await unit.claim_due_polls(Method.WECHAT, now=now, before=now - FIVE, limit=limit))


async def test_a_claimed_attempt_is_due_again_only_after_the_interval(store: DialogueStore) -> None:
    await save(store, 1, 2)

    assert await take(store) == ["a1", "a2"]
    assert await take(store, NOON + FIVE - timedelta(microseconds=1)) == []
    assert await take(store, NOON + FIVE) == ["a1", "a2"]


@pytest.mark.parametrize("status", [status for status in AttemptStatus if status not in UNDER_WAY])
async def test_attempts_not_in_progress_are_not_polled(store: DialogueStore, status: AttemptStatus) -> None:
    await save(store, 1, status=status)

    assert await take(store) == []


async def test_methods_are_claimed_separately(store: DialogueStore) -> None:
    await save(store, 1, method=Method.QQ)

    assert await take(store) == []


async def test_the_longest_waiting_attempt_is_claimed_first(store: DialogueStore) -> None:
    await save(store, 1, 2, 3)
    assert await take(store, limit=2) == ["a1", "a2"]

    assert await take(store, NOON + FIVE, limit=2) == ["a1", "a3"]


async def test_saving_an_attempt_does_not_make_it_due_earlier(store: DialogueStore) -> None:
    await save(store, 1)
    await take(store)
    await save(store, 1, status=AttemptStatus.CONFIRMING, provider_state="further")

    assert await take(store, NOON + timedelta(seconds=1)) == []
    assert await take(store, NOON + FIVE) == ["a1"]


async def test_inv29_a_clock_that_was_set_back_delays_no_poll(store: DialogueStore) -> None:
    await save(store, 1)
    await take(store, NOON + timedelta(hours=1))

    assert await take(store, NOON) == ["a1"]


async def test_programs_share_out_the_polls(store: DialogueStore, another: Another) -> None:
    await save(store, *range(30))

    async with another() as other, asyncio.TaskGroup() as group:
        taken = [group.create_task(take(store if number % 2 else other, limit=4)) for number in range(10)]
    ids = [attempt for each in taken for attempt in each.result()]

    assert len(ids) == len(set(ids)) == 30
