"""A user who looks at the chat and answers the open question, whatever happened before."""

import asyncio
import random
from dataclasses import dataclass, field

from chatscript.match.matcher import strip_emoji
from playground.phone.apps import Gesture, PhoneApp
from playground.phone.browser import PhoneError
from tests.crash.conversation import DONE
from tests.crash.stories import StoryUser
from tests.simulator_fixture import Json, press, said

PATIENCE = 15.0
"""Seconds without news after which the user sends /status."""
THINKING = 3.0
"""The longest time in seconds before an answer."""
FULL = "已有 3 个认证账号"
_DAY = 86_400
_ONCE_MORE = ("再试一次", "换种方式")
_TAPS = (
    ("你要认证哪一类", ("个人认证",)),
    ("开始之前", ("同意并继续",)),
    ("3/4", ("微信扫码", "QQ 扫码", "人脸识别")),
    ("需要你单独同意", ("同意并继续",)),
    ("没有通过", _ONCE_MORE),
    ("过期了", ("换个新码",)),
)
_CODES = ("等待扫码", "已在手机上打开", "正在手机上确认")
_PRESSES = ("快速验证", "下一步", "前往授权", "授权验证", "确认认证", "开始识别")


@dataclass(slots=True)
class RandomUser:
    """A user who wants to be verified; `nudges` counts how often nothing came in time."""

    person: StoryUser
    rng: random.Random
    nudges: int = 0
    done: bool = False
    _answered: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Continue until verified, or until the number has no free slot."""
        await self.person.guest.says("/start")
        while not self.done:
            question = self._question()
            if question is None:
                await self._wait()
            else:
                await asyncio.sleep(self.rng.uniform(0, THINKING))
                # The chat may have changed meanwhile.
                if question == self._question():
                    self._answered.add(str(question))
                    await self._answer(question)

    def _question(self) -> Json | None:
        """The newest message that asks for something and was not answered in this version."""
        for message in reversed(self.person.guest.messages()):
            if message["from"] != "bot":
                continue
            if DONE in said(message):
                self.done = True
            if message["buttons"] or "1/4" in said(message):
                return None if str(message) in self._answered else message
        return None

    async def _answer(self, question: Json) -> None:
        guest, text = self.person.guest, said(question)
        if self.done:
            return
        if "没有通过" in text and FULL in text:
            self.done = True
        elif "今天先到这里" in text:
            self.person.clock.advance(_DAY)
            await self._tap([label for label in _ONCE_MORE if guest.button(label)])
        elif "1/4" in text:
            await guest.says(self.person.name)
        elif "2/4" in text:
            await guest.says(self.person.number)
        elif any(words in text for words in _CODES):
            await self._scan(question)
        else:
            labels = next((labels for words, labels in _TAPS if words in text), ())
            await self._tap([label for label in labels if guest.button(label)])

    async def _tap(self, labels: list[str]) -> None:
        there = self.person.guest.button(self.rng.choice(labels)) if labels else None
        if there is not None:
            await self.person.guest.press_raw(*there)

    async def _scan(self, shown: Json) -> None:
        """Go through the pages on the phone, or ask for a new code, or decline."""
        guest, phone = self.person.guest, self.person.phone
        if self.rng.random() < 0.1:
            await self._tap(["换个新码"])
            return
        try:
            await phone.open(PhoneApp.QQ if "QQ" in said(shown) else PhoneApp.WECHAT, guest.scanned_link(shown))
            for _ in _PRESSES:
                await self._touch()
        except PhoneError:
            # The connection broke, or the page has changed: the code is still in the chat.
            self._answered.clear()
            await asyncio.sleep(0.2)

    async def _touch(self) -> None:
        phone = self.person.phone
        there = [control.label for control in phone.page.controls_of("submit", "link")] if phone.page else []
        for tick in phone.page.controls_of("checkbox") if phone.page else []:
            await press(phone, tick.label, Gesture.TICK)
        if any("拒绝" in label for label in there) and self.rng.random() < 0.1:
            await press(phone, "拒绝")
            return
        label = next((label for label in _PRESSES if any(label in strip_emoji(shown) for shown in there)), None)
        if label is not None:
            await press(phone, label)

    async def _wait(self) -> None:
        """Wait until the chat changes; after a while, send /status."""
        if self.done:
            return
        guest = self.person.guest
        before = len(guest.events("message", "edit", "delete"))
        changes = guest.simulator.playground.world.changes
        if not await changes.wait_for(lambda: len(guest.events("message", "edit", "delete")) > before, PATIENCE):
            self.nudges += 1
            self._answered.clear()
            await guest.says("/status")
