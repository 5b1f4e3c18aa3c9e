"""getUpdates: confirmation, waiting, conflicts, and slowing down repeated calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from playground.world.clock import ChangeCondition
from playground.world.errors import ApiError
from playground.world.update_queue import UpdateQueue
from tests.playground.simulator import TOKEN, Json, RunningPlayground, running_playground


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


def texts(updates: list[Json]) -> list[str]:
    return [update["message"]["text"] for update in updates]


async def wait_for_poll(simulator: RunningPlayground) -> None:
    world = simulator.playground.world
    assert await world.changes.wait_for(lambda: world.updates.has_waiting_poll, 5)


async def test_an_update_stays_until_a_greater_offset_arrives(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    for text in ("a", "b", "c"):
        await simulator.says(user, text)

    first = await simulator.result("getUpdates", limit=2)
    again = await simulator.result("getUpdates")
    rest = await simulator.result("getUpdates", offset=first[-1]["update_id"] + 1)

    assert (texts(first), texts(again), texts(rest)) == (["a", "b"], ["a", "b", "c"], ["c"])


async def test_a_negative_offset_keeps_the_newest_only(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    for text in ("a", "b", "c"):
        await simulator.says(user, text)

    assert texts(await simulator.result("getUpdates", offset=-1)) == ["c"]
    assert texts(await simulator.result("getUpdates")) == ["c"]


async def test_an_offset_from_another_world_loses_nothing(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.says(user, "a")

    assert texts(await simulator.result("getUpdates", offset=2_000_000_000)) == ["a"]


async def test_a_poll_waits_for_the_next_update(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(simulator.result("getUpdates", timeout=30))
        await wait_for_poll(simulator)
        await simulator.says(user, "王小明")

    assert texts(poll.result()) == ["王小明"]


async def test_a_second_poll_ends_the_first(simulator: RunningPlayground) -> None:
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(simulator.refusal("getUpdates", timeout=30))
        await wait_for_poll(simulator)
        second = tasks.create_task(simulator.call("getUpdates", timeout=30))
        await asyncio.wait([first])
        await wait_for_poll(simulator)
        await simulator.refusal("setWebhook", url="nonsense")
        simulator.playground.world.clock.advance(1)
        await simulator.result("setWebhook", url="http://127.0.0.1:9/")

    assert first.result() == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    assert second.result()["description"] == "Conflict: terminated by setWebhook request"
    assert await simulator.refusal("getUpdates") == (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )


async def test_a_poll_whose_caller_disconnected_does_not_count(simulator: RunningPlayground) -> None:
    world = simulator.playground.world
    poll = asyncio.ensure_future(simulator.call("getUpdates", timeout=30))
    await wait_for_poll(simulator)
    assert (await simulator.sim("/bot", "GET"))["connected"]

    poll.cancel()

    assert await world.changes.wait_for(lambda: not world.updates.has_waiting_poll, 5)
    assert not (await simulator.sim("/bot", "GET"))["connected"]


async def test_only_allowed_updates_arrive_and_the_setting_stays(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.result("getUpdates", allowed_updates=["callback_query"])
    await simulator.says(user, "a")
    await simulator.result("getUpdates")
    await simulator.says(user, "b")
    assert await simulator.result("getUpdates") == []

    await simulator.result("getUpdates", allowed_updates=[])
    await simulator.says(user, "c")

    assert texts(await simulator.result("getUpdates")) == ["c"]


def test_a_press_waits_150_seconds_and_a_text_a_day() -> None:
    now = [1_795_440_000.0]
    updates = updates_at(now)
    updates.add("callback_query", {}, "presses")
    updates.add("message", {}, "chat")

    now[0] += 151
    assert [update.kind for update in updates.pending()] == ["message"]

    now[0] += 24 * 3600
    assert updates.pending() == []


async def test_an_update_can_be_delivered_twice(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.sim("/faults", kind="duplicate")
    await simulator.says(user, "a")
    await simulator.says(user, "b")

    first = await simulator.result("getUpdates")
    second = await simulator.result("getUpdates", offset=first[-1]["update_id"] + 1)

    assert (texts(first), texts(second)) == (["a", "b"], ["a"])
    assert await simulator.result("getUpdates", offset=first[-1]["update_id"] + 1) == []


def updates_at(now: list[float]) -> UpdateQueue:
    return UpdateQueue(first_id=1, changes=ChangeCondition(), clock=lambda: now[0])


async def test_a_repeated_offset_gives_one_update_at_once_and_all_a_little_later() -> None:
    now = [1_795_440_000.0]
    updates = updates_at(now)
    updates.add("message", {}, "chat")
    updates.add("message", {}, "chat")

    counts = []
    for pause in (0.0, 0.1, 1.0):
        now[0] += pause
        counts.append(len(await updates.poll(offset=1, limit=100, seconds=0)))

    assert counts == [2, 1, 2]


async def test_an_empty_poll_with_a_repeated_offset_waits_despite_timeout_zero() -> None:
    now = [1_795_440_000.0]
    bell = ChangeCondition()
    updates = UpdateQueue(first_id=1, changes=bell, clock=lambda: now[0])
    assert await updates.poll(offset=1, limit=100, seconds=0) == []
    now[0] += 3
    assert await updates.poll(offset=1, limit=100, seconds=0) == []

    now[0] += 2.9
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(updates.poll(offset=1, limit=100, seconds=0))
        assert await bell.wait_for(lambda: updates.has_waiting_poll, 5)
        updates.add("message", {}, "chat")

    assert [update.id for update in poll.result()] == [1]


async def test_the_second_conflict_within_seconds_is_delayed() -> None:
    now = [1_795_440_000.0]
    bell = ChangeCondition()
    updates = UpdateQueue(first_id=1, changes=bell, clock=lambda: now[0])
    updates.webhook_active = True
    with pytest.raises(ApiError):
        await updates.poll(offset=0, limit=100, seconds=0)

    again = asyncio.ensure_future(updates.poll(offset=0, limit=100, seconds=0))
    for _ in range(9):
        await asyncio.sleep(0)
    waits = not again.done()
    now[0] += 3
    bell.notify_all()

    assert waits
    with pytest.raises(ApiError):
        await again


async def test_the_token_is_part_of_every_address(simulator: RunningPlayground) -> None:
    async with simulator.http.get(f"{simulator.url}/bot{TOKEN}/getMe") as answer:
        me = (await answer.json())["result"]

    assert (me["id"], me["is_bot"], me["username"]) == (7000000001, True, "demo_bot")
