"""Reads Telegram's first Markdown by the rules of the public server: entities neither nest nor need escaping inside.

https://core.telegram.org/bots/api#markdown-style
"""

from __future__ import annotations

import re

from playground.botapi.formatting.markup import Entity, InvalidMarkup, MarkupScanner, link_entity
from playground.world.records import Json

_MARKS = frozenset("_*`[")
_PRE = "```"
_LANGUAGE = re.compile(r"([^\s`]+)(?=\s)")
_LINE_END = re.compile(r"\r\n|\n\r|\n|\r")


def read_legacy_markdown(source: str) -> tuple[str, tuple[Json, ...]]:
    """Return the plain text and its entities. Raises `InvalidMarkup`."""
    return _LegacyParser(source).read()


class _LegacyParser(MarkupScanner):
    def read(self) -> tuple[str, tuple[Json, ...]]:
        while char := self._peek():
            following = self._source[self._at + 1 : self._at + 2]
            if char == "\\" and following in _MARKS and following:
                self._write(following)
                self._at += 2
            elif char in _MARKS:
                self._read_entity(char)
            else:
                self._write(char)
                self._at += 1
        return self._result()

    def _read_entity(self, mark: str) -> None:
        begin, offset, language = self._at, self._units, ""
        end = "]" if mark == "[" else mark
        if self._source.startswith(_PRE, self._at):
            end, language = _PRE, self._begin_pre()
        else:
            self._at += 1
        close = self._source.find(end, self._at)
        if close < 0:
            raise InvalidMarkup(f"Can't find end of the entity starting at byte offset {self._byte_offset(begin)}")
        text = self._source[self._at : close]
        self._write(text)
        self._at = close + len(end)
        if text and (entity := self._entity(mark, end, text, language)) is not None:
            self._entities.append({**entity, "offset": offset, "length": self._units - offset})

    def _begin_pre(self) -> str:
        self._at += len(_PRE)
        found = _LANGUAGE.match(self._source, self._at)
        self._at = found.end() if found else self._at
        line_end = _LINE_END.match(self._source, self._at)
        self._at = line_end.end() if line_end else self._at
        return found[1] if found else ""

    def _entity(self, mark: str, end: str, text: str, language: str) -> Entity | None:
        match mark:
            case "[":
                return link_entity(self._url(text), text)
            case "`" if end == _PRE:
                return {"type": "pre", "language": language} if language else {"type": "pre"}
            case "`":
                return {"type": "code"}
            case _:
                return {"type": "bold" if mark == "*" else "italic"}

    def _url(self, text: str) -> str:
        if self._peek() != "(":
            return text
        close = self._source.find(")", self._at)
        close = len(self._source) if close < 0 else close
        url = self._source[self._at + 1 : close]
        self._at = close + 1
        return url
