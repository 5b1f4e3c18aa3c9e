"""reply_markup: every kind of keyboard, and the mistakes in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.playground.simulator import RunningPlayground, running_playground


@pytest.fixture
async def simulator() -> AsyncIterator[RunningPlayground]:
    async with running_playground() as simulator:
        yield simulator


def inline(**action: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "确认", **action}]]}


@pytest.mark.parametrize(
    ("markup", "refusal"),
    [
        (inline(callback_data="认" * 22), "BUTTON_DATA_INVALID"),
        (
            inline(url="http://localhost:8080/"),
            "inline keyboard button URL 'http://localhost:8080/' is invalid: Wrong HTTP URL",
        ),
        (inline(url="ftp://a.b/"), "inline keyboard button URL 'ftp://a.b/' is invalid: Unsupported URL protocol"),
        (inline(url="http://"), "inline keyboard button URL 'http://' is invalid: URL host is empty"),
        (
            inline(web_app={"url": "http://a.b/"}),
            "inline keyboard button Web App URL 'http://a.b/' is invalid: Only HTTPS links are allowed",
        ),
        (inline(), "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        (inline(copy_text={"text": "x" * 257}), "BUTTON_COPY_TEXT_INVALID"),
        (
            inline(callback_data="a", style="purple"),
            "can't parse inline keyboard button: invalid button style specified",
        ),
        (
            {"inline_keyboard": [[{"callback_data": "a"}]]},
            "can't parse inline keyboard button: Can't find field \"text\"",
        ),
        (
            {"inline_keyboard": [{"text": "a", "callback_data": "a"}]},
            'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
        ),
        ({"keyboard": ["是"]}, 'field "keyboard" must be an Array of Arrays'),
        (
            {"force_reply": True, "input_field_placeholder": "x" * 65},
            "input field placeholder must be a String of 1-64 characters",
        ),
        ([1], "object expected as reply markup"),
    ],
)
async def test_a_keyboard_with_a_mistake_is_refused(simulator: RunningPlayground, markup: Any, refusal: str) -> None:
    user = await simulator.person()

    reply = await simulator.refusal("sendMessage", chat_id=user, text="a", reply_markup=markup)

    assert reply == f"Bad Request: {refusal}"


@pytest.mark.parametrize(
    "action",
    [
        {"callback_data": "认" * 21},
        {"url": "http://127.0.0.1:8080/q/1"},
        {"url": "tg://user?id=1"},
        {"url": "http://[::1]:8080/"},
        {"url": "example.com"},
        {"copy_text": {"text": "https://example.com"}},
        {"switch_inline_query": ""},
        {"web_app": {"url": "https://example.com"}},
        {"callback_data": "a", "style": "danger"},
    ],
)
async def test_a_button_that_telegram_accepts_is_accepted(simulator: RunningPlayground, action: dict[str, Any]) -> None:
    user = await simulator.person()

    sent = await simulator.result("sendMessage", chat_id=user, text="a", reply_markup=inline(**action))

    assert sent["reply_markup"] == inline(**action)


async def test_the_page_sees_labels_kinds_and_styles(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    rows = [
        [{"text": "确认", "callback_data": "y", "style": "success"}, {"text": "打开", "url": "http://a.b/c"}],
        [{"text": "复制", "copy_text": {"text": "http://a.b/c"}}],
    ]

    await simulator.result("sendMessage", chat_id=user, text="a", reply_markup={"inline_keyboard": rows})

    shown = (await simulator.sim(f"/chats/{user}/messages", "GET"))[-1]
    assert shown["buttons"] == [
        [
            {"label": "确认", "kind": "data", "data": "y", "style": "success"},
            {"label": "打开", "kind": "url", "url": "http://a.b/c"},
        ],
        [{"label": "复制", "kind": "copy", "copy": "http://a.b/c"}],
    ]


async def test_a_reply_keyboard_and_its_placeholder_reach_the_page_but_not_the_message(
    simulator: RunningPlayground,
) -> None:
    user = await simulator.person()
    markup = {"keyboard": [["是", {"text": "否"}]], "input_field_placeholder": "11010519491231002X"}

    sent = await simulator.result("sendMessage", chat_id=user, text="a", reply_markup=markup)

    assert "reply_markup" not in sent
    shown = (await simulator.sim(f"/chats/{user}/messages", "GET"))[-1]
    assert (shown["keys"], shown["placeholder"]) == ([["是", "否"]], "11010519491231002X")


async def test_an_inline_keyboard_can_force_a_reply_and_an_edit_does_not_change_that(
    simulator: RunningPlayground,
) -> None:
    user = await simulator.person()
    rows = [[{"text": "返回", "callback_data": "back"}]]
    forced, plain = {"inline_keyboard": rows, "force_reply": True}, {"inline_keyboard": rows}
    opened = await simulator.result("sendMessage", chat_id=user, text="姓名？", reply_markup=forced)
    closed = await simulator.result("sendMessage", chat_id=user, text="姓名？", reply_markup=plain)

    edited = [
        await simulator.result(
            "editMessageText", chat_id=user, message_id=sent["message_id"], text="号码？", reply_markup=markup
        )
        for sent, markup in ((opened, plain), (closed, forced))
    ]

    assert [message["reply_markup"] for message in (opened, closed, *edited)] == [forced, plain, forced, plain]
    shown = (await simulator.sim(f"/chats/{user}/messages", "GET"))[-2:]
    assert [message["forces_reply"] for message in shown] == [True, False]


async def test_half_a_surrogate_pair_breaks_nothing(simulator: RunningPlayground) -> None:
    user = await simulator.person("\ud83d")
    markup = {"inline_keyboard": [[{"text": "a\ud83d", "callback_data": "a"}]]}

    sent = await simulator.result("sendMessage", chat_id=user, text="b\ud83d", reply_markup=markup)

    assert sent["reply_markup"] == markup
    assert sent["text"] == "b?"
    assert (await simulator.sim("/events", "GET"))["events"]


async def test_an_edit_accepts_only_inline_keyboards(simulator: RunningPlayground) -> None:
    user = await simulator.person()
    sent = await simulator.result("sendMessage", chat_id=user, text="a")
    target = {"chat_id": user, "message_id": sent["message_id"]}

    reply = await simulator.refusal("editMessageReplyMarkup", **target, reply_markup={"force_reply": True})

    assert reply == "Bad Request: inline keyboard expected"
