"""A small town for tests of the bot: a stand-in Telegram, the people in it, and their phones.

Nothing here sleeps: the stand-in rings a bell at every change, and whoever waits looks again.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatscript.match.matcher import strip_emoji
from playground.phone.apps import Gesture, PhoneApp
from playground.phone.browser import LabelMatcher, Phone
from playground.server.app import Playground, serve_playground
from playground.world.files import read_qr_code
from playground.world.world import World

NUMBER = "360426199101010071"
TOKEN = "7000000001:a-token-of-the-stand-in-telegram"
NAME = "韩梅梅"
PATIENCE = 20.0

Json = dict[str, Any]


@dataclass(eq=False)
class HeldCall:
    """A call that somebody waits for at the door: it is caught, and never answered.

    `done`: Telegram does it all the same.
    """

    method: str
    applied: bool
    caught: asyncio.Event = field(default_factory=asyncio.Event)


class CallGate:
    """Stands before a stand-in and holds the calls it was told to, until their caller is gone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.held: list[HeldCall] = []
        self.rejected: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or hold it."""
        method = scope.get("path", "").rpartition("/")[2]
        held = next((held for held in self.held if held.method == method), None)
        if held is None:
            await self._app(scope, receive, self._noting(method, send))
            return
        self.held.remove(held)
        if held.applied:
            await self._app(scope, receive, _nobody)
        held.caught.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    def _noting(self, method: str, send: Send) -> Send:
        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 403:
                self.rejected.append(method)
            await send(message)

        return pass_on


async def _nobody(_: Message) -> None:
    """Take an answer that nobody will hear."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """A stand-in that serves, and a connection for what people do in it."""

    playground: Playground
    gate: CallGate
    url: str
    http: aiohttp.ClientSession

    async def new_user(self, first_name: str = NAME, language: str = "zh-hans") -> "ChatUser":
        """Somebody who has not written to the bot yet."""
        told = await self.sim("/users", first_name=first_name, language_code=language)
        return ChatUser(self, told["id"])

    async def sim(self, path: str, verb: str = "POST", /, **order: Any) -> Any:
        """Let people do something that must be possible."""
        async with self.http.request(verb, f"{self.url}/sim{path}", json=order) as answer:
            told = await answer.json()
            assert answer.status == 200, told
            return told

    async def inject_fault(self, method: str, kind: str, times: int = 1, **facts: Any) -> None:
        """Let the next calls of a method go wrong."""
        await self.sim("/faults", method=method, kind=kind, times=times, **facts)

    def hold_call(self, method: str, *, applied: bool) -> HeldCall:
        """Hold the next call of a method."""
        held = HeldCall(method, applied)
        self.gate.held.append(held)
        return held

    async def wait_until(self, fact: Callable[[], object], what: Callable[[], str] = str) -> None:
        """Wait for a fact of the stand-in's world; `what` says what is missing when it does not come true."""
        true = await self.playground.world.changes.wait_for(lambda: bool(fact()), PATIENCE)
        assert true, what() or f"it did not come true in {PATIENCE} s"

    async def wait_until_idle(self) -> None:
        """Wait until the bot took every update and waits for more."""
        await self.wait_until(lambda: self.playground.world.idle, lambda: "the bot does not get idle")


class ChatUser:
    """Somebody in the town, and what they see of their chat with the bot."""

    def __init__(self, simulator: Simulator, id: int, chat: int | None = None) -> None:
        self.simulator = simulator
        self.id = id
        self.chat = id if chat is None else chat

    async def says(self, text: str, **facts: Any) -> int:
        """Write a text; returns the message's id."""
        told = await self.simulator.sim(f"/chats/{self.chat}/messages", user=self.id, text=text, **facts)
        return int(told["message_id"])

    async def sends(self, kind: str, **facts: Any) -> int:
        """Send something else; returns the message's id."""
        told = await self.simulator.sim(f"/chats/{self.chat}/messages", user=self.id, kind=kind, **facts)
        return int(told["message_id"])

    async def edits(self, message: int, text: str) -> None:
        """Change an own message."""
        await self.simulator.sim(f"/chats/{self.chat}/messages/{message}/edit", user=self.id, text=text)

    async def taps(self, label: str, message: int | None = None) -> None:
        """Press the newest button whose label holds this, once it is there."""
        await self.simulator.wait_until(
            lambda: self.button(label, message), lambda: f"no button {label}\n{self.transcript()}"
        )
        at, data = self.button(label, message) or (0, "")
        await self.press_raw(at, data)

    async def press_raw(self, message: int, data: str) -> None:
        """Press a button with these data, offered or not."""
        await self.simulator.sim(f"/chats/{self.chat}/messages/{message}/tap", user=self.id, data=data)

    async def blocks(self, *, blocked: bool = True) -> None:
        """Block the bot, or let it write again."""
        await self.simulator.sim(f"/users/{self.id}", "PATCH", blocked=blocked)

    def messages(self) -> list[Json]:
        """What the chat shows now, oldest first."""
        world = self.simulator.playground.world
        return [world.sim_message(message) for message in world.messages(self.chat)]

    def events(self, *kinds: str) -> list[Json]:
        """What happened in the chat, of these kinds."""
        return [event for event in self.simulator.playground.world.log.after(0, self.chat) if event["kind"] in kinds]

    def toasts(self) -> list[str]:
        """The words that stood over the chat."""
        return [event["text"] for event in self.events("toast") if event["text"]]

    def bot_texts(self) -> list[str]:
        """The bot's texts that the chat shows now."""
        return [said(message) for message in self.messages() if message["from"] == "bot"]

    def everything_said(self) -> list[str]:
        """Every text the bot ever put into the chat, edited and deleted ones too."""
        told = self.events("message", "edit")
        return [said(event["message"]) for event in told if event["from"] == "bot"]

    def waiting_messages(self) -> list[Json]:
        """The messages that wait for an answer: with buttons of a question, oldest first."""
        return [
            message
            for message in self.messages()
            if any(button.get("data", "").startswith("q:") for row in message["buttons"] for button in row)
        ]

    def button(self, label: str, message: int | None = None) -> tuple[int, str] | None:
        """The newest button with this label, or else with a label that holds it: its message and its data."""
        offered = [
            (shown["id"], strip_emoji(button["label"]), button["data"])
            for shown in reversed(self.messages())
            if message in (None, shown["id"])
            for row in shown["buttons"]
            for button in row
            if "data" in button
        ]
        exact = ((id, data) for id, there, data in offered if there == label)
        near = ((id, data) for id, there, data in offered if label in there)
        return next(exact, None) or next(near, None)

    def labels(self) -> list[str]:
        """The buttons of the newest message that has any."""
        shown = next((message for message in reversed(self.messages()) if message["buttons"]), None)
        return [button["label"] for row in shown["buttons"] for button in row] if shown else []

    async def sees(self, *needles: str) -> Json:
        """Wait for a message of the bot that holds all of these."""
        await self.simulator.wait_until(
            lambda: self.find(*needles), lambda: f"nobody says {needles}\n{self.transcript()}"
        )
        found = self.find(*needles)
        assert found is not None
        return found

    def find(self, *needles: str) -> Json | None:
        """The newest message of the bot that holds all of these."""
        for message in reversed(self.messages()):
            if message["from"] == "bot" and all(needle in said(message) for needle in needles):
                return message
        return None

    def scanned_link(self, message: Json) -> str:
        """The address in the code that a message shows, as a phone's camera reads it."""
        kept = self.simulator.playground.world.files.get(message["photo"]["file_id"])
        assert kept is not None
        link = read_qr_code(kept.content)
        assert link is not None, "no code can be read"
        return link

    def transcript(self) -> str:
        """The chat as it is now, for whoever reads a failure."""
        lines = [f"  {message['from']}: {said(message)!r} {message['buttons']}" for message in self.messages()]
        return "\n".join(lines) or "  (an empty chat)"


@asynccontextmanager
async def simulator(token: str = TOKEN) -> AsyncIterator[Simulator]:
    """Build a town for one test."""
    playground = Playground(World(token=token))
    playground.webhook_sender.first_backoff = 0.1  # seconds; tests do not wait as long as Telegram
    door = playground.app = CallGate(playground.app)  # type: ignore[assignment]  # as good an application as before
    async with serve_playground(playground) as url, aiohttp.ClientSession() as http:
        yield Simulator(playground, door, url, http)


def said(message: Json) -> str:
    """What stands in a message."""
    return str(message["text"] or message["caption"])


def plain(html: str) -> str:
    """A text of the catalogue without its markup."""
    return re.sub(r"<[^>]*>", "", html)


async def go_to_method_choice(
    guest: ChatUser, *, name: str = NAME, number: str = NUMBER, comes_to: str = "3/4"
) -> None:
    """Go from nothing to the choice of a method, or to the ending that takes its place, in Chinese."""
    await guest.says("/start")
    await guest.taps("个人认证")
    await guest.taps("同意并继续")
    await guest.sees("1/4")
    await guest.says(name)
    await guest.sees("2/4")
    await guest.says(number)
    await guest.sees(comes_to)


async def choose_the_face_check(guest: ChatUser) -> None:
    """Choose it, and agree to it."""
    await guest.taps("人脸识别")
    await guest.sees("需要你单独同意")
    await guest.taps("同意并继续")


async def scan(guest: ChatUser, phone: Phone, app: PhoneApp = PhoneApp.WECHAT) -> None:
    """Scan the newest code with an app."""
    code = await guest.sees("等待扫码")
    await phone.open(app, guest.scanned_link(code))


async def follow_to_the_vendor(phone: Phone) -> None:
    """Follow a page that forwards to a vendor's, also where its link opens Alipay with the address inside."""
    link = urlsplit(phone.current_page().refresh or "")
    if link.scheme == "alipays":
        await phone.open(PhoneApp.BROWSER, parse_qs(link.query)["url"][0])
    else:
        await phone.reload()


async def press(phone: Phone, label: str, gesture: Gesture = Gesture.PRESS) -> None:
    """Touch a control of the page by a part of its label."""
    await phone.use_control(gesture, LabelMatcher(label, lambda there: there == label, lambda there: label in there))
