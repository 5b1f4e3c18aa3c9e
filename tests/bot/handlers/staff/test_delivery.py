"""How answers reach the chats of support's people, whatever Telegram does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from telegram import InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.handlers.side_messages import MessageContent
from bot.handlers.staff.delivery import ReplyTarget, StaffReplySender
from bot.handlers.staff.replies import FileReply, PhotoReply, StaffReply, TextReply, ToastReply
from tests.bot.handlers.staff_fixture import CATALOGUE

pytestmark = pytest.mark.filterwarnings("ignore:.*In a future major version:DeprecationWarning")

TOLD = TextReply(MessageContent("好", None))
HERE = ReplyTarget(chat=7, language="zh")
PRESSED = ReplyTarget(chat=7, language="zh", query_id="1", message_id=5)
REPEATED = CATALOGUE.text("zh", "misc.repeated")

Json = dict[str, Any]


class FakeBot:
    """A bot that notes its calls, and fails as it is told to."""

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


async def shown(chat: FakeBot, answers: Sequence[StaffReply], where: ReplyTarget = HERE, **facts: Any) -> None:
    delivery = StaffReplySender(chat, CATALOGUE, retry_delays=(0.0, 0.0), **facts)  # type: ignore[arg-type]  # as much of a bot as is needed
    async with delivery.running():
        await delivery.show(answers, where)


async def test_answers_come_in_their_order() -> None:
    chat = FakeBot()

    await shown(
        chat,
        [TOLD, PhotoReply(b"1", MessageContent("图", None)), FileReply(content=b"2", name="a.svg", caption="文件")],
    )

    assert [method for method, _ in chat.calls] == ["send_message", "send_photo", "send_document"]


async def test_a_press_is_answered_even_when_there_is_nothing_to_say_over_the_chat() -> None:
    silent, spoken = FakeBot(), FakeBot()

    await shown(silent, [TOLD], PRESSED)
    await shown(spoken, [ToastReply("已撤销。"), TOLD], PRESSED)

    assert [method for method, _ in silent.calls] == ["answer_callback_query", "send_message"]
    assert [method for method, _ in spoken.calls] == ["answer_callback_query", "send_message"]


async def test_what_was_pressed_is_rewritten_and_what_is_gone_is_said_anew() -> None:
    screen = TextReply(MessageContent("卡片", InlineKeyboardMarkup([])), in_place=True)
    there, gone = FakeBot(), FakeBot(BadRequest("Query is too old"), BadRequest("Message to edit not found"))

    await shown(there, [screen], PRESSED)
    await shown(gone, [screen], PRESSED)

    assert [method for method, _ in there.calls] == ["answer_callback_query", "edit_message_text"]
    assert [method for method, _ in gone.calls] == ["answer_callback_query", "edit_message_text", "send_message"]


@pytest.mark.parametrize("failure", [TimedOut(), NetworkError("httpx.ReadError")])
async def test_inv22_what_may_have_arrived_comes_at_most_once_more_and_says_so(failure: TelegramError) -> None:
    chat = FakeBot(failure)
    worse = FakeBot(failure, failure)

    await shown(chat, [TOLD])
    await shown(worse, [TOLD])

    assert [text for _, text in chat.calls] == ["好", f"{REPEATED}\n\n好"]
    assert [text for _, text in worse.calls] == ["好", f"{REPEATED}\n\n好"]


async def test_inv24_a_429_is_waited_for_and_nothing_is_lost() -> None:
    chat = FakeBot(RetryAfter(0), RetryAfter(0))

    await shown(chat, [TOLD, TOLD])

    assert len(chat.calls) == 4


@pytest.mark.parametrize("failure", [Forbidden("bot was blocked by the user"), BadRequest("chat not found")])
async def test_inv25_who_cannot_be_written_to_is_left_alone(failure: TelegramError) -> None:
    chat = FakeBot(failure)

    await shown(chat, [TOLD, TOLD])

    assert len(chat.calls) == 1


async def test_an_answer_that_telegram_refuses_stops_nobody_and_names_nothing(caplog: pytest.LogCaptureFixture) -> None:
    chat = FakeBot(BadRequest("can't parse entities: 100012345"))

    await shown(chat, [TOLD])

    assert "given up (BadRequest)" in caplog.text
    assert "100012345" not in caplog.text


async def test_nobody_waits_for_long_for_an_answer_that_telegram_holds_up() -> None:
    chat = FakeBot()
    chat.gate = asyncio.Event()
    delivery = StaffReplySender(chat, CATALOGUE, wait=0.0)  # type: ignore[arg-type]  # as much of a bot as is needed

    async with delivery.running():
        await delivery.show([TOLD, TOLD], HERE)
        waited_for = len(chat.calls)
        chat.gate.set()

    assert (waited_for <= 1, len(chat.calls)) == (True, 2)
