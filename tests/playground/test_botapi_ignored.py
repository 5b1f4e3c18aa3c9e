"""What the public server ignores in a call is ignored and reported."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaDocument, Message
from telegram.ext import ApplicationBuilder, Defaults

from tests.playground.simulator import TOKEN, RunningPlayground, running_playground


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


async def remarks(simulator: RunningPlayground) -> list[str]:
    return [event["text"] for event in await simulator.events("remark")]


def inline(**action: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "确认", **action}]]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"disable_preview": True}, 'the field "disable_preview"'),
        ({"link_preview_options": {"disabled": True}}, 'the field "disabled" in link_preview_options'),
        ({"reply_markup": inline(callback_data="a", color="red")}, 'the field "color" in InlineKeyboardButton'),
        ({"reply_markup": inline(url="http://a.b") | {"wide": 1}}, 'the field "wide" in InlineKeyboardMarkup'),
        ({"reply_markup": {"keyboard": [["a"]], "wide": 1}}, 'the field "wide" in ReplyKeyboardMarkup'),
        ({"reply_markup": {"remove_keyboard": True, "wide": 1}}, 'the field "wide" in ReplyKeyboardRemove'),
        ({"reply_markup": {"force_reply": True, "wide": 1}}, 'the field "wide" in ForceReply'),
        ({"reply_markup": {"buttons": []}}, 'the field "buttons" in reply_markup'),
    ],
)
async def test_an_unknown_field_is_ignored_and_reported(
    simulator: RunningPlayground, fields: dict[str, Any], expected: str
) -> None:
    user = await simulator.person()

    sent = await simulator.result("sendMessage", chat_id=user, text="a", **fields)

    assert await remarks(simulator) == [f"sendMessage: Telegram ignores {expected}"]
    assert not {"color", "wide"} & set(str(sent).replace("'", " ").split())


async def test_an_unused_file_is_reported(simulator: RunningPlayground) -> None:
    user = await simulator.person()

    sent = await simulator.upload("sendDocument", chat_id=user, document=b"a", other=b"x")

    assert sent["ok"]
    assert await remarks(simulator) == ['sendDocument: Telegram ignores the file "other"']


async def test_an_unknown_field_of_a_refused_call_is_reported_too(simulator: RunningPlayground) -> None:
    assert await simulator.refusal("sendMessage", chatid=1, text="a") == "Bad Request: chat_id is empty"
    assert await remarks(simulator) == ['sendMessage: Telegram ignores the field "chatid"']


async def test_fields_of_commands_and_media_are_checked(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    sent = (await simulator.upload("sendDocument", chat_id=user, document=b"a"))["result"]
    media = {"type": "document", "media": sent["document"]["file_id"], "caption": "b", "colour": "red"}

    await simulator.result("setMyCommands", commands=[{"command": "a", "description": "b", "icon": "c"}])
    await simulator.upload("editMessageMedia", chat_id=user, message_id=sent["message_id"], media=json.dumps(media))

    assert await remarks(simulator) == [
        'setMyCommands: Telegram ignores the field "icon" in BotCommand',
        'editMessageMedia: Telegram ignores the field "colour" in InputMedia of type document',
    ]


async def test_defaults_of_a_library_that_telegram_ignores_do_no_harm(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    sent = (await simulator.upload("sendDocument", chat_id=user, document=b"a"))["result"]
    built = ApplicationBuilder().token(TOKEN).base_url(f"{simulator.url}/bot").defaults(Defaults(parse_mode="HTML"))
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("a", callback_data="b")]])

    async with built.build().bot as bot:
        media = InputMediaDocument(sent["document"]["file_id"], "<b>c</b>")
        edited = await bot.edit_message_media(media, user, sent["message_id"], reply_markup=keys)

    assert isinstance(edited, Message)
    assert edited.caption == "c"
    assert await remarks(simulator) == ['editMessageMedia: Telegram ignores the field "parse_mode"']


async def test_an_unknown_method_is_reported(simulator: RunningPlayground) -> None:
    assert await simulator.refusal("sendDices", chat_id=1) == "Not Found: method not found"
    assert await simulator.refusal("<script>") == "Not Found: method not found"
    assert await remarks(simulator) == ["sendDices: the simulator does not know this method"]
