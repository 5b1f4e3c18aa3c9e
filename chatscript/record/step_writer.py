"""Writes what was said and pressed so that the same line fits the next time.

What differs from one conversation to the next - addresses, codes, dates, masks - becomes a capture or `...`; a sentence
of the bot's catalogue becomes its key, whose placeholders stand for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chatscript.language.bot_texts import Catalogue
from chatscript.language.lexer import Snippet, text
from chatscript.language.patterns import Place
from chatscript.match import transcript
from chatscript.match.chat_view import Chat, Event, Key, Message, Rows, spots
from chatscript.match.matcher import Scope, bare, fold
from chatscript.record.expectation_writer import CHANGING, SPECIAL, by_keys, marked

Json = Mapping[str, Any]

_WIDE = 110
_LABEL = re.compile(r"[\[\]{\\]|\.{3}|^\*$|(?<=\s)->(?=\s)")


@dataclass(slots=True)
class Wording:
    """Words for one recording: `codes` stand in pictures, `switched` hears when the bot speaks another language."""

    catalogue: Catalogue
    codes: Mapping[str, str | None]
    switched: Callable[[str], None]
    scope: Scope = field(default_factory=lambda: Scope({}))
    values: dict[str, str] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)

    def told(self, event: Event) -> list[str]:
        """Write down what the bot did."""
        match event:
            case Event(message=Message() as message):
                mark = "<" if event.kind == "message" else "~"
                written = self._with_keys(marked(mark, message.kind, self.words(message.text)), message.rows)
                return [*written, *self._details(event.chat, message)]
            case Event(kind="delete", was=Message(own=False) as was):
                return marked("x", was.kind, self.words(was.text))
            case Event(kind="delete", was=Message(own=True) as was) if self.link_in(was.text):
                return marked("x >", was.kind, "...")
            case Event(kind="toast"):
                return marked("!!" if event.alert else "!", "text", self.words(event.text))
            case _:
                return transcript.line(event) or []

    def link_in(self, said: str) -> str | None:
        """The captured link that somebody opened by these words of theirs, or that they are."""
        command, _, word = said.partition(" ")
        end = f"?start={word}" if command == "/start" and word else None
        return next((name for link, name in self.values.items() if said == link or (end and link.endswith(end))), None)

    def opened(self, said: str) -> list[str] | None:
        """Write how somebody opened a captured link, if that is what they did."""
        name = self.link_in(said)
        if name is None:
            return None
        return [f"@scan wechat {{{name}}}" if said.startswith("/start ") else f"> {{{name}}}"]

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
                self.scope.language = language
                self.switched(language)
                return found
        return None

    def _steady(self, line: str) -> str:
        line, written, place = fold(line), "", 0
        for found in CHANGING.finditer(line):
            written += SPECIAL.sub(r"\\\g<0>", line[place : found.start()])
            written += f"{{{self.values[found.group()]}}}" if found.group() in self.values else "..."
            place = found.end()
        return self.with_people(written + SPECIAL.sub(r"\\\g<0>", line[place:]))

    def with_people(self, line: str) -> str:
        """Write the ids of people by their names."""
        for name, id in self.scope.people.items():
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
        changes = key.target in self.values or CHANGING.search(key.target)
        target = self._captured(key.target) if changes else _LABEL.sub(r"\\\g<0>", key.target)
        return f"[{self.label(key.label)} -> {target}]"

    def label(self, actual: str) -> str:
        """Write a label by its key, or without the emoji at its edges."""
        found = by_keys(actual, (), self.scope) or by_keys(bare(actual), (), self.scope)
        return found or _LABEL.sub(r"\\\g<0>", bare(actual) or actual)

    def _details(self, chat: int, message: Message) -> Iterator[str]:
        if message.picture and (code := self.codes.get(message.picture)):
            if self.owners.get(code) != chat:
                yield f"    qr: {self._captured(code)}"
            self.owners[code] = chat
        if message.file:
            yield f"    file: {self._steady(message.file)}"

    def _captured(self, value: str) -> str:
        if value not in self.values:
            many = len(self.values)
            self.values[value] = f"link{many + 1}" if many else "link"
        return f"{{{self.values[value]}}}"

    def seen(self, words: str) -> str:
        """Write words of a page; a page may speak another language than the script will be played in."""
        spoken = [self.scope.language, *self.catalogue.languages]
        keys = (by_keys(words, (), replace(self.scope, language=language)) for language in spoken)
        return next(filter(None, keys), None) or self._steady(words)

    def pressed(self, chat: Chat, event: Event, told: Json) -> str:
        """Write a press by its label; one of an earlier keyboard as an old one."""
        live = chat.live()
        place = (told.get("row"), told.get("column"))
        known = spots(live.id, live.rows) if live and live.id == told["message_id"] else []
        there = [spot for spot in known if (spot.row, spot.column) == place]
        if there:
            label = self.label(event.text)
            fitting = [spot for spot in known if self._fits(label, spot.key.label)]
            return f"> [{label}]" + (f"@{there[0].row + 1}.{there[0].column + 1}" if len(fitting) != 1 else "")
        old = [spot for spot in chat.old_spots() if spot.message == told["message_id"] and spot.key.data == event.data]
        if old:
            return f"> (old) [{self.label(old[0].key.label)}]"
        return f"> (tap) {self.words(event.data)}"

    def _fits(self, label: str, actual: str) -> bool:
        return self.scope.label_fits(text(Snippet(label, Place("", 1))), actual)
