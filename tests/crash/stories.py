"""Whole conversations of one user with a chat and a phone, action by action."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chatscript.runner.bot_process import ClockOffsetFile
from playground.phone.apps import Gesture, PhoneApp
from playground.phone.browser import Phone, PhoneError
from playground.phone.page_parser import Control
from tests.crash.conversation import DONE
from tests.simulator_fixture import NAME, NUMBER, ChatUser, follow_to_the_vendor, press

CODE_LIVES = 600
_REFRESH_SECONDS, _REFRESHES = 2, 15


@dataclass(frozen=True, slots=True)
class StoryUser:
    """A user with a chat, a phone and a clock."""

    guest: ChatUser
    phone: Phone
    clock: ClockOffsetFile
    name: str = NAME
    number: str = NUMBER

    async def scan(self, app: PhoneApp) -> None:
        """Scan the newest code, and repeat until a page opens."""
        link = self.guest.scanned_link(await self.guest.sees("等待扫码"))
        await self._insist(lambda: self.phone.open(app, link))

    async def press(self, label: str, *ticks: tuple[Gesture, str]) -> None:
        """Press a button of the page; after a broken connection reload, and press again if it is still there."""
        try:
            await self._touch(label, ticks)
        except PhoneError:
            await self._insist(self.phone.reload)
            while any(label in control.label for control in self._controls()):
                await self._insist(lambda: self._touch(label, ticks))

    async def scan_and_go_on(self, app: PhoneApp) -> None:
        """Scan the newest code, and press on to the vendor."""
        await self.scan(app)
        await self.press("前往验证")

    async def press_at_the_vendor(self, label: str, reply_text: str) -> None:
        """Follow our page to the vendor's, press a button there, and wait on our page for the reply in the chat.

        The phone loads our page again and again: a bot that was killed does not know any more that it came back.
        """
        await self._insist(lambda: follow_to_the_vendor(self.phone))
        await self.press(label)
        changes = self.guest.simulator.playground.world.changes
        for _ in range(_REFRESHES):
            if await changes.wait_for(lambda: self.guest.find(reply_text) is not None, _REFRESH_SECONDS):
                return
            await self._insist(self.phone.reload)

    def _controls(self) -> list[Control]:
        return self.phone.page.controls_of("submit", "link") if self.phone.page else []

    async def _touch(self, label: str, ticks: tuple[tuple[Gesture, str], ...]) -> None:
        for gesture, choice in ticks:
            await press(self.phone, choice, gesture)
        await press(self.phone, label)

    async def _insist(self, do: Callable[[], Awaitable[object]]) -> None:
        updates = self.guest.simulator.playground.world.updates
        while True:
            try:
                await do()
            except PhoneError:
                await self.guest.simulator.wait_until(lambda: updates.has_waiting_poll)
            else:
                return


@dataclass(frozen=True, slots=True)
class UserAction:
    """What a user does, and the text of the reply to it; a question that is asked again after a crash may say more."""

    name: str
    do: Callable[[StoryUser], Awaitable[object]]
    reply_text: str
    text_after_crash: str = ""


def says(name: str, text: str, reply_text: str) -> UserAction:
    return UserAction(name, lambda person: person.guest.says(text), reply_text)


def taps(name: str, label: str, reply_text: str) -> UserAction:
    return UserAction(name, lambda person: person.guest.taps(label), reply_text)


def scans(app: PhoneApp) -> UserAction:
    return UserAction("scan", lambda person: person.scan(app), "已在手机上打开")


def presses(name: str, label: str, reply_text: str, *ticks: tuple[Gesture, str]) -> UserAction:
    return UserAction(name, lambda person: person.press(label, *ticks), reply_text)


def goes_on(name: str, app: PhoneApp) -> UserAction:
    return UserAction(name, lambda person: person.scan_and_go_on(app), "已在手机上打开")


def decides(name: str, label: str, reply_text: str) -> UserAction:
    return UserAction(name, lambda person: person.press_at_the_vendor(label, reply_text), reply_text)


async def _agree_on_the_phone(person: StoryUser) -> None:
    await person.press("快速验证")
    await person.press("下一步", (Gesture.TICK, "同意《人脸识别服务协议》"))


async def _wait_too_long(person: StoryUser) -> None:
    person.clock.advance(CODE_LIVES)


CODE = "等待扫码"
WAYS = "3/4"
NO = "这次没有通过"
FORM = (
    says("start", "/start", "你要认证哪一类"),
    taps("type", "个人认证", "开始之前"),
    taps("consent", "同意并继续", "1/4"),
    UserAction("name", lambda person: person.guest.says(person.name), "2/4"),
    UserAction("number", lambda person: person.guest.says(person.number), "3/4"),
)
QQ = (taps("qq", "QQ 扫码", CODE), scans(PhoneApp.QQ))
AGREED_TO_FACE = (taps("face", "人脸识别", "需要你单独同意"), taps("agree to face", "同意并继续", CODE))
FACE = (
    *AGREED_TO_FACE,
    scans(PhoneApp.WECHAT),
    UserAction("agree on the phone", _agree_on_the_phone, "已在手机上打开", "正在手机上确认"),
)
WECHAT = (
    taps("wechat", "微信扫码", CODE),
    scans(PhoneApp.WECHAT),
    UserAction("go on", lambda person: person.press("前往授权"), "已在手机上打开", "正在手机上确认"),
)

BY_QQ = (*FORM, *QQ, presses("pass by qq", "确认认证", DONE))
BY_FACE = (*FORM, *FACE, presses("pass by face", "开始识别", DONE))
BY_WECHAT = (
    *FORM,
    *QQ,
    presses("decline", "拒绝", NO),
    taps("again", "再试一次", CODE),
    UserAction("wait", _wait_too_long, "二维码过期了"),
    taps("new code", "换个新码", CODE),
    taps("other way", "换种方式", WAYS),
    *FACE,
    presses("decline by face", "拒绝", NO),
    taps("other way again", "换种方式", WAYS),
    *WECHAT,
    presses("pass", "授权验证", DONE),
)
"""Every stage: declined by QQ, tried again, an expired code, declined by face, and verified by WeChat."""


def by_vendor(app: PhoneApp, failing: str, passing: str) -> tuple[UserAction, ...]:
    """A face check at a vendor: failed, tried again, and passed; the buttons are those of the vendor's page."""
    return (
        *FORM,
        *AGREED_TO_FACE,
        goes_on("go on", app),
        decides("fail", failing, NO),
        taps("again", "再试一次", CODE),
        goes_on("go on again", app),
        decides("pass", passing, DONE),
    )


BY_TENCENT = by_vendor(PhoneApp.WECHAT, "2016", "通过")
BY_ALIPAY = by_vendor(PhoneApp.BROWSER, "不通过", "通过")
BY_NETWORK_IDENTITY = (
    *FORM[:2],
    taps("network identity", "用网号认证", CODE),
    scans(PhoneApp.BROWSER),
    presses("decline", "拒绝", NO),
    taps("again", "再试一次", CODE),
    scans(PhoneApp.BROWSER),
    UserAction("go on", lambda person: person.press("前往授权"), "已在手机上打开", "正在手机上确认"),
    presses("pass", "授权验证", DONE),
)
