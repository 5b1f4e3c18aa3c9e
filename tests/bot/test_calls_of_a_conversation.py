"""Which calls a whole conversation makes at each step, and which messages they write, change and delete.

The ids matter as much as the count: a change of the delivery once let a panel be deleted that was not the old one, with
the same number of calls (docs/decisions/0020).
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.content.catalogue import LANGUAGES
from chatscript.match.matcher import strip_emoji
from playground.phone.apps import Gesture, PhoneApp
from playground.phone.browser import Phone
from tests.bot.app_fixture import RunningBot, running_bot
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.simulator_fixture import NAME, NUMBER, ChatUser, press, said, simulator
from verification.attempts import TYPED_METHODS, Method

ANSWER = "answerCallbackQuery"
EDIT = [ANSWER, "editMessageText"]
TYPED = ["deleteMessages", "sendMessage"]
BEFORE_METHOD = {
    "start": ["sendMessage"],
    "type": EDIT,
    "consent": EDIT,
    "name": TYPED,
    "number": TYPED,
}
FROM_CODE = {"scan": ["editMessageCaption"], "pass": ["sendMessage", "editMessageMedia"]}
CALLS: Mapping[Method, Mapping[str, list[str]]] = {
    Method.WECHAT: {**BEFORE_METHOD, "method": [ANSWER, "editMessageMedia"], **FROM_CODE},
    Method.QQ: {**BEFORE_METHOD, "method": [ANSWER, "editMessageMedia"], **FROM_CODE},
    # Face recognition needs a consent of its own, which is one question more.
    Method.FACE: {**BEFORE_METHOD, "method": EDIT, "face consent": [ANSWER, "editMessageMedia"], **FROM_CODE},
}
MAX_CALLS = {Method.WECHAT: 14, Method.QQ: 14, Method.FACE: 16}

# The person's messages are 1 (/start), 3 (the name) and 5 (the number).
CHANGES_BEFORE_METHOD = {
    "start": ["message 2"],
    "type": ["edit 2"],
    "consent": ["edit 2"],
    "name": ["delete 3", "delete 2", "message 4"],
    "number": ["delete 5", "delete 4", "message 6"],
    "method": ["edit 6"],
}
CHANGES_FROM_CODE = {"scan": ["edit 6"], "pass": ["message 7", "edit 6"]}
CHANGES: Mapping[Method, Mapping[str, list[str]]] = {
    Method.WECHAT: {**CHANGES_BEFORE_METHOD, **CHANGES_FROM_CODE},
    Method.QQ: {**CHANGES_BEFORE_METHOD, **CHANGES_FROM_CODE},
    Method.FACE: {**CHANGES_BEFORE_METHOD, "face consent": ["edit 6"], **CHANGES_FROM_CODE},
}


@dataclass
class Walk:
    """One conversation, and what each of its steps did."""

    bot: RunningBot
    guest: ChatUser
    phone: Phone
    language: str
    calls: dict[str, list[str]] = field(default_factory=dict)
    changes: dict[str, list[str]] = field(default_factory=dict)

    def text(self, key: str) -> str:
        return CATALOGUE.text(self.language, key)

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """Note the calls and the changes until the bot has nothing more to do."""
        world = self.guest.simulator.playground.world
        calls, events = len(world.traffic.recent_calls), world.log.last
        yield
        await self.bot.wait_until_quiet()
        before = self.guest.messages()[0]["id"] - 1
        made = list(world.traffic.recent_calls)[calls:]
        self.calls[name] = [call.method for call in made if call.method != "getUpdates"]
        self.changes[name] = [
            f"{event['kind']} {(event.get('message_id') or event['message']['id']) - before}"
            for event in world.log.after(events, self.guest.chat)
            if event["kind"] in ("edit", "delete") or (event["kind"] == "message" and event["from"] == "bot")
        ]

    async def presses(self, step: str, choice: str) -> None:
        """Press a button of the question."""
        async with self.step(step):
            await self.guest.taps(strip_emoji(self.text(f"choice.{choice}")))

    async def writes(self, step: str, text: str) -> None:
        """Type a text."""
        async with self.step(step):
            await self.guest.says(text)

    async def to_code(self, method: Method) -> None:
        """Go from /start to the code."""
        await self.writes("start", "/start")
        await self.presses("type", "personal")
        await self.presses("consent", "agree")
        await self.writes("name", NAME)
        await self.writes("number", NUMBER)
        await self.presses("method", method)
        if method is Method.FACE:
            await self.presses("face consent", "agree")

    async def on_the_phone(self, method: Method) -> None:
        """Scan the code and pass."""
        async with self.step("scan"):
            app = PhoneApp.QQ if method is Method.QQ else PhoneApp.WECHAT
            code = self.guest.messages()[-1]
            await self.phone.open(app, self.guest.scanned_link(code))
            await self.guest.simulator.wait_until(lambda: said(self.guest.messages()[-1]) != said(code))
        async with self.step("pass"):
            for label in PHONE_STEPS[method]:
                gesture = Gesture.TICK if label == "page.agreement.tick" else Gesture.PRESS
                await press(self.phone, self.text(label), gesture)
            await self.guest.simulator.wait_until(lambda: len(self.guest.messages()) == 3)


PHONE_STEPS = {
    Method.WECHAT: ("page.press.go_authorise", "page.press.authorise"),
    Method.QQ: ("page.press.confirm",),
    Method.FACE: ("page.press.quick", "page.agreement.tick", "page.press.next", "page.press.recognise"),
}


@asynccontextmanager
async def walk(folder: Path, language: str) -> AsyncIterator[Walk]:
    async with simulator() as place, running_bot(place, folder) as bot, Phone() as phone:
        yield Walk(bot, await place.new_user(language=language), phone, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("method", TYPED_METHODS)
async def test_a_whole_conversation_makes_few_calls_and_changes_only_its_own_panel(
    tmp_path: Path, method: Method, language: str
) -> None:
    async with walk(tmp_path, language) as conversation:
        await conversation.to_code(method)
        await conversation.on_the_phone(method)

        assert conversation.calls == CALLS[method]
        assert sum(map(len, conversation.calls.values())) <= MAX_CALLS[method]
        assert conversation.changes == CHANGES[method]


async def test_the_chat_keeps_what_the_person_agreed_to_and_the_result(tmp_path: Path) -> None:
    async with walk(tmp_path, "zh") as conversation:
        await conversation.to_code(Method.FACE)
        await conversation.on_the_phone(Method.FACE)

        start, card, result = conversation.guest.messages()
        assert [said(start), card["id"] - start["id"], card["buttons"]] == ["/start", 5, []]
        assert [line.partition(" · ")[0].partition("：")[0] for line in said(card).splitlines()] == [
            "🧪 测试环境",
            "",
            "✅ 人脸识别",
            "认证账号",
            "",
            "✓ 已同意收集姓名和身份证号、聊天内容出境",
            "✓ 已单独同意使用人脸识别",
        ]
        assert "🎉 认证成功" in said(result)


async def test_the_card_of_the_second_person_is_not_uploaded_again(tmp_path: Path) -> None:
    async with walk(tmp_path, "zh") as conversation:
        cards = []
        for name in ("first", "second"):
            conversation.guest = await conversation.guest.simulator.new_user(name)
            await conversation.to_code(Method.QQ)
            await conversation.on_the_phone(Method.QQ)
            cards.append(conversation.guest.messages()[-2]["photo"]["file_id"])

        assert cards[0] == cards[1]
