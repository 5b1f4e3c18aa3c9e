"""The webhook: queues, order, patience, and when an address is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.playground.simulator import Json, RunningPlayground, running_playground

DAY = 24 * 3600


@pytest.fixture
async def stand() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as stand:
        yield stand


@dataclass(slots=True)
class WebhookReceiver:
    """The bot's own address: notes what came, and answers as it is told to."""

    stand: RunningPlayground
    answer: Callable[[str], web.Response] = lambda _: web.Response()
    received: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == "secret"
        update: Json = await request.json()
        what = update["message"]["text"] if "message" in update else update["callback_query"]["data"]
        self.received.append(what)
        self.stand.playground.world.changes.notify_all()
        await self.open.wait()
        return self.answer(what)

    async def until(self, fact: Callable[[], bool]) -> None:
        assert await self.stand.playground.world.changes.wait_for(fact, 5), self.received

    async def refused(self) -> None:
        """Wait until a try failed at this very time of the clock; then let time pass."""
        world = self.stand.playground.world
        now = int(world.clock())
        await self.until(lambda: world.webhook.info().get("last_error_date", 0) >= now)


@asynccontextmanager
async def webhook_receiver(
    stand: RunningPlayground, *, closed: bool = False, connections: int = 40
) -> AsyncIterator[WebhookReceiver]:
    there = WebhookReceiver(stand)
    if not closed:
        there.open.set()
    app = web.Application()
    app.router.add_post("/hook", there.take)
    async with TestServer(app) as server:
        url = str(server.make_url("/hook"))
        await stand.result("setWebhook", url=url, secret_token="secret", max_connections=connections)
        yield there
        there.open.set()
        await stand.result("deleteWebhook")


async def test_updates_of_a_chat_come_in_order_and_each_until_it_is_taken(stand: RunningPlayground) -> None:
    user, world = await stand.person(), stand.playground.world
    async with webhook_receiver(stand) as there:
        there.answer = lambda _: web.Response(status=200 if len(there.received) > 1 else 500)
        await stand.says(user, "a")
        await stand.says(user, "b")
        await there.refused()
        info = await stand.result("getWebhookInfo")
        world.clock.advance(1)
        await there.until(lambda: world.idle)

    assert there.received == ["a", "a", "b"]
    assert (info["pending_update_count"], info["last_error_message"]) == (
        2,
        "Wrong response from the webhook: 500 Internal Server Error",
    )
    assert await stand.result("getUpdates") == []


async def test_a_press_may_overtake_a_text_and_one_person_waits_for_no_other(stand: RunningPlayground) -> None:
    user, other = await stand.person(), await stand.person("李雷")
    keys = {"inline_keyboard": [[{"text": "a", "callback_data": "press"}]]}
    sent = await stand.result("sendMessage", chat_id=user, text="a", reply_markup=keys)
    async with webhook_receiver(stand, closed=True) as there:
        await stand.says(user, "first")
        await stand.says(user, "second")
        await stand.sim(f"/chats/{user}/messages/{sent['message_id']}/tap", user=user, label="a")
        await stand.says(other, "other")
        await there.until(lambda: len(there.received) == 3)
        there.open.set()
        await there.until(lambda: len(there.received) == 4)

    assert sorted(there.received[:3]) == ["first", "other", "press"]
    assert there.received[3] == "second"


async def test_no_more_come_at_once_than_the_bot_allows(stand: RunningPlayground) -> None:
    people = [await stand.person() for _ in range(3)]
    async with webhook_receiver(stand, closed=True, connections=2) as there:
        for user in people:
            await stand.says(user, str(user))
        await there.until(lambda: len(there.received) == 2)
        for _ in range(20):
            await asyncio.sleep(0)
        at_once = len(there.received)
        there.open.set()
        await there.until(lambda: len(there.received) == 3)

    assert at_once == 2


async def test_the_next_try_waits_as_long_as_the_bot_says(stand: RunningPlayground) -> None:
    user, world = await stand.person(), stand.playground.world
    async with webhook_receiver(stand) as there:
        there.answer = lambda _: web.Response(
            status=200 if len(there.received) > 1 else 503, headers={"Retry-After": "90"}
        )
        await stand.says(user, "a")
        await there.refused()
        world.clock.advance(89)
        for _ in range(20):
            await asyncio.sleep(0)
        too_early = len(there.received)
        world.clock.advance(1)
        await there.until(lambda: world.idle)

    assert (too_early, there.received) == (1, ["a", "a"])


async def test_waits_grow_from_a_second_and_what_expires_is_dropped(stand: RunningPlayground) -> None:
    user, world = await stand.person(), stand.playground.world
    async with webhook_receiver(stand) as there:
        there.answer = lambda _: web.Response(status=500)
        await stand.says(user, "a")
        for seconds in (1, 2, 4):
            await there.refused()
            world.clock.advance(seconds)
        await there.refused()
        world.clock.advance(DAY - 8)
        await there.until(lambda: world.idle)

    assert there.received[:4] == ["a"] * 4


async def test_an_address_that_is_gone_for_a_day_is_given_up(stand: RunningPlayground) -> None:
    user, world = await stand.person(), stand.playground.world
    async with webhook_receiver(stand) as there:
        there.answer = lambda _: web.Response(status=410)
        await stand.says(user, "a")
        await there.refused()
        world.clock.advance(23 * 3600)
        await there.until(lambda: not world.updates.webhook_active)

    assert [update["message"]["text"] for update in await stand.result("getUpdates")] == ["a"]


async def test_the_address_is_changed_at_most_once_a_second(stand: RunningPlayground) -> None:
    await stand.result("setWebhook", url="http://127.0.0.1:9/")

    told = await stand.call("setWebhook", url="http://127.0.0.1:9/")

    assert (told["error_code"], told["parameters"]) == (429, {"retry_after": 1})
    stand.playground.world.clock.advance(1)
    assert await stand.result("setWebhook", url="http://127.0.0.1:9/")
    await stand.result("deleteWebhook")
