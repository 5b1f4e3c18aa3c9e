"""Replies in the background: in order within a chat, and no chat waits for another."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.handlers import background
from bot.handlers.background import BackgroundReplies

SLOW, QUICK = 1, 2


class Chats:
    """Records what reaches the chats; a chat's gate holds its replies back."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []
        self.gates: dict[int, asyncio.Event] = {}
        self.arrived = asyncio.Event()

    def send(self, chat: int, text: str) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            if chat in self.gates:
                await self.gates[chat].wait()
            self.sent.append((chat, text))
            self.arrived.set()

        return send


async def test_a_slow_chat_keeps_its_order_and_delays_no_other() -> None:
    chats, replies = Chats(), BackgroundReplies()
    chats.gates[SLOW] = asyncio.Event()
    async with replies.running():
        for number in range(40):
            replies.add(SLOW, chats.send(SLOW, str(number)))
        replies.add(QUICK, chats.send(QUICK, "hello"))
        await chats.arrived.wait()
        first = list(chats.sent)
        chats.gates[SLOW].set()

    assert first == [(QUICK, "hello")]
    assert chats.sent[1:] == [(SLOW, str(number)) for number in range(40)]


async def test_a_reply_that_fails_stops_neither_the_next_nor_the_program(caplog: pytest.LogCaptureFixture) -> None:
    chats, replies = Chats(), BackgroundReplies()

    async def fails() -> None:
        raise ValueError("王小明")

    async with replies.running():
        replies.add(SLOW, fails)
        replies.add(SLOW, chats.send(SLOW, "next"))

    assert chats.sent == [(SLOW, "next")]
    assert "abandoned (value error)" in caplog.text
    assert "王小明" not in caplog.text


async def test_too_many_replies_are_dropped_and_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_MAX_WAITING", 3)
    chats, replies = Chats(), BackgroundReplies()
    async with replies.running():
        for number in range(5):
            replies.add(SLOW, chats.send(SLOW, str(number)))

    assert [text for _, text in chats.sent] == ["0", "1", "2"]
    assert caplog.text.count("a reply is dropped: too many wait") == 2


async def test_nothing_is_sent_before_and_after(caplog: pytest.LogCaptureFixture) -> None:
    chats, replies = Chats(), BackgroundReplies()
    replies.add(SLOW, chats.send(SLOW, "early"))
    async with replies.running():
        pass
    replies.add(SLOW, chats.send(SLOW, "late"))

    assert chats.sent == []
    assert caplog.text.count("nothing is sent now") == 2
