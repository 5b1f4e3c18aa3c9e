"""The people: each walks through a scenario, one conversation after the other, each in a new chat.

A scenario names what a person writes, which button they press, what they wait to see, and what they do on the phone.
The data of a button is read from the keyboard that the bot sent, the phone's address from the message that shows it.
"""

import asyncio
import re
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from stdnum.iso7064 import mod_11_2

from bench.bot_api import BotApi, Chat, StoredMessage

NAME = "王小明"
_FIRST_CHAT = 100_000
_LONGEST_CONVERSATION = 120
"""Seconds; a conversation that takes longer has failed."""
_PHONE_PAUSE = 0.02
"""Seconds between two presses on the phone: a page has to be seen before it is pressed."""
_WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50"}


class ConversationFailed(Exception):
    """The bot did not do what the scenario expects."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a person does, and what they wait for. `pages` are the forms sent to the phone's address, an empty one
    opens it; `events` are what a bot without pages is told about the phone."""

    name: str
    shows: re.Pattern[str]
    write: str = ""
    press: re.Pattern[str] | None = None
    link: re.Pattern[str] | None = None
    pages: Sequence[Mapping[str, str]] = ()
    events: Sequence[str] = ()

    @property
    def is_result(self) -> bool:
        """Whether the person waits for the result of what they did on the phone."""
        return bool(self.pages or self.events)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole conversation."""

    language: str
    steps: Sequence[Step]


def load_scenario(path: Path) -> Scenario:
    """Read a scenario from a TOML file."""
    content = tomllib.loads(path.read_text("utf-8"))
    return Scenario(content["language"], [Step(**_compiled(step)) for step in content["steps"]])


def _compiled(step: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: re.compile(value) if name in ("shows", "press", "link") else value for name, value in step.items()}


class Phone(Protocol):
    """Does on the phone what a step says, and returns the time when the last of it was begun."""

    async def act(self, step: Step, chat: Chat, link: str) -> float:
        """Do it."""


class PagePhone:
    """Presses the bot's own pages."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def act(self, step: Step, _: Chat, link: str) -> float:
        """Open the page and send its forms."""
        for form in step.pages:
            await asyncio.sleep(_PHONE_PAUSE)
            began = time.perf_counter()
            async with self._http.request("POST" if form else "GET", link, data=form or None, headers=_WECHAT) as page:
                await page.read()
                if page.status != 200:
                    raise ConversationFailed(f"the phone's page answered {page.status}")
        return began


class EventPhone:
    """Tells a bot without pages about the phone, by a line over a connection that the bot has opened."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    def connected(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the bot's connection."""
        self._writer = writer

    def close(self) -> None:
        """Close the bot's connection."""
        if self._writer is not None:
            self._writer.close()

    async def act(self, step: Step, chat: Chat, _: str) -> float:
        """Send the events."""
        for event in step.events:
            await asyncio.sleep(_PHONE_PAUSE)
            if self._writer is None:
                raise ConversationFailed("the bot has not opened its connection")
            began = time.perf_counter()
            self._writer.write(f"{chat.id} {event}\n".encode())
        return began


@dataclass(slots=True)
class Times:
    """What the people of a run have measured; times are in seconds."""

    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    finished: int = 0
    failures: list[str] = field(default_factory=list)


class People:
    """Walks people through a scenario."""

    def __init__(self, scenario: Scenario, api: BotApi, phone: Phone) -> None:
        self._scenario = scenario
        self._api = api
        self._phone = phone
        self._numbers = count()
        self.last_link = ""

    async def walk(self, people: int, conversations: int, *, seconds: float | None = None) -> tuple[Times, float]:
        """Let so many people at a time hold so many conversations in all; returns what they measured and how long it
        took. After so many seconds the rest is cut off."""
        times = Times()
        left = iter(range(conversations))
        began = time.perf_counter()
        walks = [asyncio.ensure_future(self._walk_one(left, times)) for _ in range(min(people, conversations))]
        _, pending = await asyncio.wait(walks, timeout=seconds)
        took = time.perf_counter() - began
        for walk in pending:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=bool(pending))
        return times, took

    async def _walk_one(self, left: Iterator[int], times: Times) -> None:
        for _ in left:
            conversation = _Conversation(self._scenario.language, next(self._numbers), self._api, self._phone, times)
            try:
                async with asyncio.timeout(_LONGEST_CONVERSATION):
                    await conversation.hold(self._scenario.steps)
            except (ConversationFailed, TimeoutError, aiohttp.ClientError) as failure:
                times.failures.append(f"{conversation.step}: {type(failure).__name__} {failure}")
            else:
                times.finished += 1
            finally:
                self._api.close_chat(conversation.chat)
            self.last_link = conversation.link


class _Conversation:
    def __init__(self, language: str, index: int, api: BotApi, phone: Phone, times: Times) -> None:
        self._index = index
        self._api = api
        self._phone = phone
        self._times = times
        self._expected: re.Pattern[str] | None = None
        self._shown: asyncio.Future[tuple[float, str]] = asyncio.get_running_loop().create_future()
        self.chat = Chat(_FIRST_CHAT + index, language, self._look)
        self.link = ""
        self.step = ""

    async def hold(self, steps: Sequence[Step]) -> None:
        self._api.open_chat(self.chat)
        for step in steps:
            self.step = step.name
            self._expected, self._shown = step.shows, asyncio.get_running_loop().create_future()
            began = await self._act(step)
            at, text = await self._shown
            self._times.steps[step.name].append(at - began)
            if step.link is not None:
                self.link = _found(step.link, text)

    def _look(self, message: StoredMessage) -> None:
        """Look whether a new or edited message is what the person waits for."""
        if self._expected is None:
            return
        text = _visible_text(message)
        if self._expected.search(text):
            self._expected = None
            self._shown.set_result((time.perf_counter(), text))

    async def _act(self, step: Step) -> float:
        if step.is_result:
            return await self._phone.act(step, self.chat, self.link)
        began = time.perf_counter()
        if step.press is not None:
            self._api.press(self.chat, *self._find_button(step.press))
        else:
            words = step.write.format(name=NAME, number=id_number(self._index))
            self._api.write(self.chat, words)
        return began

    def _find_button(self, label: re.Pattern[str]) -> tuple[StoredMessage, Mapping[str, Any]]:
        """Find a button, in the newest message first."""
        for message in reversed(self.chat.messages.values()):
            for button in _buttons(message):
                if label.search(button["text"]) and "callback_data" in button:
                    return message, button
        raise ConversationFailed(f"there is no button {label.pattern!r}")


def _buttons(message: StoredMessage) -> list[Mapping[str, Any]]:
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", ()) for button in row]


def _visible_text(message: StoredMessage) -> str:
    """The text of a message, the labels of its buttons, and the addresses behind them, one a line."""
    lines = [message.get("text") or message.get("caption") or ""]
    for button in _buttons(message):
        lines += [button["text"], button.get("url", ""), button.get("copy_text", {}).get("text", "")]
    return "\n".join(lines)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    if match is None:
        raise ConversationFailed(f"the message has nothing like {pattern.pattern!r}")
    return match[0]


def id_number(index: int) -> str:
    """An ID number that is right in form and belongs to nobody, because its birth date is in the 19th century."""
    days, sequence = divmod(index, 900)
    born = date(1801, 1, 1) + timedelta(days=days)
    number = f"110105{born:%Y%m%d}{100 + sequence}"
    return number + mod_11_2.calc_check_digit(number)
