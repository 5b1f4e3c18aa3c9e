"""Writes down what happened in the chats as a script that passes when it is played: who, where, when, in what order.

The words are `remembering`'s. What cannot be written is what no chat tells: faults, kills, jumps of the clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from chatscript.language.bot_texts import DEFAULT_LANGUAGE, Catalogue
from chatscript.language.steps import FIRST_PERSON
from chatscript.match import transcript
from chatscript.match.chat_view import Chat, Event, read_event
from chatscript.match.matcher import Scope
from chatscript.record.step_writer import Wording
from playground.phone.apps import App

Json = Mapping[str, Any]

_BY_ITSELF = 4.0
"""After so many quiet seconds the bot acts by the clock, not for what somebody did."""
_TITLE_ENDS = re.compile(r"\s+[·|–—-]\s+")


def recorded(
    events: Sequence[Json],
    catalogue: Catalogue,
    codes: Mapping[str, str | None],
    staff: AbstractSet[int] = frozenset(),
) -> str:
    """Write the script of some events; `codes` are the QR codes in pictures, `staff` whom the bot takes for support."""
    writer = _Writer(catalogue, codes)
    for event in events:
        writer.take(event)
    return "\n".join(["title: A recorded conversation", *writer.settings(staff), "", *writer.lines, ""])


@dataclass(slots=True)
class _Writer:
    catalogue: Catalogue
    codes: Mapping[str, str | None]
    words: Wording = field(init=False)
    lines: list[str] = field(default_factory=list)
    _clients: dict[int, str] = field(default_factory=dict)
    _blocked: set[int] = field(default_factory=set)
    _names: dict[int, str] = field(default_factory=dict)
    _languages: dict[int, str] = field(default_factory=dict)
    _chats: dict[int, Chat] = field(default_factory=dict)
    _apps: dict[str, int] = field(default_factory=dict)
    _person: int = 0
    _chat: int = 0
    _began: float | None = None
    _waited: float = 0
    _last: float = 0

    def __post_init__(self) -> None:
        self.words = Wording(self.catalogue, self.codes, self._switched)

    def settings(self, staff: AbstractSet[int]) -> Sequence[str]:
        """What the bot was told at its start, of people who take part."""
        named = [f"{{id:{name}}}" for id, name in self._names.items() if id in staff]
        return [f"@set STAFF_IDS={','.join(named)}"] if named else []

    def take(self, told: Json) -> None:
        """Write down one event."""
        match told["kind"]:
            case "person":
                self._met(told["user"])
            case "group":
                self._act(told["at"], self._person or told["group"]["members"][0])
                self._go(self._person, told["group"]["id"])
            case "phone":
                self._touched(told)
            case _ if event := read_event(told):
                self._happened(event, told)

    def _happened(self, event: Event, told: Json) -> None:
        chat = self._chats.setdefault(event.chat, Chat(event.chat))
        if event.own and event.kind in ("message", "edit", "press", "inline", "chose") and event.person is not None:
            self._act(told["at"], event.person)
            self._go(event.person, event.chat)
            self.lines += map(self.words.with_people, self._did(chat, event, told))
        elif event.counts:
            self._heard(told["at"])
            self._go(event.chat if event.chat > 0 else self._person, event.chat)
            self.lines += self.words.told(event)
        chat.add(event)

    def _did(self, chat: Chat, event: Event, told: Json) -> Sequence[str]:
        if event.kind == "press":
            return [self.words.pressed(chat, event, told)]
        opened = self.words.opened(event.message.text) if event.kind == "message" and event.message else None
        return opened or transcript.line(event) or []

    # Who, where, when.

    def _met(self, someone: Json) -> None:
        id, blocked = someone["id"], bool(someone["blocked"])
        before = self._clients.setdefault(id, someone["language_code"])
        if id in self._names and blocked != (id in self._blocked):
            self._go(id, id)
            self.lines.append("@block" if blocked else "@unblock")
        (self._blocked.add if blocked else self._blocked.discard)(id)
        if before != someone["language_code"]:
            self._clients[id] = someone["language_code"]
            if id in self._names:
                self._go(id, id)
                self._speak(id, "@lang")

    def _go(self, person: int, chat: int) -> None:
        """Turn to a person and a chat."""
        if person != self._person:
            known = person in self._names
            name = self._names.setdefault(person, _letter(len(self._names)))
            if self._person:
                self.lines.append(f"@user {name}")
            first = next(iter(self._names))
            usual = DEFAULT_LANGUAGE if person == first else self._clients[first].partition("-")[0]
            self._person = self._chat = person
            if not known:
                self._languages[person] = self.catalogue.name_of(self._clients[person], DEFAULT_LANGUAGE)
                if self._clients[person].partition("-")[0] != usual:
                    self._speak(person, "@lang")
            ids = {name: id for id, name in self._names.items()}
            self.words.scope = Scope({}, ids, self.catalogue, self._languages[person])
        if chat != self._chat:
            self.lines.append("@group" if chat < 0 else "@private")
            self._chat = chat

    def _speak(self, person: int, mark: str) -> None:
        code = self._clients[person]
        self.lines.append(f"{mark} {code}")
        self._languages[person] = self.words.scope.language = self.catalogue.name_of(code, DEFAULT_LANGUAGE)

    def _switched(self, language: str) -> None:
        self.lines.append(f"@texts {language}")
        self._languages[self._person] = language

    def _act(self, at: float, person: int) -> None:
        self._began = self._began or at
        self._last = at
        if not self._person:
            self._go(person, person)

    def _heard(self, at: float) -> None:
        """Let the clock run on before what the bot did without being asked."""
        began = self._began or at
        behind = math.ceil(at - began - self._waited)
        if at - self._last > _BY_ITSELF and behind > 0:
            minutes, seconds = divmod(behind, 60)
            self.lines.append("@wait " + (f"{minutes}m" if minutes else "") + (f"{seconds}s" if seconds else ""))
            self._waited += behind
        self._last = at

    # The phone.

    def _touched(self, told: Json) -> None:
        app, did, url = told["app"], told["did"], told["url"]
        if did == "open":
            self._apps[app] = self.words.owners.get(url, self._chat if url in self.words.values else 0)
        owner = self._apps.get(app, 0)
        line = owner and self._gesture(App(app), did, told["label"], url, owner)
        if line:
            self._act(told["at"], owner)
            if owner > 0:
                self._go(owner, owner)
            self.lines.append(line)

    def _gesture(self, app: App, did: str, label: str, url: str, owner: int) -> str | None:
        match did:
            case "open":
                newest = next(filter(None, map(self.codes.get, self._chats[owner].pictures())), None)
                return f"@scan {app}" if url == newest else f"@scan {app} {{{self.words.values[url]}}}"
            case "press" | "tick" | "choose":
                return f"@{did} {self.words.seen(label)}"
            case "shows":
                return f"@page {self.words.seen(_TITLE_ENDS.split(label)[0])}"
            case "reload":
                return "@reload"
            case _:
                return None


def _letter(number: int) -> str:
    return chr(ord(FIRST_PERSON) + number) if number < 26 else f"{FIRST_PERSON}{number}"
