"""The webhook: order, parallel deliveries, retries, and when it is removed."""

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
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


@dataclass(slots=True)
class WebhookReceiver:
    """The bot's webhook: stores the updates and answers with the configured statuses."""

    simulator: RunningPlayground
    answer: Callable[[str], web.Response] = lambda _: web.Response()
    received: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == "secret"
        update: Json = await request.json()
        what = update["message"]["text"] if "message" in update else update["callback_query"]["data"]
        self.received.append(what)
        self.simulator.playground.world.changes.notify_all()
        await self.open.wait()
        return self.answer(what)

    async def until(self, fact: Callable[[], bool]) -> None:
        assert await self.simulator.playground.world.changes.wait_for(fact, 5), self.received

    async def refused(self) -> None:
        """Wait until an attempt failed at the current second of the clock or later."""
        world = self.simulator.playground.world
        now = int(world.clock())
        await self.until(lambda: world.webhook.info().get("last_error_date", 0) >= now)


@asynccontextmanager
async def webhook_receiver(
    simulator: RunningPlayground, *, closed: bool = False, connections: int = 40
) -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver(simulator)
    if not closed:
        receiver.open.set()
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    async with TestServer(app) as server:
        url = str(server.make_url("/hook"))
        await simulator.result("setWebhook", url=url, secret_token="secret", max_connections=connections)
        yield receiver
        receiver.open.set()
        await simulator.result("deleteWebhook")


async def test_updates_of_a_chat_come_in_order_and_each_until_it_is_confirmed(simulator: RunningPlayground) -> None:
    user, world = await simulator.person(), simulator.playground.world
    async with webhook_receiver(simulator) as receiver:
        receiver.answer = lambda _: web.Response(status=200 if len(receiver.received) > 1 else 500)
        await simulator.says(user, "a")
        await simulator.says(user, "b")
        await receiver.refused()
        info = await simulator.result("getWebhookInfo")
        world.clock.advance(1)
        await receiver.until(lambda: world.idle)

    assert receiver.received == ["a", "a", "b"]
    assert (info["pending_update_count"], info["last_error_message"]) == (
        2,
        "Wrong response from the webhook: 500 Internal Server Error",
    )
    assert await simulator.result("getUpdates") == []


async def test_an_answer_to_an_update_may_be_a_call(simulator: RunningPlayground) -> None:
    user, world = await simulator.person(), simulator.playground.world
    call = {"method": "sendMessage", "chat_id": user, "text": "你好"}
    answers = {
        "json": web.json_response(call),
        "form": web.Response(text=f"method=sendMessage&chat_id={user}&text=b", content_type=FORM),
        "no call": web.json_response({"chat_id": user}),
        "unknown": web.json_response({"method": "sendNothing"}),
        "no JSON": web.Response(text="ok", content_type="application/json"),
        "lost": web.json_response({**call, "text": "c"}),
        "dropped": web.json_response({**call, "text": "d"}),
    }
    async with webhook_receiver(simulator) as receiver:
        receiver.answer = answers.__getitem__
        for text in answers:
            if text in ("lost", "dropped"):
                await simulator.sim("/faults", method="sendMessage", kind=text.removesuffix("ped"))
            await simulator.says(user, text)
            await receiver.until(lambda: world.idle)

    said = [message.text for message in world.messages(user) if message.sender != user]
    assert said == ["你好", "b", "c"]


async def test_a_press_may_overtake_a_text_and_chats_do_not_wait_for_each_other(simulator: RunningPlayground) -> None:
    user, other = await simulator.person(), await simulator.person("李雷")
    keys = {"inline_keyboard": [[{"text": "a", "callback_data": "press"}]]}
    sent = await simulator.result("sendMessage", chat_id=user, text="a", reply_markup=keys)
    async with webhook_receiver(simulator, closed=True) as receiver:
        await simulator.says(user, "first")
        await simulator.says(user, "second")
        await simulator.sim(f"/chats/{user}/messages/{sent['message_id']}/tap", user=user, label="a")
        await simulator.says(other, "other")
        await receiver.until(lambda: len(receiver.received) == 3)
        receiver.open.set()
        await receiver.until(lambda: len(receiver.received) == 4)

    assert sorted(receiver.received[:3]) == ["first", "other", "press"]
    assert receiver.received[3] == "second"


async def test_the_bot_limits_the_parallel_deliveries(simulator: RunningPlayground) -> None:
    people = [await simulator.person() for _ in range(3)]
    async with webhook_receiver(simulator, closed=True, connections=2) as receiver:
        for user in people:
            await simulator.says(user, str(user))
        await receiver.until(lambda: len(receiver.received) == 2)
        for _ in range(20):
            await asyncio.sleep(0)
        at_once = len(receiver.received)
        receiver.open.set()
        await receiver.until(lambda: len(receiver.received) == 3)

    assert at_once == 2


async def test_the_next_attempt_waits_for_retry_after(simulator: RunningPlayground) -> None:
    user, world = await simulator.person(), simulator.playground.world
    async with webhook_receiver(simulator) as receiver:
        receiver.answer = lambda _: web.Response(
            status=200 if len(receiver.received) > 1 else 503, headers={"Retry-After": "90"}
        )
        await simulator.says(user, "a")
        await receiver.refused()
        world.clock.advance(89)
        for _ in range(20):
            await asyncio.sleep(0)
        too_early = len(receiver.received)
        world.clock.advance(1)
        await receiver.until(lambda: world.idle)

    assert (too_early, receiver.received) == (1, ["a", "a"])


async def test_the_backoff_grows_from_a_second_and_an_expiring_update_is_dropped(simulator: RunningPlayground) -> None:
    user, world = await simulator.person(), simulator.playground.world
    async with webhook_receiver(simulator) as receiver:
        receiver.answer = lambda _: web.Response(status=500)
        await simulator.says(user, "a")
        for seconds in (1, 2, 4):
            await receiver.refused()
            world.clock.advance(seconds)
        await receiver.refused()
        world.clock.advance(DAY - 8)
        await receiver.until(lambda: world.idle)

    assert receiver.received[:4] == ["a"] * 4


async def test_a_webhook_that_is_gone_for_a_day_is_removed(simulator: RunningPlayground) -> None:
    user, world = await simulator.person(), simulator.playground.world
    async with webhook_receiver(simulator) as receiver:
        receiver.answer = lambda _: web.Response(status=410)
        await simulator.says(user, "a")
        await receiver.refused()
        world.clock.advance(23 * 3600)
        await receiver.until(lambda: not world.updates.webhook_active)

    assert [update["message"]["text"] for update in await simulator.result("getUpdates")] == ["a"]


async def test_the_webhook_is_changed_at_most_once_a_second(simulator: RunningPlayground) -> None:
    await simulator.result("setWebhook", url="http://127.0.0.1:9/")

    reply = await simulator.call("setWebhook", url="http://127.0.0.1:9/")

    assert (reply["error_code"], reply["parameters"]) == (429, {"retry_after": 1})
    simulator.playground.world.clock.advance(1)
    assert await simulator.result("setWebhook", url="http://127.0.0.1:9/")
    await simulator.result("deleteWebhook")
