"""getUpdates: what is confirmed, what waits, who is sent away and who is slowed down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from playground.world.api_errors import ApiError
from playground.world.condition import ChangeCondition
from playground.world.update_queue import UpdateQueue
from tests.playground.simulator import TOKEN, Json, RunningPlayground, running_playground


@pytest.fixture
async def stand() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as stand:
        yield stand


def texts(updates: list[Json]) -> list[str]:
    return [update["message"]["text"] for update in updates]


async def parked(stand: RunningPlayground) -> None:
    world = stand.playground.world
    assert await world.changes.wait_for(lambda: world.updates.has_waiting_poll, 5)


async def test_an_update_stays_until_a_greater_offset_arrives(stand: RunningPlayground) -> None:
    user = await stand.person()
    for text in ("a", "b", "c"):
        await stand.says(user, text)

    first = await stand.result("getUpdates", limit=2)
    again = await stand.result("getUpdates")
    rest = await stand.result("getUpdates", offset=first[-1]["update_id"] + 1)

    assert (texts(first), texts(again), texts(rest)) == (["a", "b"], ["a", "b", "c"], ["c"])


async def test_a_negative_offset_keeps_the_newest_only(stand: RunningPlayground) -> None:
    user = await stand.person()
    for text in ("a", "b", "c"):
        await stand.says(user, text)

    assert texts(await stand.result("getUpdates", offset=-1)) == ["c"]
    assert texts(await stand.result("getUpdates")) == ["c"]


async def test_an_offset_from_another_world_loses_nothing(stand: RunningPlayground) -> None:
    user = await stand.person()
    await stand.says(user, "a")

    assert texts(await stand.result("getUpdates", offset=2_000_000_000)) == ["a"]


async def test_a_poll_waits_for_the_next_update(stand: RunningPlayground) -> None:
    user = await stand.person()
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(stand.result("getUpdates", timeout=30))
        await parked(stand)
        await stand.says(user, "王小明")

    assert texts(poll.result()) == ["王小明"]


async def test_a_second_poll_ends_the_first(stand: RunningPlayground) -> None:
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(stand.refusal("getUpdates", timeout=30))
        await parked(stand)
        second = tasks.create_task(stand.call("getUpdates", timeout=30))
        await asyncio.wait([first])
        await parked(stand)
        await stand.refusal("setWebhook", url="nonsense")
        stand.playground.world.clock.advance(1)
        await stand.result("setWebhook", url="http://127.0.0.1:9/")

    assert first.result() == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    assert second.result()["description"] == "Conflict: terminated by setWebhook request"
    assert await stand.refusal("getUpdates") == (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )


async def test_a_poll_whose_caller_died_counts_no_longer(stand: RunningPlayground) -> None:
    world = stand.playground.world
    poll = asyncio.ensure_future(stand.call("getUpdates", timeout=30))
    await parked(stand)
    assert (await stand.sim("/bot", "GET"))["connected"]

    poll.cancel()

    assert await world.changes.wait_for(lambda: not world.updates.has_waiting_poll, 5)
    assert not (await stand.sim("/bot", "GET"))["connected"]


async def test_only_the_wanted_kinds_arrive_and_the_wish_is_remembered(stand: RunningPlayground) -> None:
    user = await stand.person()
    await stand.result("getUpdates", allowed_updates=["callback_query"])
    await stand.says(user, "a")
    await stand.result("getUpdates")
    await stand.says(user, "b")
    assert await stand.result("getUpdates") == []

    await stand.result("getUpdates", allowed_updates=[])
    await stand.says(user, "c")

    assert texts(await stand.result("getUpdates")) == ["c"]


def test_a_press_waits_150_seconds_and_a_text_a_day() -> None:
    now = [1_795_440_000.0]
    updates = updates_at(now)
    updates.add("callback_query", {}, "presses")
    updates.add("message", {}, "chat")

    now[0] += 151
    assert [update.kind for update in updates.pending()] == ["message"]

    now[0] += 24 * 3600
    assert updates.pending() == []


async def test_an_update_can_be_delivered_twice_on_order(stand: RunningPlayground) -> None:
    user = await stand.person()
    await stand.sim("/faults", kind="duplicate")
    await stand.says(user, "a")
    await stand.says(user, "b")

    first = await stand.result("getUpdates")
    second = await stand.result("getUpdates", offset=first[-1]["update_id"] + 1)

    assert (texts(first), texts(second)) == (["a", "b"], ["a"])
    assert await stand.result("getUpdates", offset=first[-1]["update_id"] + 1) == []


def updates_at(now: list[float]) -> UpdateQueue:
    return UpdateQueue(first_id=1, changes=ChangeCondition(), clock=lambda: now[0])


async def test_the_same_offset_again_at_once_gives_one_update_and_a_little_later_all() -> None:
    now = [1_795_440_000.0]
    updates = updates_at(now)
    updates.add("message", {}, "chat")
    updates.add("message", {}, "chat")

    counts = []
    for pause in (0.0, 0.1, 1.0):
        now[0] += pause
        counts.append(len(await updates.poll(offset=1, limit=100, seconds=0)))

    assert counts == [2, 1, 2]


async def test_an_empty_poll_of_the_same_offset_waits_though_it_asked_not_to() -> None:
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


async def test_who_is_sent_away_twice_at_once_waits_for_the_second_refusal() -> None:
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


async def test_the_token_is_part_of_every_address(stand: RunningPlayground) -> None:
    async with stand.http.get(f"{stand.url}/bot{TOKEN}/getMe") as answer:
        me = (await answer.json())["result"]

    assert (me["id"], me["is_bot"], me["username"]) == (7000000001, True, "realname_demo_bot")
