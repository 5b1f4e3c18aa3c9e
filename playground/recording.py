"""Writes down what happened in the chats as a script that passes when it is played.

What differs from one conversation to the next - addresses, codes, dates, masks - becomes a capture or `...`; a sentence
of the bot's catalogue becomes its key, whose placeholders stand for anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from playground import transcript
from playground.catalogue import DEFAULT_LANGUAGE, Catalogue
from playground.chat import Chat, Event, Key, Message, Rows, read_event, spots
from playground.matching import Scope, bare, fold
from playground.rewriting import SPECIAL, by_keys, marked
from playground.steps import FIRST_PERSON, App
from playground.wording import Snippet, text
from playground.words import Place

Json = Mapping[str, Any]

_BY_ITSELF = 4.0
"""After so many quiet seconds the bot acts by the clock, not for what somebody did."""
_WIDE = 110
_LABEL = re.compile(r"[\[\]{\\]|\.{3}|^\*$|(?<=\s)->(?=\s)")
_CHANGING = re.compile(
    r"https?://(?:127\.0\.0\.1|localhost|\[::1\])[^\s]*"
    r"|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}-\d{1,2}(?=\s+\d\d?:)|\d{1,2}:\d\d(?::\d\d)?"
    r"|[\w:]*\*{2,}\w*|[A-Za-z0-9_-]{20,}"
)
_TITLE_ENDS = re.compile(r"\s+[·|–—-]\s+")


def recorded(events: Sequence[Json], catalogue: Catalogue, codes: Mapping[str, str | None]) -> str:
    """Write the script of some events; `codes` are the QR codes in pictures."""
    writer = _Writer(catalogue, codes)
    for event in events:
        writer.take(event)
    return "\n".join(["title: A recorded conversation", "", *writer.lines, ""])


@dataclass(slots=True)
class _Writer:
    catalogue: Catalogue
    codes: Mapping[str, str | None]
    lines: list[str] = field(default_factory=list)
    scope: Scope = field(default_factory=lambda: Scope({}))
    _clients: dict[int, str] = field(default_factory=dict)
    _blocked: set[int] = field(default_factory=set)
    _names: dict[int, str] = field(default_factory=dict)
    _languages: dict[int, str] = field(default_factory=dict)
    _chats: dict[int, Chat] = field(default_factory=dict)
    _values: dict[str, str] = field(default_factory=dict)
    _owners: dict[str, int] = field(default_factory=dict)
    _apps: dict[str, int] = field(default_factory=dict)
    _person: int = 0
    _chat: int = 0
    _began: float | None = None
    _waited: float = 0
    _last: float = 0

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
        if event.kind in ("message", "edit", "press") and event.person is not None:
            self._act(told["at"], event.person)
            self._go(event.person, event.chat)
            pressed = event.kind == "press"
            lines = [_pressed(self, chat, event, told)] if pressed else transcript.line(event) or []
            self.lines += map(self._with_people, lines)
        elif event.counts:
            self._heard(told["at"])
            self._go(event.chat if event.chat > 0 else self._person, event.chat)
            self.lines += self._told(event)
        chat.add(event)

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
            self.scope = Scope({}, ids, self.catalogue, self._languages[person])
        if chat != self._chat:
            self.lines.append("@group" if chat < 0 else "@private")
            self._chat = chat

    def _speak(self, person: int, mark: str) -> None:
        code = self._clients[person]
        self.lines.append(f"{mark} {code}")
        self._languages[person] = self.scope.language = self.catalogue.name_of(code, DEFAULT_LANGUAGE)

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

    # What the bot did.

    def _told(self, event: Event) -> list[str]:
        match event:
            case Event(message=Message() as message):
                mark = "<" if event.kind == "message" else "~"
                written = self._with_keys(marked(mark, message.kind, self.words(message.text)), message.rows)
                return [*written, *self._details(event.chat, message)]
            case Event(kind="delete", was=Message(own=False) as was):
                return marked("x", was.kind, self.words(was.text))
            case Event(kind="toast"):
                return marked("!!" if event.alert else "!", "text", self.words(event.text))
            case _:
                return transcript.line(event) or []

    def words(self, actual: str) -> str:
        """Write a text by its key, a line by its key, or what of it will be the same the next time."""
        if found := self._key(actual):
            return found
        lines = [line for line in actual.split("\n") if line.strip()]
        return "\n".join(
            (by_keys(line, (), self.scope) if len(lines) > 1 else None) or self._steady(line) for line in lines
        )

    def _key(self, actual: str) -> str | None:
        """Find a key in the person's language; in another, the person has chosen that one inside the bot."""
        if found := by_keys(actual, (), self.scope):
            return found
        for language in self.catalogue.languages:
            if found := by_keys(actual, (), replace(self.scope, language=language)):
                self.lines.append(f"@texts {language}")
                self._languages[self._person] = self.scope.language = language
                return found
        return None

    def _steady(self, line: str) -> str:
        line, written, place = fold(line), "", 0
        for found in _CHANGING.finditer(line):
            written += SPECIAL.sub(r"\\\g<0>", line[place : found.start()])
            written += f"{{{self._values[found.group()]}}}" if found.group() in self._values else "..."
            place = found.end()
        return self._with_people(written + SPECIAL.sub(r"\\\g<0>", line[place:]))

    def _with_people(self, line: str) -> str:
        for id, name in self._names.items():
            line = line.replace(str(id), f"{{id:{name}}}")
        return line

    def _with_keys(self, written: list[str], rows: Rows) -> list[str]:
        if not rows:
            return written
        keys = " / ".join(" ".join(self._button(key) for key in row) for row in rows)
        one_line = f"{written[-1]}   {keys}"
        return [*written[:-1], one_line] if len(one_line) <= _WIDE else [*written, f"    {keys}"]

    def _button(self, key: Key) -> str:
        if not key.target:
            return f"[{self.label(key.label)}]"
        changes = key.target in self._values or _CHANGING.search(key.target)
        target = self._captured(key.target) if changes else _LABEL.sub(r"\\\g<0>", key.target)
        return f"[{self.label(key.label)} -> {target}]"

    def label(self, actual: str) -> str:
        """Write a label by its key, or without the emoji at its edges."""
        found = by_keys(actual, (), self.scope) or by_keys(bare(actual), (), self.scope)
        return found or _LABEL.sub(r"\\\g<0>", bare(actual) or actual)

    def _details(self, chat: int, message: Message) -> Iterator[str]:
        if message.picture and (code := self.codes.get(message.picture)):
            if self._owners.get(code) != chat:
                yield f"    qr: {self._captured(code)}"
            self._owners[code] = chat
        if message.file:
            yield f"    file: {self._steady(message.file)}"

    def _captured(self, value: str) -> str:
        if value not in self._values:
            many = len(self._values)
            self._values[value] = f"link{many + 1}" if many else "link"
        return f"{{{self._values[value]}}}"

    # The phone.

    def _touched(self, told: Json) -> None:
        app, did, url = told["app"], told["did"], told["url"]
        if did == "open":
            self._apps[app] = self._owners.get(url, self._chat if url in self._values else 0)
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
                return f"@scan {app}" if url == newest else f"@scan {app} {{{self._values[url]}}}"
            case "press" | "tick" | "choose":
                return f"@{did} {self._seen(label)}"
            case "shows":
                return f"@page {self._seen(_TITLE_ENDS.split(label)[0])}"
            case "reload":
                return "@reload"
            case _:
                return None

    def _seen(self, words: str) -> str:
        """Write words of a page; a page may speak another language than the script will be played in."""
        spoken = [self.scope.language, *self.catalogue.languages]
        keys = (by_keys(words, (), replace(self.scope, language=language)) for language in spoken)
        return next(filter(None, keys), None) or self._steady(words)


def _pressed(writer: _Writer, chat: Chat, event: Event, told: Json) -> str:
    """Write a press by its label; one of an earlier keyboard as an old one."""
    live = chat.live()
    place = (told.get("row"), told.get("column"))
    known = spots(live.id, live.rows) if live and live.id == told["message_id"] else []
    there = [spot for spot in known if (spot.row, spot.column) == place]
    if there:
        label = writer.label(event.text)
        fitting = [spot for spot in known if _fits(writer, label, spot.key.label)]
        return f"> [{label}]" + (f"@{there[0].row + 1}.{there[0].column + 1}" if len(fitting) != 1 else "")
    old = [spot for spot in chat.old_spots() if spot.message == told["message_id"] and spot.key.data == event.data]
    if old:
        return f"> (old) [{writer.label(old[0].key.label)}]"
    return f"> (tap) {writer.words(event.data)}"


def _fits(writer: _Writer, label: str, actual: str) -> bool:
    return writer.scope.label_fits(text(Snippet(label, Place("", 1))), actual)


def _letter(number: int) -> str:
    return chr(ord(FIRST_PERSON) + number) if number < 26 else f"{FIRST_PERSON}{number}"
