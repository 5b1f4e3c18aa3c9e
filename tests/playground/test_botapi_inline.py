"""Inline mode: queries in any chat, their answers, and the chosen result."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import Update

from tests.playground.simulator import RunningPlayground, running_playground

KEYS = {"inline_keyboard": [[{"text": "有用", "callback_data": "yes"}]]}
OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


def article(id: str = "1", text: str = "<b>三</b>个", **facts: Any) -> dict[str, Any]:
    content = {"message_text": text, "parse_mode": "HTML"}
    return {"type": "article", "id": id, "title": "几个账号", "input_message_content": content, **facts}


async def type_query(simulator: RunningPlayground, chat: int, user: int, words: str = "3个账号") -> str:
    return str((await simulator.sim(f"/chats/{chat}/inline", user=user, query=words))["query"])


async def group_of(simulator: RunningPlayground, user: int, **facts: Any) -> int:
    return int((await simulator.sim("/chats", type="group", title="客服群", members=[user], **facts))["id"])


async def chosen(simulator: RunningPlayground, chat: int, user: int, *results: dict[str, Any]) -> None:
    id = await type_query(simulator, chat, user)
    await simulator.result("answerInlineQuery", inline_query_id=id, results=list(results), cache_time=0)
    await simulator.forget()
    await simulator.sim(f"/chats/{chat}/inline/choose", user=user, result=results[0]["id"])


async def test_a_query_has_the_type_of_its_chat(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = await group_of(simulator, user)
    await type_query(simulator, user, user)
    await type_query(simulator, group, user)

    queries = [update["inline_query"] for update in await simulator.result("getUpdates") if "inline_query" in update]

    assert [(query["chat_type"], query["query"]) for query in queries] == [("sender", "3个账号"), ("group", "3个账号")]


async def test_results_are_shown_to_the_person_who_typed_and_a_query_is_answered_once(
    simulator: RunningPlayground,
) -> None:
    user = await simulator.person()
    id = await type_query(simulator, user, user)

    assert await simulator.result("answerInlineQuery", inline_query_id=id, results=[article(description="三")])

    shown = (await simulator.events("results"))[-1]
    assert (shown["chat"], shown["user"], shown["button"]) == (user, user, None)
    assert shown["results"] == [article(description="三")]
    assert await simulator.refusal("answerInlineQuery", inline_query_id=id, results=[]) == OLD


async def test_a_press_cannot_be_answered_as_an_inline_query_nor_the_reverse(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    id = await type_query(simulator, user, user)

    assert await simulator.refusal("answerCallbackQuery", callback_query_id=id) == OLD
    assert await simulator.result("answerInlineQuery", inline_query_id=id, results=[])


async def test_a_chosen_result_is_sent_to_the_chat_via_the_bot(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = await group_of(simulator, user)

    await chosen(simulator, group, user, article())

    sent, reply = await simulator.result("getUpdates")
    message = sent["message"]
    assert (message["from"]["id"], message["via_bot"]["username"], message["text"]) == (
        user,
        "demo_bot",
        "三个",
    )
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 1}]
    assert (reply["chosen_inline_result"]["result_id"], reply["chosen_inline_result"]["query"]) == ("1", "3个账号")
    assert "inline_message_id" not in reply["chosen_inline_result"]
    assert Update.de_json(sent).message is not None


async def test_inline_mode_works_in_a_chat_that_the_bot_cannot_read(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = await group_of(simulator, user, bot=False)

    await chosen(simulator, group, user, article(reply_markup=KEYS))

    (reply,) = await simulator.result("getUpdates")
    inline_id = reply["chosen_inline_result"]["inline_message_id"]
    refused = await simulator.refusal("sendMessage", chat_id=group, text="a")
    assert refused == "Forbidden: bot is not a member of the group chat"
    assert await simulator.result("editMessageText", inline_message_id=inline_id, text="改") is True
    assert (await simulator.sim(f"/chats/{group}/messages", "GET"))[-1]["text"] == "改"
    assert (
        await simulator.refusal("editMessageText", inline_message_id="x", text="改")
        == "Bad Request: MESSAGE_ID_INVALID"
    )


async def test_a_press_on_a_message_sent_via_the_bot_has_its_inline_message_id(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await chosen(simulator, user, user, article(reply_markup=KEYS))
    message = (await simulator.sim(f"/chats/{user}/messages", "GET"))[-1]
    await simulator.forget()

    await simulator.sim(f"/chats/{user}/messages/{message['id']}/tap", user=user, label="有用")

    query = (await simulator.result("getUpdates"))[-1]["callback_query"]
    assert "message" not in query
    edited = await simulator.result("editMessageReplyMarkup", inline_message_id=query["inline_message_id"])
    assert edited is True
    theirs = await simulator.refusal("editMessageText", chat_id=user, message_id=message["id"], text="改")
    assert theirs == "Bad Request: message can't be edited"


async def test_an_answer_is_cached_for_everybody_unless_it_is_personal(simulator: RunningPlayground) -> None:
    first, second = await simulator.person(), await simulator.person("李雷")
    id = await type_query(simulator, first, first)
    await simulator.result("answerInlineQuery", inline_query_id=id, results=[article()])

    shared = await simulator.sim(f"/chats/{second}/inline", user=second, query="3个账号")
    assert shared == {"query": None}
    assert (await simulator.events("results"))[-1]["user"] == second

    simulator.playground.world.clock.advance(301)
    id = await type_query(simulator, first, first)
    await simulator.result("answerInlineQuery", inline_query_id=id, results=[article()], is_personal=True)
    assert await type_query(simulator, second, second) != "None"
    assert (await simulator.sim(f"/chats/{first}/inline", user=first, query="3个账号")) == {"query": None}


async def test_a_stored_picture_and_a_picture_on_the_web_can_be_sent(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    await simulator.sim(f"/chats/{user}/messages", user=user, kind="photo")
    known = (await simulator.result("getUpdates"))[-1]["message"]["photo"][-1]["file_id"]
    web = {"type": "photo", "id": "2", "photo_url": "https://a.example/b.jpg", "thumbnail_url": "https://a.example/b"}

    await chosen(simulator, user, user, {"type": "photo", "id": "1", "photo_file_id": known, "caption": "码"}, web)

    assert (await simulator.result("getUpdates"))[0]["message"]["caption"] == "码"
    await simulator.sim(f"/chats/{user}/inline/choose", user=user, result="2")
    assert "fetches no URL" in (await simulator.events("remark"))[-1]["text"]
    assert (await simulator.try_sim(f"/chats/{user}/inline/choose", user=user, result="3"))[1] == {
        "error": "the bot offers no result '3'; it offers: '1', '2'"
    }


async def test_the_button_above_the_results_starts_the_bot_in_the_private_chat(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = await group_of(simulator, user)
    id = await type_query(simulator, group, user)
    button = {"text": "去认证", "start_parameter": "inline"}
    await simulator.result("answerInlineQuery", inline_query_id=id, results=[], button=button)
    await simulator.forget()

    await simulator.sim(f"/chats/{group}/inline/choose", user=user, button=True)

    message = (await simulator.result("getUpdates"))[-1]["message"]
    assert (message["chat"]["id"], message["text"]) == (user, "/start inline")


PARSED = "can't parse inline query result: "


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"results": "x"}, "can't parse inline query results JSON object"),
        ({"results": {}}, "expected an Array of inline query results"),
        ({"results": [article(str(n)) for n in range(51)]}, "too many inline query results specified"),
        ({"results": [article(), article()]}, "RESULT_ID_DUPLICATE"),
        ({"results": [1]}, f"{PARSED}Inline query result must be an object"),
        ({"results": [{"id": "1"}]}, f'{PARSED}Can\'t find field "type"'),
        ({"results": [{"type": "article"}]}, f'{PARSED}Can\'t find field "id"'),
        ({"results": [article("x" * 65)]}, f"{PARSED}RESULT_ID_INVALID"),
        ({"results": [article(input_message_content=None)]}, f"{PARSED}Message content is not specified"),
        ({"results": [article(text="")]}, f"{PARSED}message text is empty"),
        (
            {"results": [article(text="<b>")]},
            f"{PARSED}can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        ({"results": [article(reply_markup={"keyboard": [["a"]]})]}, f"{PARSED}inline keyboard expected"),
        ({"results": [{"type": "cinema", "id": "1"}]}, f'{PARSED}Unsupported inline query result type "cinema"'),
        ({"results": [{"type": "contact", "id": "1"}]}, f'{PARSED}Can\'t find field "phone_number"'),
        ({"results": [{"type": "photo", "id": "1"}]}, f'{PARSED}Can\'t find field "photo_url"'),
        ({"results": [], "button": {"text": "a", "start_parameter": "a b"}}, "START_PARAM_INVALID"),
        (
            {"results": [], "button": {"text": "a", "web_app": {"url": "http://a.b"}}},
            "inline query results button Web App URL 'http://a.b' is invalid: Only HTTPS links are allowed",
        ),
        ({"results": [], "next_offset": "x" * 65}, "NEXT_OFFSET_INVALID"),
    ],
)
async def test_an_answer_with_a_mistake_is_refused(
    simulator: RunningPlayground, fields: dict[str, Any], refusal: str
) -> None:
    user = await simulator.person()
    id = await type_query(simulator, user, user)

    assert await simulator.refusal("answerInlineQuery", inline_query_id=id, **fields) == f"Bad Request: {refusal}"
