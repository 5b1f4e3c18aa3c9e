"""Writes what was said and pressed so that the same line fits the next time.

What differs from one conversation to the next - addresses, codes, dates, masks - becomes a capture or `...`; a sentence
of the bot's catalogue becomes its key, whose placeholders stand for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chatscript.language.bot_texts import BotTexts
from chatscript.language.lexer import SourceSpan, parse_text
from chatscript.language.patterns import SourceLocation
from chatscript.match import transcript
from chatscript.match.chat_view import ButtonRows, ButtonView, ChatEvent, ChatView, MessageView, button_positions
from chatscript.match.matcher import MatchContext, collapse_spaces, strip_emoji
from chatscript.record.expectation_writer import NEEDS_ESCAPE, VARYING_TEXT, find_text_keys, format_marked

Json = Mapping[str, Any]

_WIDE = 110
_LABEL = re.compile(r"[\[\]{\\]|\.{3}|^\*$|(?<=\s)->(?=\s)")


@dataclass(slots=True)
class StepWriter:
    """Words for one recording: `codes` stand in pictures, `switched` hears when the bot speaks another language."""

    bot_texts: BotTexts
    codes: Mapping[str, str | None]
    on_language_changed: Callable[[str], None]
    scope: MatchContext = field(default_factory=lambda: MatchContext({}))
    values: dict[str, str] = field(default_factory=dict)
    link_owners: dict[str, int] = field(default_factory=dict)

    def write_expectation(self, event: ChatEvent) -> list[str]:
        """Write down what the bot did."""
        match event:
            case ChatEvent(message=MessageView() as message):
                mark = "<" if event.kind == "message" else "~"
                written = self._with_keys(
                    format_marked(mark, message.kind, self.write_text(message.text)), message.rows
                )
                return [*written, *self._details(event.chat, message)]
            case ChatEvent(kind="delete", before=MessageView(own=False) as was):
                return format_marked("x", was.kind, self.write_text(was.text))
            case ChatEvent(kind="delete", before=MessageView(own=True) as was) if self.captured_link(was.text):
                return format_marked("x >", was.kind, "...")
            case ChatEvent(kind="toast"):
                return format_marked("!!" if event.alert else "!", "text", self.write_text(event.text))
            case _:
                return transcript.format_event(event) or []

    def captured_link(self, said: str) -> str | None:
        """The captured link that somebody opened by these words of theirs, or that they are."""
        command, _, word = said.partition(" ")
        end = f"?start={word}" if command == "/start" and word else None
        return next((name for link, name in self.values.items() if said == link or (end and link.endswith(end))), None)

    def write_link_opened(self, said: str) -> list[str] | None:
        """Write how somebody opened a captured link, if that is what they did."""
        name = self.captured_link(said)
        if name is None:
            return None
        return [f"@scan wechat {{{name}}}" if said.startswith("/start ") else f"> {{{name}}}"]

    def write_text(self, actual: str) -> str:
        """Write a text by its key, a line by its key, or what of it will be the same the next time."""
        if found := self._key(actual):
            return found
        lines = [line for line in actual.split("\n") if line.strip()]
        return "\n".join(
            (find_text_keys(line, (), self.scope) if len(lines) > 1 else None) or self._with_wildcards(line)
            for line in lines
        )

    def _key(self, actual: str) -> str | None:
        """Find a key in the person's language; in another, the person has chosen that one inside the bot."""
        if found := find_text_keys(actual, (), self.scope):
            return found
        for language in self.bot_texts.languages:
            if found := find_text_keys(actual, (), replace(self.scope, language=language)):
                self.scope.language = language
                self.on_language_changed(language)
                return found
        return None

    def _with_wildcards(self, line: str) -> str:
        line, written, place = collapse_spaces(line), "", 0
        for found in VARYING_TEXT.finditer(line):
            written += NEEDS_ESCAPE.sub(r"\\\g<0>", line[place : found.start()])
            written += f"{{{self.values[found.group()]}}}" if found.group() in self.values else "..."
            place = found.end()
        return self.with_people(written + NEEDS_ESCAPE.sub(r"\\\g<0>", line[place:]))

    def with_people(self, line: str) -> str:
        """Write the ids of people by their names."""
        for name, id in self.scope.people.items():
            line = line.replace(str(id), f"{{id:{name}}}")
        return line

    def _with_keys(self, written: list[str], rows: ButtonRows) -> list[str]:
        if not rows:
            return written
        keys = " / ".join(" ".join(self._button(key) for key in row) for row in rows)
        one_line = f"{written[-1]}   {keys}"
        return [*written[:-1], one_line] if len(one_line) <= _WIDE else [*written, f"    {keys}"]

    def _button(self, key: ButtonView) -> str:
        if not key.target:
            return f"[{self.write_label(key.label)}]"
        changes = key.target in self.values or VARYING_TEXT.search(key.target)
        target = self._captured(key.target) if changes else _LABEL.sub(r"\\\g<0>", key.target)
        return f"[{self.write_label(key.label)} -> {target}]"

    def write_label(self, actual: str) -> str:
        """Write a label by its key, or without the emoji at its edges."""
        found = find_text_keys(actual, (), self.scope) or find_text_keys(strip_emoji(actual), (), self.scope)
        return found or _LABEL.sub(r"\\\g<0>", strip_emoji(actual) or actual)

    def _details(self, chat: int, message: MessageView) -> Iterator[str]:
        if message.picture and (code := self.codes.get(message.picture)):
            if self.link_owners.get(code) != chat:
                yield f"    qr: {self._captured(code)}"
            self.link_owners[code] = chat
        if message.file:
            yield f"    file: {self._with_wildcards(message.file)}"

    def _captured(self, value: str) -> str:
        if value not in self.values:
            many = len(self.values)
            self.values[value] = f"link{many + 1}" if many else "link"
        return f"{{{self.values[value]}}}"

    def write_page_text(self, words: str) -> str:
        """Write words of a page; a page may speak another language than the script will be played in."""
        spoken = [self.scope.language, *self.bot_texts.languages]
        keys = (find_text_keys(words, (), replace(self.scope, language=language)) for language in spoken)
        return next(filter(None, keys), None) or self._with_wildcards(words)

    def write_press(self, chat: ChatView, event: ChatEvent, told: Json) -> str:
        """Write a press by its label; one of an earlier keyboard as an old one."""
        live = chat.inline_keyboard_message()
        place = (told.get("row"), told.get("column"))
        known = button_positions(live.id, live.rows) if live and live.id == told["message_id"] else []
        there = [spot for spot in known if (spot.row, spot.column) == place]
        if there:
            label = self.write_label(event.text)
            fitting = [spot for spot in known if self._label_matches(label, spot.button.label)]
            return f"> [{label}]" + (f"@{there[0].row + 1}.{there[0].column + 1}" if len(fitting) != 1 else "")
        old = [
            spot
            for spot in chat.earlier_buttons()
            if spot.message == told["message_id"] and spot.button.data == event.data
        ]
        if old:
            return f"> (old) [{self.write_label(old[0].button.label)}]"
        return f"> (tap) {self.write_text(event.data)}"

    def _label_matches(self, label: str, actual: str) -> bool:
        return self.scope.label_matches(parse_text(SourceSpan(label, SourceLocation("", 1))), actual)
