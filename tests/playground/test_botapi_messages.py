"""Sending, editing and deleting: what succeeds, and what is refused in the public server's words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground

BUTTONS = {"inline_keyboard": [[{"text": "确认", "callback_data": "yes"}]]}


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"text": ""}, "Bad Request: message text is empty"),
        ({}, "Bad Request: message text is empty"),
        ({"text": " \n\t"}, "Bad Request: text must be non-empty"),
        ({"text": "<b> </b>", "parse_mode": "HTML"}, "Bad Request: text must be non-empty"),
        ({"text": "王" * 4097}, "Bad Request: message is too long"),
        (
            {"text": "1 < 2", "parse_mode": "HTML"},
            'Bad Request: can\'t parse entities: Unsupported start tag "" at byte offset 2',
        ),
        ({"text": "a", "parse_mode": "BBCode"}, "Bad Request: unsupported parse_mode"),
        ({"text": "a", "chat_id": 42}, "Bad Request: chat not found"),
        ({"text": "a", "chat_id": ""}, "Bad Request: chat_id is empty"),
        (
            {"text": "a", "reply_parameters": {"message_id": 1}},
            "Bad Request: message to be replied not found",
        ),
        ({"text": "a", "reply_markup": "{"}, "Bad Request: can't parse reply keyboard markup JSON object"),
    ],
)
async def test_a_message_is_refused(simulator: RunningPlayground, fields: dict[str, Any], refusal: str) -> None:
    user = await simulator.person()

    assert await simulator.refusal("sendMessage", **{"chat_id": user, **fields}) == refusal


async def test_the_longest_text_counts_after_parsing_and_is_trimmed(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    sent = await simulator.result("sendMessage", chat_id=user, text=f" \n<b>{'王' * 4096}</b> \n", parse_mode="html")

    assert sent["text"] == "王" * 4096
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 4096}]


async def test_a_bot_cannot_write_first_nor_to_a_person_who_blocked_it(simulator: RunningPlayground) -> None:
    stranger = await simulator.person("李雷", started=False)
    assert await simulator.refusal("sendMessage", chat_id=stranger, text="a") == (
        "Forbidden: bot can't initiate conversation with a user"
    )

    await simulator.says(stranger, "/start")
    await simulator.sim(f"/users/{stranger}", "PATCH", blocked=True)

    assert (
        await simulator.refusal("sendMessage", chat_id=stranger, text="a") == "Forbidden: bot was blocked by the user"
    )
    changed = (await simulator.result("getUpdates"))[-1]["my_chat_member"]
    assert changed["new_chat_member"]["status"] == "kicked"


async def test_forms_and_the_query_carry_the_same_fields_as_json(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    form = await simulator.upload("sendMessage", chat_id=user, text="a", reply_markup=json.dumps(BUTTONS))
    async with simulator.http.get(f"{simulator.url}/bot{TOKEN}/SENDMESSAGE?chat_id={user}&text=b") as answer:
        query = await answer.json()

    assert form["result"]["reply_markup"] == BUTTONS
    assert query["result"]["text"] == "b"


async def test_an_edit_that_changes_nothing_is_refused_and_one_without_buttons_removes_them(
    simulator: RunningPlayground,
) -> None:
    user = await simulator.person()
    sent = await simulator.result("sendMessage", chat_id=user, text="a", reply_markup=BUTTONS)
    target = {"chat_id": user, "message_id": sent["message_id"]}

    assert await simulator.refusal("editMessageText", **target, text="a", reply_markup=BUTTONS) == (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )
    edited = await simulator.result("editMessageText", **target, text="a")

    assert "reply_markup" not in edited
    assert edited["edit_date"]


@pytest.mark.parametrize(
    ("method", "fields", "refusal"),
    [
        ("editMessageText", {"text": "b", "message_id": 1}, "Bad Request: message to edit not found"),
        ("editMessageReplyMarkup", {"message_id": 1}, "Bad Request: message to edit not found"),
        ("editMessageText", {"text": "b"}, "Bad Request: message identifier is not specified"),
        ("deleteMessage", {"message_id": 1}, "Bad Request: message to delete not found"),
        ("deleteMessages", {}, "Bad Request: message identifiers are not specified"),
        ("sendChatAction", {"action": "sleeping"}, "Bad Request: wrong parameter action in request"),
        ("sendPhoto", {}, "Bad Request: there is no photo in the request"),
        ("sendPhoto", {"photo": "x"}, "Bad Request: wrong file identifier/HTTP URL specified"),
    ],
)
async def test_a_call_without_an_existing_target_is_refused(
    simulator: RunningPlayground, method: str, fields: dict[str, Any], refusal: str
) -> None:
    user = await simulator.person()

    assert await simulator.refusal(method, chat_id=user, **fields) == refusal


async def test_an_unknown_file_cannot_be_fetched(simulator: RunningPlayground) -> None:
    reply = await simulator.refusal("getFile", file_id="x")

    assert reply == "Bad Request: wrong file_id or the file is temporarily unavailable"


async def test_a_message_without_text_or_of_the_person_cannot_be_edited(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    theirs = await simulator.says(user, "王小明")
    keyboard = {"keyboard": [["是"]]}
    with_reply_keyboard = await simulator.result("sendMessage", chat_id=user, text="a", reply_markup=keyboard)
    photo = await simulator.sim(f"/chats/{user}/messages", user=user, kind="photo")
    sizes = (await simulator.result("getUpdates"))[-1]["message"]["photo"]
    sent = await simulator.result("sendPhoto", chat_id=user, photo=sizes[-1]["file_id"])

    async def refusal(id: int) -> str:
        return await simulator.refusal("editMessageText", chat_id=user, message_id=id, text="b")

    assert await refusal(theirs) == "Bad Request: message can't be edited"
    assert await refusal(photo["message_id"]) == "Bad Request: message can't be edited"
    assert await refusal(with_reply_keyboard["message_id"]) == "Bad Request: message can't be edited"
    assert await refusal(sent["message_id"]) == "Bad Request: there is no text in the message to edit"


async def test_the_bot_deletes_its_own_and_the_persons_messages(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    typed = await simulator.says(user, "11010519491231002X")
    sent = await simulator.result("sendMessage", chat_id=user, text="谢谢")

    assert await simulator.result("deleteMessages", chat_id=user, message_ids=[typed, 1, sent["message_id"]])

    left = await simulator.sim(f"/chats/{user}/messages", "GET")
    assert [message["text"] for message in left] == ["/start"]
    assert await simulator.refusal("deleteMessage", chat_id=user, message_id=typed) == (
        "Bad Request: message to delete not found"
    )


async def test_an_unknown_method_and_a_wrong_token_are_refused_as_telegram_does(simulator: RunningPlayground) -> None:
    assert await simulator.call("sendTelepathy") == {
        "ok": False,
        "error_code": 404,
        "description": "Not Found: method not found",
    }
    async with simulator.http.get(f"{simulator.url}/bot1:wrong/getMe") as answer:
        assert await answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


async def test_links_mentions_and_commands_in_a_text_become_entities(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    sent = await simulator.result("sendMessage", chat_id=user, text="/help 见 https://example.com/a。@somebody #认证")

    kinds = [(entity["type"], entity["offset"]) for entity in sent["entities"]]
    assert kinds == [("bot_command", 0), ("url", 8), ("mention", 30), ("hashtag", 40)]


async def test_commands_and_descriptions_are_stored_by_language(simulator: RunningPlayground) -> None:
    commands = [{"command": "start", "description": "开始"}]
    await simulator.result("setMyCommands", commands=commands, language_code="zh")
    await simulator.result("setMyDescription", description="实名认证", language_code="zh")

    assert await simulator.result("getMyCommands", language_code="zh") == commands
    assert await simulator.result("getMyCommands") == []
    assert await simulator.result("getMyDescription", language_code="zh") == {"description": "实名认证"}
    assert await simulator.refusal("setMyCommands", commands=commands, language_code="zh-hans") == (
        "Bad Request: invalid language code specified"
    )
    assert await simulator.refusal("setMyCommands", commands=[{"command": "帮助", "description": "a"}]) == (
        "Bad Request: BOT_COMMAND_INVALID"
    )


async def test_formatting_may_come_as_entities(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    bold = {"type": "bold", "offset": 0, "length": 1}
    link = {"type": "text_link", "offset": 1, "length": 1, "url": "example.com"}
    nowhere = {"type": "text_link", "offset": 0, "length": 1, "url": "nowhere"}
    found = {"type": "mention", "offset": 0, "length": 2}

    sent = await simulator.result("sendMessage", chat_id=user, text="ab", entities=[link, bold, nowhere, found])

    assert sent["entities"] == [bold, {**link, "url": "http://example.com/"}]
    late = await simulator.refusal("sendMessage", chat_id=user, text="ab", entities=[{**bold, "offset": 2}])
    assert late == "Bad Request: entity beginning at UTF-16 offset 2 ends after the end of the text"


async def test_after_leaving_a_group_the_bot_can_no_longer_write_there(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    group = await simulator.sim("/chats", type="supergroup", title="客服群", members=[user])

    await simulator.result("leaveChat", chat_id=group["id"])

    assert await simulator.refusal("sendMessage", chat_id=group["id"], text="a") == (
        "Forbidden: bot is not a member of the supergroup chat"
    )
    assert [event["chat"] for event in await simulator.events("left")] == [group["id"]]
