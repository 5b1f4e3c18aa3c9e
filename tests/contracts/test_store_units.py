import asyncio
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contracts.conftest import Another
from tests.fakes import NOON, make_attempt
from tests.open_unit import open_unit
from verification.attempts import AttemptId
from verification.dialogue_store import DialogueStore, DialogueUnit
from verification.ids import PersonId
from verification.ports import NoticeKind

PERSON = PersonId("telegram:100012345")


async def a_turn(store: DialogueStore, event_id: str = "update:1") -> None:
    async def body(unit: DialogueUnit) -> None:
        await unit.mark_seen(event_id, NOON)
        await unit.save_dialogue(PERSON, "asking for the name", language="zh", now=NOON)
        await unit.save_attempt(make_attempt())
        await unit.post_notice(NoticeKind.PROGRESS, make_attempt(), NOON)

    await store.transact(PERSON, body)


async def what_stands(store: DialogueStore) -> list[bool]:
    async def look(unit: DialogueUnit) -> list[bool]:
        dialogue = await unit.dialogue(PERSON)
        attempt = await unit.attempt(AttemptId("a1"))
        unseen = await unit.mark_seen("update:1", NOON)
        return [dialogue is not None, attempt is not None, not unseen]

    return await store.transact("look", look)


async def test_leaving_a_unit_commits_for_every_other_program(store: DialogueStore, another: Another) -> None:
    await a_turn(store)

    async with another() as other:
        assert await what_stands(other) == [True, True, True]


async def test_committed_data_is_there_after_a_restart(another: Another) -> None:
    async with another() as store:
        await a_turn(store)

    async with another() as store:
        assert await what_stands(store) == [True, True, True]


async def test_an_error_rolls_everything_back(store: DialogueStore) -> None:
    async def body(unit: DialogueUnit) -> None:
        await unit.mark_seen("update:1", NOON)
        await unit.save_dialogue(PERSON, "asking for the name", language="zh", now=NOON)
        await unit.save_attempt(make_attempt())
        raise ZeroDivisionError

    with suppress(ZeroDivisionError):
        await store.transact(PERSON, body)

    assert await what_stands(store) == [False, False, False]


async def test_a_cancelled_unit_rolls_back_and_blocks_nobody(store: DialogueStore) -> None:
    written = asyncio.Event()

    async def never_ends() -> None:
        async with open_unit(store, PERSON) as unit:
            await unit.mark_seen("update:1", NOON)
            written.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(never_ends())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await what_stands(store) == [False, False, False]


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610])
async def test_a_turn_interrupted_anywhere_is_stored_whole_or_not_at_all(store: DialogueStore, steps: int) -> None:
    task = asyncio.ensure_future(a_turn(store))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert len(set(await what_stands(store))) == 1


async def test_a_caller_cancelled_while_waiting_leaves_the_queue(store: DialogueStore) -> None:
    async with open_unit(store, PERSON):
        waiting = asyncio.ensure_future(a_turn(store))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert await what_stands(store) == [False, False, False]


async def test_units_with_one_key_run_in_order_of_arrival(store: DialogueStore) -> None:
    inside: list[int] = []
    most: list[int] = []
    order: list[int] = []

    async def turn(number: int) -> None:
        async def body(unit: DialogueUnit) -> None:
            inside.append(number)
            most.append(len(inside))
            await unit.save_dialogue(PERSON, f"turn {number}", language=None, now=NOON)
            order.append(number)
            inside.remove(number)

        await store.transact(PERSON, body)

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(turn(number))

    assert order == list(range(20))
    assert max(most) == 1


async def test_inv31_two_programs_never_lose_a_turn_of_one_person(store: DialogueStore, another: Another) -> None:
    async def count_up(program: DialogueStore) -> None:
        async def body(unit: DialogueUnit) -> None:
            dialogue = await unit.dialogue(PERSON)
            count = int(dialogue.text) if dialogue else 0
            await unit.save_dialogue(PERSON, str(count + 1), language=None, now=NOON)

        await program.transact(PERSON, body)

    async with another() as other, asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(count_up(store if number % 2 else other))

    async with open_unit(store, PERSON) as unit:
        dialogue = await unit.dialogue(PERSON)
    assert dialogue is not None
    assert (dialogue.text, dialogue.revision) == ("40", 40)


async def test_a_unit_that_has_ended_can_no_longer_write(store: DialogueStore) -> None:
    async def leak(unit: DialogueUnit) -> DialogueUnit:
        return unit

    unit = await store.transact(PERSON, leak)
    with pytest.raises(RuntimeError, match="left"):
        await unit.save_attempt(make_attempt())


async def test_a_unit_inside_a_unit_is_an_error_and_no_deadlock(store: DialogueStore) -> None:
    async def nest(unit: DialogueUnit) -> None:
        await unit.mark_seen("update:1", NOON)
        await a_turn(store)

    with pytest.raises(RuntimeError):
        await store.transact("one", nest)

    assert await what_stands(store) == [False, False, False]


@pytest.mark.parametrize("statements", [0, 1, 2, 3, 4])
async def test_a_program_killed_inside_a_unit_stores_nothing(url: str, another: Another, statements: int) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.contracts.killed_inside_a_unit", url, str(statements)]
    program = await asyncio.create_subprocess_exec(*command, cwd=root, stdout=subprocess.PIPE)
    assert program.stdout is not None
    assert await program.stdout.readline() == b"inside\n"
    program.kill()
    await program.communicate()

    async with another() as store:
        assert await what_stands(store) == [False, False, False]
        await a_turn(store, "update:2")
        assert await what_stands(store) == [True, True, True]
