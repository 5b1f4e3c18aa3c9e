import asyncio
import json
from datetime import timedelta

import pytest

from tests.contracts.conftest import Another
from tests.contracts.process import go, line, program
from tests.contracts.racing import PERSON, ROUNDS
from tests.fakes import NOON, TELEGRAM, make_attempt
from tests.open_unit import open_unit
from verification.dialogue_store import DialogueStore
from verification.ports import MAX_ACCOUNTS, NoticeKind

PATIENCE = 20


@pytest.mark.slow("crash")
async def test_two_programs_at_once_keep_every_promise(store: DialogueStore, url: str) -> None:
    for number in range(2 * ROUNDS):
        attempt = make_attempt(f"n{number}", f"telegram:n{number}")
        async with open_unit(store, "post") as unit:
            await unit.save_attempt(attempt)
            await unit.post_notice(NoticeKind.ENDED, attempt, NOON)
    async with program("racing", url, "a") as one, program("racing", url, "b") as two:
        assert [await line(one), await line(two)] == ["ready", "ready"]
        await asyncio.gather(go(one), go(two))
        results = [json.loads(await line(each)) for each in (one, two)]

    async with open_unit(store, PERSON) as unit:
        dialogue = await unit.dialogue(PERSON)
    assert sum(len(result["slots"]) for result in results) == MAX_ACCOUNTS
    assert sorted(results[0]["revisions"] + results[1]["revisions"]) == list(range(1, 2 * ROUNDS + 1))
    assert dialogue is not None
    assert dialogue.text == "x" * 2 * ROUNDS
    notices = results[0]["notices"] + results[1]["notices"]
    assert len(notices) == len(set(notices)) == 2 * ROUNDS


async def test_an_attempt_read_in_one_unit_is_changed_by_no_other_until_it_ends(
    store: DialogueStore, another: Another
) -> None:
    attempt = make_attempt()
    read = asyncio.Event()
    async with open_unit(store, "keep") as unit:
        await unit.save_attempt(attempt)

    async def second(other: DialogueStore) -> bool:
        await read.wait()
        async with open_unit(other, "two") as unit:
            attempt_found = await unit.attempt(attempt.id)
        return attempt_found is not None and attempt_found.expiry_announced

    async with another() as other:
        waiting = asyncio.ensure_future(second(other))
        async with open_unit(store, "one") as unit:
            attempt_found = await unit.attempt(attempt.id)
            assert attempt_found is not None
            read.set()
            await asyncio.wait({waiting}, timeout=0.05)
            await unit.save_attempt(make_attempt(expiry_announced=True))

        assert await waiting


async def test_inv31_one_program_holds_the_polling_lease_and_the_next_gets_it_when_released(
    store: DialogueStore, another: Another
) -> None:
    busy = asyncio.Event()
    busy_calls: list[int] = []

    def note() -> None:
        busy_calls.append(1)
        busy.set()

    async def wait(other: DialogueStore) -> bool:
        async with other.polling_lease(TELEGRAM, note) as still_held:
            return await still_held()

    async with another() as other, asyncio.timeout(PATIENCE):
        async with store.polling_lease(TELEGRAM, note) as still_held:
            assert await still_held()
            waiting = asyncio.ensure_future(wait(other))
            await busy.wait()
            assert not waiting.done()
        assert await waiting

    assert busy_calls == [1]


async def test_a_program_that_stops_waiting_for_the_polling_lease_leaves_it_to_others(
    store: DialogueStore, another: Another
) -> None:
    busy = asyncio.Event()

    async def wait(other: DialogueStore) -> None:
        async with other.polling_lease(TELEGRAM, busy.set):
            pass

    async with another() as other, asyncio.timeout(PATIENCE):
        async with store.polling_lease(TELEGRAM, lambda: None):
            waiting = asyncio.ensure_future(wait(other))
            await busy.wait()
            waiting.cancel()
            await asyncio.wait({waiting})
        async with store.polling_lease(TELEGRAM, lambda: None) as still_held:
            assert await still_held()


async def test_inv31_a_killed_program_frees_the_polling_lease(store: DialogueStore, url: str) -> None:
    async with program("polling_lease_holder", url) as holder, asyncio.timeout(PATIENCE):
        assert await line(holder) == "holding"
        async with store.polling_lease(TELEGRAM, holder.kill) as still_held:
            assert await still_held()
            assert holder.returncode is None or holder.returncode < 0


async def test_the_polling_lease_does_not_block_units(store: DialogueStore) -> None:
    async with store.polling_lease(TELEGRAM, lambda: None):
        assert await store.claim_notices(TELEGRAM, NOON, until=NOON + timedelta(seconds=1), limit=1) == []
