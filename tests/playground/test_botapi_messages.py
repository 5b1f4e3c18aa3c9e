"""Sending, editing and deleting: what goes through and what is refused, in the public server's words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground

BUTTONS = {"inline_keyboard": [[{"text": "确认", "callback_data": "yes"}]]}


@pytest.fixture
async def stand() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as stand:
        yield stand


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
async def test_a_message_is_refused(stand: RunningPlayground, fields: dict[str, Any], refusal: str) -> None:
    user = await stand.person()

    assert await stand.refusal("sendMessage", **{"chat_id": user, **fields}) == refusal


async def test_the_longest_text_counts_after_parsing_and_is_trimmed(stand: RunningPlayground) -> None:
    user = await stand.person()

    sent = await stand.result("sendMessage", chat_id=user, text=f" \n<b>{'王' * 4096}</b> \n", parse_mode="html")

    assert sent["text"] == "王" * 4096
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 4096}]


async def test_a_bot_cannot_write_first_nor_to_who_blocked_it(stand: RunningPlayground) -> None:
    stranger = await stand.person("李雷", started=False)
    assert await stand.refusal("sendMessage", chat_id=stranger, text="a") == (
        "Forbidden: bot can't initiate conversation with a user"
    )

    await stand.says(stranger, "/start")
    await stand.sim(f"/users/{stranger}", "PATCH", blocked=True)

    assert await stand.refusal("sendMessage", chat_id=stranger, text="a") == "Forbidden: bot was blocked by the user"
    changed = (await stand.result("getUpdates"))[-1]["my_chat_member"]
    assert changed["new_chat_member"]["status"] == "kicked"


async def test_forms_and_the_query_carry_the_same_fields_as_json(stand: RunningPlayground) -> None:
    user = await stand.person()

    form = await stand.upload("sendMessage", chat_id=user, text="a", reply_markup=json.dumps(BUTTONS))
    async with stand.http.get(f"{stand.url}/bot{TOKEN}/SENDMESSAGE?chat_id={user}&text=b") as answer:
        query = await answer.json()

    assert form["result"]["reply_markup"] == BUTTONS
    assert query["result"]["text"] == "b"


async def test_an_edit_that_changes_nothing_is_refused_and_one_without_buttons_removes_them(
    stand: RunningPlayground,
) -> None:
    user = await stand.person()
    sent = await stand.result("sendMessage", chat_id=user, text="a", reply_markup=BUTTONS)
    place = {"chat_id": user, "message_id": sent["message_id"]}

    assert await stand.refusal("editMessageText", **place, text="a", reply_markup=BUTTONS) == (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )
    edited = await stand.result("editMessageText", **place, text="a")

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
async def test_a_call_about_nothing_is_refused(
    stand: RunningPlayground, method: str, fields: dict[str, Any], refusal: str
) -> None:
    user = await stand.person()

    assert await stand.refusal(method, chat_id=user, **fields) == refusal


async def test_a_file_nobody_sent_cannot_be_fetched(stand: RunningPlayground) -> None:
    told = await stand.refusal("getFile", file_id="x")

    assert told == "Bad Request: wrong file_id or the file is temporarily unavailable"


async def test_what_has_no_text_or_belongs_to_the_person_cannot_be_edited(stand: RunningPlayground) -> None:
    user = await stand.person()
    theirs = await stand.says(user, "王小明")
    keyboard = {"keyboard": [["是"]]}
    asked = await stand.result("sendMessage", chat_id=user, text="a", reply_markup=keyboard)
    photo = await stand.sim(f"/chats/{user}/messages", user=user, kind="photo")
    sizes = (await stand.result("getUpdates"))[-1]["message"]["photo"]
    sent = await stand.result("sendPhoto", chat_id=user, photo=sizes[-1]["file_id"])

    async def refusal(id: int) -> str:
        return await stand.refusal("editMessageText", chat_id=user, message_id=id, text="b")

    assert await refusal(theirs) == "Bad Request: message can't be edited"
    assert await refusal(photo["message_id"]) == "Bad Request: message can't be edited"
    assert await refusal(asked["message_id"]) == "Bad Request: message can't be edited"
    assert await refusal(sent["message_id"]) == "Bad Request: there is no text in the message to edit"


async def test_the_bot_deletes_its_own_and_the_persons_messages(stand: RunningPlayground) -> None:
    user = await stand.person()
    typed = await stand.says(user, "11010519491231002X")
    sent = await stand.result("sendMessage", chat_id=user, text="谢谢")

    assert await stand.result("deleteMessages", chat_id=user, message_ids=[typed, 1, sent["message_id"]])

    left = await stand.sim(f"/chats/{user}/messages", "GET")
    assert [message["text"] for message in left] == ["/start"]
    assert await stand.refusal("deleteMessage", chat_id=user, message_id=typed) == (
        "Bad Request: message to delete not found"
    )


async def test_an_unknown_method_and_a_wrong_token_are_refused_as_telegram_does(stand: RunningPlayground) -> None:
    assert await stand.call("sendTelepathy") == {
        "ok": False,
        "error_code": 404,
        "description": "Not Found: method not found",
    }
    async with stand.http.get(f"{stand.url}/bot1:wrong/getMe") as answer:
        assert await answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


async def test_links_mentions_and_commands_in_a_text_become_entities(stand: RunningPlayground) -> None:
    user = await stand.person()

    sent = await stand.result("sendMessage", chat_id=user, text="/help 见 https://example.com/a。@somebody #认证")

    kinds = [(entity["type"], entity["offset"]) for entity in sent["entities"]]
    assert kinds == [("bot_command", 0), ("url", 8), ("mention", 30), ("hashtag", 40)]


async def test_commands_and_descriptions_are_kept_by_language(stand: RunningPlayground) -> None:
    commands = [{"command": "start", "description": "开始"}]
    await stand.result("setMyCommands", commands=commands, language_code="zh")
    await stand.result("setMyDescription", description="实名认证", language_code="zh")

    assert await stand.result("getMyCommands", language_code="zh") == commands
    assert await stand.result("getMyCommands") == []
    assert await stand.result("getMyDescription", language_code="zh") == {"description": "实名认证"}
    assert await stand.refusal("setMyCommands", commands=commands, language_code="zh-hans") == (
        "Bad Request: invalid language code specified"
    )
    assert await stand.refusal("setMyCommands", commands=[{"command": "帮助", "description": "a"}]) == (
        "Bad Request: BOT_COMMAND_INVALID"
    )


async def test_formatting_may_come_as_entities(stand: RunningPlayground) -> None:
    user = await stand.person()
    bold = {"type": "bold", "offset": 0, "length": 1}
    link = {"type": "text_link", "offset": 1, "length": 1, "url": "example.com"}
    nowhere = {"type": "text_link", "offset": 0, "length": 1, "url": "nowhere"}
    found = {"type": "mention", "offset": 0, "length": 2}

    sent = await stand.result("sendMessage", chat_id=user, text="ab", entities=[link, bold, nowhere, found])

    assert sent["entities"] == [bold, {**link, "url": "http://example.com/"}]
    late = await stand.refusal("sendMessage", chat_id=user, text="ab", entities=[{**bold, "offset": 2}])
    assert late == "Bad Request: entity beginning at UTF-16 offset 2 ends after the end of the text"


async def test_after_leaving_a_group_the_bot_can_no_longer_write_there(stand: RunningPlayground) -> None:
    user = await stand.person()
    group = await stand.sim("/chats", type="supergroup", title="客服群", members=[user])

    await stand.result("leaveChat", chat_id=group["id"])

    assert await stand.refusal("sendMessage", chat_id=group["id"], text="a") == (
        "Forbidden: bot is not a member of the supergroup chat"
    )
    assert [event["chat"] for event in await stand.events("left")] == [group["id"]]
