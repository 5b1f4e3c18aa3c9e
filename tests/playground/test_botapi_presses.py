"""Button presses and their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.playground.simulator import RunningPlayground, running_playground

OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


async def pressed(simulator: RunningPlayground, **how: Any) -> tuple[int, str]:
    user = await simulator.person()
    buttons = {"inline_keyboard": [[{"text": "确认", "callback_data": "yes"}, {"text": "打开", "url": "http://a.b"}]]}
    sent = await simulator.result("sendMessage", chat_id=user, text="请确认", reply_markup=buttons)
    reply = await simulator.sim(f"/chats/{user}/messages/{sent['message_id']}/tap", user=user, **how)
    return user, reply["query"]


@pytest.mark.parametrize("how", [{"label": "确认"}, {"row": 0, "column": 0}])
async def test_a_press_reaches_the_bot_with_its_message(simulator: RunningPlayground, how: dict[str, Any]) -> None:
    user, id = await pressed(simulator, **how)

    query = (await simulator.result("getUpdates"))[-1]["callback_query"]

    assert (query["id"], query["from"]["id"], query["data"]) == (id, user, "yes")
    assert query["message"]["text"] == "请确认"


async def test_a_press_can_be_answered_once(simulator: RunningPlayground) -> None:
    user, id = await pressed(simulator, label="确认")

    assert await simulator.result("answerCallbackQuery", callback_query_id=id, text="好", show_alert=True)

    toast = (await simulator.events("toast"))[-1]
    assert (toast["user"], toast["query"], toast["text"], toast["alert"]) == (user, id, "好", True)
    assert await simulator.refusal("answerCallbackQuery", callback_query_id=id) == OLD
    assert await simulator.refusal("answerCallbackQuery", callback_query_id="1") == OLD


async def test_a_late_answer_is_refused(simulator: RunningPlayground) -> None:
    _, id = await pressed(simulator, label="确认")

    simulator.playground.world.clock.advance(16)

    assert await simulator.refusal("answerCallbackQuery", callback_query_id=id) == OLD


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [({"text": "x" * 201}, "Bad Request: MESSAGE_TOO_LONG"), ({"url": "https://a.b"}, "Bad Request: URL_INVALID")],
)
async def test_an_answer_with_a_mistake_is_refused(
    simulator: RunningPlayground, fields: dict[str, Any], refusal: str
) -> None:
    _, id = await pressed(simulator, label="确认")

    assert await simulator.refusal("answerCallbackQuery", callback_query_id=id, **fields) == refusal
    assert await simulator.result("answerCallbackQuery", callback_query_id=id)


async def test_a_forged_press_carries_any_data_even_from_a_message_that_is_gone(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    sent = await simulator.result("sendMessage", chat_id=user, text="a")
    await simulator.result("deleteMessage", chat_id=user, message_id=sent["message_id"])

    await simulator.sim(f"/chats/{user}/messages/{sent['message_id']}/tap", user=user, data="'; DROP TABLE")

    query = (await simulator.result("getUpdates"))[-1]["callback_query"]
    assert (query["data"], query["message"]["date"]) == ("'; DROP TABLE", 0)


async def test_a_button_that_is_not_there_cannot_be_pressed(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    buttons = {"inline_keyboard": [[{"text": "确认", "callback_data": "y"}, {"text": "打开", "url": "http://a.b"}]]}
    sent = await simulator.result("sendMessage", chat_id=user, text="a", reply_markup=buttons)
    tap = f"/chats/{user}/messages/{sent['message_id']}/tap"

    assert await simulator.try_sim(tap, user=user, label="取消") == (
        409,
        {"error": "the message has no button '取消'; it has: [确认] [打开]"},
    )
    assert (await simulator.try_sim(tap, user=user, label="打开"))[0] == 409
    assert (await simulator.try_sim(tap, user=user, row=1, column=0))[0] == 409
    assert (await simulator.try_sim(f"/chats/{user}/messages/1/tap", user=user, label="确认"))[0] == 409
