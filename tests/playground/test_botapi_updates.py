"""getUpdates: what is confirmed, what waits, who is sent away; and the webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.bell import Bell
from playground.botapi.updates import Updates
from tests.playground.standin import TOKEN, Json, Stand, standing


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with standing() as stand:
        yield stand


def texts(updates: list[Json]) -> list[str]:
    return [update["message"]["text"] for update in updates]


async def parked(stand: Stand) -> None:
    world = stand.playground.world
    assert await world.bell.until(lambda: world.updates.parked, 5)


async def test_an_update_stays_until_a_greater_offset_arrives(stand: Stand) -> None:
    user = await stand.person()
    for text in ("a", "b", "c"):
        await stand.says(user, text)

    first = await stand.result("getUpdates", limit=2)
    again = await stand.result("getUpdates")
    rest = await stand.result("getUpdates", offset=first[-1]["update_id"] + 1)

    assert (texts(first), texts(again), texts(rest)) == (["a", "b"], ["a", "b", "c"], ["c"])


async def test_a_negative_offset_keeps_the_newest_only(stand: Stand) -> None:
    user = await stand.person()
    for text in ("a", "b", "c"):
        await stand.says(user, text)

    assert texts(await stand.result("getUpdates", offset=-1)) == ["c"]
    assert texts(await stand.result("getUpdates")) == ["c"]


async def test_an_offset_from_another_world_loses_nothing(stand: Stand) -> None:
    user = await stand.person()
    await stand.says(user, "a")

    assert texts(await stand.result("getUpdates", offset=2_000_000_000)) == ["a"]


async def test_a_poll_waits_for_the_next_update(stand: Stand) -> None:
    user = await stand.person()
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(stand.result("getUpdates", timeout=30))
        await parked(stand)
        await stand.says(user, "王小明")

    assert texts(poll.result()) == ["王小明"]


async def test_a_second_poll_ends_the_first(stand: Stand) -> None:
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(stand.refusal("getUpdates", timeout=30))
        await parked(stand)
        second = tasks.create_task(stand.call("getUpdates", timeout=30))
        await asyncio.wait([first])
        await parked(stand)
        await stand.refusal("setWebhook", url="nonsense")
        await stand.result("setWebhook", url="http://127.0.0.1:9/")

    assert first.result() == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    assert second.result()["description"] == "Conflict: terminated by setWebhook request"
    assert await stand.refusal("getUpdates") == (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )


async def test_a_poll_whose_caller_died_counts_no_longer(stand: Stand) -> None:
    world = stand.playground.world
    poll = asyncio.ensure_future(stand.call("getUpdates", timeout=30))
    await parked(stand)
    assert (await stand.sim("/bot", "GET"))["connected"]

    poll.cancel()

    assert await world.bell.until(lambda: not world.updates.parked, 5)
    assert not (await stand.sim("/bot", "GET"))["connected"]


async def test_only_the_wanted_kinds_arrive_and_the_wish_is_remembered(stand: Stand) -> None:
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
    updates = Updates(first_id=1, bell=Bell(), clock=lambda: now[0])
    updates.add("callback_query", {}, "presses")
    updates.add("message", {}, "chat")

    now[0] += 151
    assert [update.kind for update in updates.waiting()] == ["message"]

    now[0] += 24 * 3600
    assert updates.waiting() == []


async def test_an_update_can_be_delivered_twice_on_order(stand: Stand) -> None:
    user = await stand.person()
    await stand.sim("/faults", kind="duplicate")
    await stand.says(user, "a")
    await stand.says(user, "b")

    first = await stand.result("getUpdates")
    second = await stand.result("getUpdates", offset=first[-1]["update_id"] + 1)

    assert (texts(first), texts(second)) == (["a", "b"], ["a"])
    assert await stand.result("getUpdates", offset=first[-1]["update_id"] + 1) == []


async def test_the_webhook_gets_updates_in_order_until_it_takes_them(stand: Stand) -> None:
    user = await stand.person()
    taken: list[str] = []
    statuses = iter([500, 200, 200])
    done = asyncio.Event()

    async def hook(request: web.Request) -> web.Response:
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == "secret"
        status = next(statuses)
        taken.append(f"{status} {(await request.json())['message']['text']}")
        if len(taken) == 3:
            done.set()
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/hook", hook)
    async with TestServer(app) as server:
        await stand.result("setWebhook", url=str(server.make_url("/hook")), secret_token="secret")
        await stand.says(user, "a")
        await stand.says(user, "b")
        await asyncio.wait_for(done.wait(), 5)
        assert (await stand.sim("/idle?wait=5", "GET"))["idle"]
        info = await stand.result("getWebhookInfo")

    assert taken == ["500 a", "200 a", "200 b"]
    assert (info["pending_update_count"], info["last_error_message"]) == (
        0,
        "Wrong response from the webhook: 500 Internal Server Error",
    )
    await stand.result("deleteWebhook")
    assert await stand.result("getUpdates") == []


async def test_the_token_is_part_of_every_address(stand: Stand) -> None:
    async with stand.http.get(f"{stand.url}/bot{TOKEN}/getMe") as answer:
        me = (await answer.json())["result"]

    assert (me["id"], me["is_bot"], me["username"]) == (7000000001, True, "realname_demo_bot")
