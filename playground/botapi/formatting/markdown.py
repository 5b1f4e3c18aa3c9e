r"""Reads Telegram's MarkdownV2 by the rules of the public server.

Every mark outside an entity must be escaped with a backslash. A quote continues while its lines begin with `>`, and
`||` at its end makes it expandable. Positions in errors count bytes; offsets of entities count UTF-16 units.
https://core.telegram.org/bots/api#markdownv2-style
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from playground.botapi.formatting.markup import (
    Entity,
    InvalidMarkup,
    MarkupScanner,
    date_time_entity,
    emoji_entity,
    link_entity,
)
from playground.world.records import Json

_RESERVED = frozenset("_*[]()~`>#+-=|{}.!\n")
# Longer marks come first, so that `__` is not read as two `_`.
_MARKS = {"__": "underline", "||": "spoiler", "```": "pre", "![": "special", "_": "italic", "*": "bold"} | {
    "~": "strikethrough",
    "`": "code",
    "[": "text_link",
}
_ENDS = {kind: mark for mark, kind in _MARKS.items()} | {"special": "]", "text_link": "]"}
_NAMES_IN_ERRORS: Mapping[str, str] = {
    "special": "CustomEmoji",
    "text_link": "TextUrl",
    "blockquote": "BlockQuote",
    "pre": "Pre",
}
_LITERAL = frozenset({"code", "pre"})
_LANGUAGE = re.compile(r"([^\s`]+)(?=\s)")
_LINE_END = re.compile(r"\r\n|\n\r|\n|\r")
_TIME = re.compile(r"tg://time\?unix=(\d{1,10})(?:&format=(\w*))?")
_EMOJI = re.compile(r"tg://emoji\?id=(\d+)")
_LAST_ESCAPED = "~"


@dataclass(slots=True)
class _OpenMark:
    kind: str
    start: int
    offset: int
    begin: int
    language: str = ""


def read_markdown(source: str) -> tuple[str, tuple[Json, ...]]:
    """Return the plain text and its entities. Raises `InvalidMarkup`."""
    return _MarkdownParser(source).read()


class _MarkdownParser(MarkupScanner):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._open: list[_OpenMark] = []
        self._line_start = True
        self._quoting = False

    def read(self) -> tuple[str, tuple[Json, ...]]:
        while self._at < len(self._source):
            self._step()
        if self._quoting:
            self._end_quote()
        if self._open:
            raise self._missing_end(self._open[-1])
        return self._result()

    def _step(self) -> None:
        char = self._source[self._at]
        after = self._source[self._at + 1 : self._at + 2]
        inside = self._open[-1].kind if self._open else ""
        if char == "\\" and "\0" < after <= _LAST_ESCAPED:
            self._append(after, 2)
        elif char not in (frozenset("`") if inside in _LITERAL else _RESERVED):
            self._append(char, 1)
        elif char == "\n" and self._quoting and after != ">":
            self._end_quote()
            self._append("\n", 1)
        elif inside and self._ends(inside):
            self._end(inside)
        else:
            self._begin(char)

    def _append(self, text: str, taken: int) -> None:
        self._write(text)
        self._at += taken
        self._line_start = text == "\n"

    def _ends(self, kind: str) -> bool:
        mark = _ENDS.get(kind)
        if mark is None or not self._source.startswith(mark, self._at):
            return False
        return kind != "italic" or not self._source.startswith("__", self._at)

    def _begin(self, char: str) -> None:
        if char == "\n":
            self._append("\n", 1)
        elif char == ">" and self._line_start:
            self._begin_quote()
        else:
            self._begin_marked(char)

    def _begin_quote(self) -> None:
        if not self._quoting:
            self._open.append(_OpenMark("blockquote", self._at, self._units, len(self._out)))
        self._quoting, self._line_start = True, False
        self._at += 1

    def _begin_marked(self, char: str) -> None:
        mark = next((mark for mark in _MARKS if self._source.startswith(mark, self._at)), None)
        if mark is None or (self._open and self._open[-1].kind in _LITERAL):
            raise InvalidMarkup(f"Character '{char}' is reserved and must be escaped with the preceding '\\'")
        opened = _OpenMark(_MARKS[mark], self._at, self._units, len(self._out))
        self._at += len(mark)
        if opened.kind == "pre":
            self._begin_pre(opened)
        self._open.append(opened)

    def _begin_pre(self, opened: _OpenMark) -> None:
        language = _LANGUAGE.match(self._source, self._at)
        if language:
            opened.language = language[1]
            self._at = language.end()
        line_end = _LINE_END.match(self._source, self._at)
        self._at = line_end.end() if line_end else self._at

    def _end(self, kind: str) -> None:
        self._at += len(_ENDS[kind])
        last = self._open.pop()
        text = "".join(self._out[last.begin :])
        match kind:
            case "text_link":
                entity = link_entity(self._url() if self._peek() == "(" else text, text)
            case "special":
                entity = self._special()
            case "pre" if last.language:
                entity = {"type": "pre", "language": last.language}
            case _:
                entity = {"type": kind}
        self._add_entity(entity, last)

    def _url(self) -> str:
        self._at += 1
        begin, url = self._at, []
        while self._peek() != ")":
            if not self._peek():
                raise InvalidMarkup(f"Can't find end of a URL at byte offset {self._byte_offset(begin)}")
            self._at += self._peek() == "\\" and "\0" < self._source[self._at + 1 : self._at + 2] <= _LAST_ESCAPED
            url.append(self._peek())
            self._at += 1
        self._at += 1
        return "".join(url)

    def _special(self) -> Entity | None:
        if self._peek() != "(":
            raise InvalidMarkup("The entity must contain a tg://emoji or tg://time URL")
        url = self._url()
        emoji, time = _EMOJI.fullmatch(url), _TIME.fullmatch(url)
        if emoji:
            return emoji_entity(emoji[1])
        if time:
            return date_time_entity(int(time[1]), time[2] or "")
        raise InvalidMarkup("Invalid tg://emoji or tg://time URL specified")

    def _end_quote(self) -> None:
        last = self._open.pop()
        expandable = last.kind == "spoiler" and last.start == self._at - len("||") and bool(self._open)
        quote = self._open.pop() if expandable else last
        if quote.kind != "blockquote":
            raise self._missing_end(last)
        self._quoting = False
        self._add_entity({"type": "expandable_blockquote" if expandable else "blockquote"}, quote)

    def _add_entity(self, entity: Entity | None, last: _OpenMark) -> None:
        if entity is not None and self._units > last.offset:
            self._entities.append({**entity, "offset": last.offset, "length": self._units - last.offset})

    def _missing_end(self, last: _OpenMark) -> InvalidMarkup:
        kind = "PreCode" if last.language else _NAMES_IN_ERRORS.get(last.kind, last.kind.capitalize())
        return InvalidMarkup(f"Can't find end of {kind} entity at byte offset {self._byte_offset(last.start)}")
