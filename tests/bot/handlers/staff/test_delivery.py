"""How replies reach the chats of support staff, and what happens when Telegram fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from telegram import InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.handlers.background import BackgroundReplies
from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.delivery import ReplyTarget, StaffReplySender
from bot.handlers.staff.replies import FileReply, PhotoReply, StaffReply, TextReply, ToastReply
from tests.bot.handlers.staff_fixture import CATALOGUE

pytestmark = pytest.mark.filterwarnings("ignore:.*In a future major version:DeprecationWarning")

REPLY = TextReply(MessageContent("好", None))
HERE = ReplyTarget(chat=7, language="zh")
PRESSED = ReplyTarget(chat=7, language="zh", query_id="1", message_id=5)
REPEATED = CATALOGUE.text("zh", "misc.repeated")

Json = dict[str, Any]


class FakeBot:
    """A bot that records its calls and raises the given failures."""

    def __init__(self, *failures: TelegramError) -> None:
        self.calls: list[tuple[str, str]] = []
        self._failures = list(failures)
        self.gate: asyncio.Event | None = None

    def __getattr__(self, method: str) -> Callable[..., Awaitable[object]]:
        async def call(*args: Any, **facts: Any) -> object:
            texts = [arg for arg in (*args, *facts.values()) if isinstance(arg, str) and not arg.startswith("HTML")]
            self.calls.append((method, texts[-1] if texts else ""))
            if self.gate is not None:
                await self.gate.wait()
            if self._failures:
                raise self._failures.pop(0)
            return True

        return call


async def show(chat: FakeBot, replies: Sequence[StaffReply], target: ReplyTarget = HERE) -> None:
    background = BackgroundReplies()
    delivery = StaffReplySender(chat, CATALOGUE, background, retry_delays=(0.0, 0.0))  # type: ignore[arg-type]  # the methods that are used
    async with background.running():
        delivery.show(replies, target)


async def test_replies_arrive_in_order() -> None:
    chat = FakeBot()

    await show(
        chat,
        [REPLY, PhotoReply(b"1", MessageContent("图", None)), FileReply(content=b"2", name="a.svg", caption="文件")],
    )

    assert [method for method, _ in chat.calls] == ["send_message", "send_photo", "send_document"]


async def test_a_press_is_answered_even_without_a_toast() -> None:
    silent, spoken = FakeBot(), FakeBot()

    await show(silent, [REPLY], PRESSED)
    await show(spoken, [ToastReply("已撤销。"), REPLY], PRESSED)

    assert [method for method, _ in silent.calls] == ["answer_callback_query", "send_message"]
    assert [method for method, _ in spoken.calls] == ["answer_callback_query", "send_message"]


async def test_a_pressed_message_is_edited_or_sent_again_when_it_is_gone() -> None:
    card = TextReply(MessageContent("卡片", InlineKeyboardMarkup([])), in_place=True)
    there, gone = FakeBot(), FakeBot(BadRequest("Query is too old"), BadRequest("Message to edit not found"))

    await show(there, [card], PRESSED)
    await show(gone, [card], PRESSED)

    assert [method for method, _ in there.calls] == ["answer_callback_query", "edit_message_text"]
    assert [method for method, _ in gone.calls] == ["answer_callback_query", "edit_message_text", "send_message"]


@pytest.mark.parametrize("failure", [TimedOut(), NetworkError("httpx.ReadError")])
async def test_inv22_a_reply_that_may_have_arrived_is_repeated_at_most_once_with_a_note(
    failure: TelegramError,
) -> None:
    chat = FakeBot(failure)
    worse = FakeBot(failure, failure)

    await show(chat, [REPLY])
    await show(worse, [REPLY])

    assert [text for _, text in chat.calls] == ["好", f"{REPEATED}\n\n好"]
    assert [text for _, text in worse.calls] == ["好", f"{REPEATED}\n\n好"]


async def test_inv24_a_429_is_waited_for_and_nothing_is_lost() -> None:
    chat = FakeBot(RetryAfter(0), RetryAfter(0))

    await show(chat, [REPLY, REPLY])

    assert len(chat.calls) == 4


@pytest.mark.parametrize("failure", [Forbidden("bot was blocked by the user"), BadRequest("chat not found")])
async def test_inv25_a_person_who_cannot_be_written_to_gets_no_further_message(failure: TelegramError) -> None:
    chat = FakeBot(failure)

    await show(chat, [REPLY, REPLY])

    assert len(chat.calls) == 1


async def test_a_refused_reply_stops_no_other_and_is_logged_without_content(caplog: pytest.LogCaptureFixture) -> None:
    chat = FakeBot(BadRequest("can't parse entities: 100012345"))

    await show(chat, [REPLY])

    assert "abandoned (bad request)" in caplog.text
    assert "100012345" not in caplog.text


async def test_a_slow_reply_does_not_delay_its_update() -> None:
    chat = FakeBot()
    chat.gate = asyncio.Event()
    background = BackgroundReplies()
    delivery = StaffReplySender(chat, CATALOGUE, background)  # type: ignore[arg-type]  # the methods that are used

    async with background.running():
        delivery.show([REPLY, REPLY], HERE)
        waited_for = len(chat.calls)
        chat.gate.set()

    assert (waited_for, len(chat.calls)) == (0, 2)
