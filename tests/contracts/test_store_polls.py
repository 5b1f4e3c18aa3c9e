"""Who is asked about, and when: each attempt under way in its turn, by one program at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from tests.contracts.conftest import Another
from tests.fakes import NOON, make_attempt
from verification.attempts import AttemptId, AttemptStatus, Method
from verification.dialogue_store import DialogueStore

FIVE = timedelta(seconds=5)
UNDER_WAY = {AttemptStatus.OPENED, AttemptStatus.CONFIRMING}


async def keep(store: DialogueStore, *numbers: int, **changes: object) -> None:
    async with store.unit("keep") as unit:
        for number in numbers:
            changes.setdefault("status", AttemptStatus.OPENED)
            await unit.save_attempt(make_attempt(f"a{number}", f"telegram:{number}", **changes))


async def take(store: DialogueStore, now: datetime = NOON, limit: int = 100) -> Sequence[AttemptId]:
    async with store.unit("asks") as unit:
        return sorted(await unit.claim_due_polls(Method.WECHAT, now=now, before=now - FIVE, limit=limit))


async def test_one_taken_comes_again_only_after_its_time(store: DialogueStore) -> None:
    await keep(store, 1, 2)

    assert await take(store) == ["a1", "a2"]
    assert await take(store, NOON + FIVE - timedelta(microseconds=1)) == []
    assert await take(store, NOON + FIVE) == ["a1", "a2"]


@pytest.mark.parametrize("status", [status for status in AttemptStatus if status not in UNDER_WAY])
async def test_nobody_is_asked_about_who_is_not_under_way(store: DialogueStore, status: AttemptStatus) -> None:
    await keep(store, 1, status=status)

    assert await take(store) == []


async def test_ways_are_asked_about_apart(store: DialogueStore) -> None:
    await keep(store, 1, method=Method.QQ)

    assert await take(store) == []


async def test_whoever_waited_longest_comes_first(store: DialogueStore) -> None:
    await keep(store, 1, 2, 3)
    assert await take(store, limit=2) == ["a1", "a2"]

    assert await take(store, NOON + FIVE, limit=2) == ["a1", "a3"]


async def test_keeping_an_attempt_does_not_bring_its_turn_nearer(store: DialogueStore) -> None:
    await keep(store, 1)
    await take(store)
    await keep(store, 1, status=AttemptStatus.CONFIRMING, provider_state="further")

    assert await take(store, NOON + timedelta(seconds=1)) == []
    assert await take(store, NOON + FIVE) == ["a1"]


async def test_inv29_a_clock_that_was_put_back_keeps_nobody_waiting(store: DialogueStore) -> None:
    await keep(store, 1)
    await take(store, NOON + timedelta(hours=1))

    assert await take(store, NOON) == ["a1"]


async def test_programs_share_out_whom_they_ask_about(store: DialogueStore, another: Another) -> None:
    await keep(store, *range(30))

    async with another() as other, asyncio.TaskGroup() as group:
        taken = [group.create_task(take(store if number % 2 else other, limit=4)) for number in range(10)]
    ids = [attempt for each in taken for attempt in each.result()]

    assert len(ids) == len(set(ids)) == 30
