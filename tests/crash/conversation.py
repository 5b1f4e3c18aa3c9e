"""One whole conversation, step by step, with the reply that shows a user that the step was accepted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playground.phone.browser import Phone
from tests.simulator_fixture import NAME, NUMBER, ChatUser, press, said, scan

Do = Callable[[ChatUser, Phone], Awaitable[object]]
DONE = "🎉 认证成功"
REPEATED = "🔁 刚才那条可能没送到，再发一次，以这条为准。\n\n"


@dataclass(frozen=True, slots=True)
class ConversationStep:
    """What a user does, the reply to it, what /status says then, and the calls that show the reply."""

    name: str
    do: Do
    reply_text: str
    status: str
    calls: tuple[str, ...]


async def _pass(_: ChatUser, phone: Phone) -> None:
    await press(phone, "前往授权")
    await press(phone, "授权验证")


CHAT = (
    ConversationStep(
        "start", lambda guest, _: guest.says("/start"), "你要认证哪一类", "还没开始填写", ("sendMessage",)
    ),
    ConversationStep(
        "type",
        lambda guest, _: guest.taps("个人认证"),
        "开始之前",
        "待同意",
        ("answerCallbackQuery", "editMessageText"),
    ),
    ConversationStep("consent", lambda guest, _: guest.taps("同意并继续"), "1/4", "1/4", ("editMessageText",)),
    ConversationStep("name", lambda guest, _: guest.says(NAME), "2/4", "2/4", ("deleteMessages", "sendMessage")),
    ConversationStep("number", lambda guest, _: guest.says(NUMBER), "3/4", "3/4", ("deleteMessages", "sendMessage")),
    ConversationStep("method", lambda guest, _: guest.taps("微信扫码"), "等待扫码", "4/4", ("editMessageMedia",)),
)
PHONE = (
    ConversationStep("scan", scan, "已在手机上打开", "已在手机上打开", ("editMessageCaption",)),
    ConversationStep("pass", _pass, DONE, "进度：已完成", ("sendMessage", "editMessageMedia")),
)
STEPS = CHAT + PHONE


def came(guest: ChatUser, reply_text: str) -> int:
    """How many messages of the bot ever had this text."""
    return len(all_that_came(guest, reply_text))


def came_unmarked(guest: ChatUser, reply_text: str) -> int:
    """How many of them had no mark that they may be a repetition."""
    return sum(REPEATED not in text for text in all_that_came(guest, reply_text))


def all_that_came(guest: ChatUser, reply_text: str) -> list[str]:
    """The texts of all messages of the bot that ever contained this, each as it was when it first did."""
    texts: dict[int, str] = {}
    for event in guest.events("message", "edit"):
        if event["from"] == "bot" and reply_text in said(event["message"]):
            texts.setdefault(event["message"]["id"], said(event["message"]))
    return list(texts.values())


def is_clean(guest: ChatUser) -> bool:
    """Whether the chat shows no number, and the name only in a question that asks to check it.

    A crash between sending that question and noting it leaves a copy that nobody can edit, because its id is not known.
    Every other copy is edited to the next question as soon as it is answered.
    """
    closed = [said(message) for message in guest.messages() if "核对资料" not in said(message)]
    return NUMBER not in str(guest.messages()) and not [text for text in closed if NAME in text]
