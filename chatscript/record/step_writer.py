"""Writes single steps of a recorded script so that they match in the next run.

Texts that differ from run to run (addresses, codes, dates, masked numbers) become captures or `...`. A text of the bot
becomes its key, whose placeholders match anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from chatscript.language.bot_texts import BotTexts
from chatscript.language.lexer import SourceSpan, parse_text
from chatscript.language.patterns import SourceLocation
from chatscript.match import transcript
from chatscript.match.chat_view import ButtonRows, ButtonView, ChatEvent, ChatView, MessageView, button_positions
from chatscript.match.matcher import MatchContext, collapse_spaces, strip_emoji
from chatscript.record.expectation_writer import (
    VARYING_TEXT,
    append_keyboard,
    escape_text,
    find_text_keys,
    format_marked,
)
from playground.world.records import Json

_LABEL = re.compile(r"[\[\]{\\]|\.{3}|^\*$|(?<=\s)->(?=\s)")


@dataclass(slots=True)
class StepWriter:
    """Writes the steps of one recording. `codes` are QR codes by file_id; `values` are names by captured text.

    `on_language_changed` is called when the bot starts to write in another language.
    """

    bot_texts: BotTexts
    codes: Mapping[str, str | None]
    on_language_changed: Callable[[str], None]
    scope: MatchContext = field(default_factory=lambda: MatchContext({}))
    values: dict[str, str] = field(default_factory=dict)
    link_owners: dict[str, int] = field(default_factory=dict)

    def write_expectation(self, event: ChatEvent) -> list[str]:
        """Return the lines for an event of the bot."""
        match event:
            case ChatEvent(message=MessageView() as message):
                mark = "<" if event.kind == "message" else "~"
                lines = self._with_keyboard(
                    format_marked(mark, message.kind, self.write_text(message.text)), message.rows
                )
                return [*lines, *self._details(event.chat, message)]
            case ChatEvent(kind="delete", before=MessageView(own=False) as deleted):
                return format_marked("x", deleted.kind, self.write_text(deleted.text))
            case ChatEvent(kind="delete", before=MessageView(own=True) as deleted) if self.captured_link(deleted.text):
                return format_marked("x >", deleted.kind, "...")
            case ChatEvent(kind="toast"):
                return format_marked("!!" if event.alert else "!", "text", self.write_text(event.text))
            case _:
                return transcript.format_event(event) or []

    def captured_link(self, text: str) -> str | None:
        """Return the name of the captured link that a person opened with this text (`/start …`) or sent."""
        command, _, word = text.partition(" ")
        end = f"?start={word}" if command == "/start" and word else None
        return next((name for link, name in self.values.items() if text == link or (end and link.endswith(end))), None)

    def write_link_opened(self, text: str) -> list[str] | None:
        """Return the line for opening a captured link, or None when the text does not open one."""
        name = self.captured_link(text)
        if name is None:
            return None
        return [f"@scan wechat {{{name}}}" if text.startswith("/start ") else f"> {{{name}}}"]

    def write_text(self, actual: str) -> str:
        """Return a text by its key, or each line by its key or with `...` for the parts that vary."""
        if found := self._key(actual):
            return found
        lines = [line for line in actual.split("\n") if line.strip()]
        return "\n".join(
            (find_text_keys(line, (), self.scope) if len(lines) > 1 else None) or self._with_wildcards(line)
            for line in lines
        )

    def _key(self, actual: str) -> str | None:
        """Return a key in the person's language, or in another language, which the person then chose inside the bot."""
        if found := find_text_keys(actual, (), self.scope):
            return found
        for language in self.bot_texts.languages:
            if found := find_text_keys(actual, (), replace(self.scope, language=language)):
                self.scope.language = language
                self.on_language_changed(language)
                return found
        return None

    def _with_wildcards(self, line: str) -> str:
        line, escaped, position = collapse_spaces(line), "", 0
        for found in VARYING_TEXT.finditer(line):
            escaped += escape_text(line[position : found.start()])
            escaped += f"{{{self.values[found.group()]}}}" if found.group() in self.values else "..."
            position = found.end()
        return self.with_people(escaped + escape_text(line[position:]))

    def with_people(self, line: str) -> str:
        """Replace the ids of people by their names."""
        for name, id in self.scope.people.items():
            line = line.replace(str(id), f"{{id:{name}}}")
        return line

    def _with_keyboard(self, lines: list[str], rows: ButtonRows) -> list[str]:
        if not rows:
            return lines
        keyboard = " / ".join(" ".join(self._button(button) for button in row) for row in rows)
        return append_keyboard(lines, keyboard)

    def _button(self, button: ButtonView) -> str:
        if not button.target:
            return f"[{self.write_label(button.label)}]"
        varies = button.target in self.values or VARYING_TEXT.search(button.target)
        target = self._captured(button.target) if varies else _LABEL.sub(r"\\\g<0>", button.target)
        return f"[{self.write_label(button.label)} -> {target}]"

    def write_label(self, actual: str) -> str:
        """Return a label by its key, or without the emoji at its ends."""
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
            count = len(self.values)
            self.values[value] = f"link{count + 1}" if count else "link"
        return f"{{{self.values[value]}}}"

    def write_page_text(self, text: str) -> str:
        """Return a text of a page by its key; the page may be in another language than the chat."""
        languages = [self.scope.language, *self.bot_texts.languages]
        keys = (find_text_keys(text, (), replace(self.scope, language=language)) for language in languages)
        return next(filter(None, keys), None) or self._with_wildcards(text)

    def write_press(self, chat: ChatView, event: ChatEvent, raw: Json) -> str:
        """Return the line for a press: by its label, as an old button, or by its data."""
        current = chat.inline_keyboard_message()
        cell = (raw.get("row"), raw.get("column"))
        known = button_positions(current.id, current.rows) if current and current.id == raw["message_id"] else []
        pressed = [position for position in known if (position.row, position.column) == cell]
        if pressed:
            label = self.write_label(event.text)
            matching = [position for position in known if self._label_matches(label, position.button.label)]
            return f"> [{label}]" + (f"@{pressed[0].row + 1}.{pressed[0].column + 1}" if len(matching) != 1 else "")
        old = [
            position
            for position in chat.earlier_buttons()
            if position.message == raw["message_id"] and position.button.data == event.data
        ]
        if old:
            return f"> (old) [{self.write_label(old[0].button.label)}]"
        return f"> (tap) {self.write_text(event.data)}"

    def _label_matches(self, label: str, actual: str) -> bool:
        return self.scope.label_matches(parse_text(SourceSpan(label, SourceLocation("", 1))), actual)
