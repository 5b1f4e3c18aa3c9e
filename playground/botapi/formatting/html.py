"""Reads Telegram's HTML by the rules of the public server.

Unknown attributes and a bare & are accepted, and `</>` closes the last tag. An unknown tag, `<` before a space and a
missing end tag are errors. Positions in errors count bytes; offsets of entities count UTF-16 units.
https://core.telegram.org/bots/api#html-style
"""

from __future__ import annotations

import re
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

_ENTITY_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
_TAGS = frozenset({*_ENTITY_TYPES, "a", "code", "pre", "blockquote", "tg-emoji", "tg-time"})
_NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_PLAIN = re.compile("[^<&]+")
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([A-Za-z]+));?")
_SPACE = frozenset(" \t\r\n\0\v\f")
_LAST_CODE = 0x10FFFF


@dataclass(slots=True)
class _OpenTag:
    tag: str
    argument: str
    unix: int
    offset: int
    begin: int


def read_html(source: str) -> tuple[str, tuple[Json, ...]]:
    """Return the plain text and its entities. Raises `InvalidMarkup`."""
    return _HtmlParser(source).read()


class _HtmlParser(MarkupScanner):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._open: list[_OpenTag] = []

    def read(self) -> tuple[str, tuple[Json, ...]]:
        while self._at < len(self._source):
            if plain := _PLAIN.match(self._source, self._at):
                self._at = plain.end()
                self._write(plain[0])
            elif self._source[self._at] == "<":
                self._tag()
            else:
                self._write(self._reference())
        if self._open:
            raise InvalidMarkup(f'Can\'t find end tag corresponding to start tag "{self._open[-1].tag}"')
        for entity in self._entities:
            if entity["type"] == "code":
                entity.pop("language", None)
        return self._result()

    def _skip(self, stops: frozenset[str]) -> str:
        begin = self._at
        while self._peek() and self._peek() not in stops:
            self._at += 1
        return self._source[begin : self._at]

    def _skip_space(self) -> None:
        while self._peek() and self._peek() in _SPACE:
            self._at += 1

    def _reference(self) -> str:
        match = _REFERENCE.match(self._source, self._at)
        decoded = _decode_reference(match) if match else ""
        self._at = match.end() if match and decoded else self._at + 1
        return decoded or "&"

    def _tag(self) -> None:
        start = self._at
        self._at += 1
        if self._peek() == "/":
            self._at += 1
            self._end_tag(start)
        else:
            self._start_tag(start)

    def _start_tag(self, start: int) -> None:
        tag = self._skip(_SPACE | {">"}).lower()
        if not self._peek():
            raise InvalidMarkup(f"Unclosed start tag at byte offset {self._byte_offset(start)}")
        if tag not in _TAGS:
            raise InvalidMarkup(f'Unsupported start tag "{tag}" at byte offset {self._byte_offset(start)}')
        opened = _OpenTag(tag, "", 0, self._units, len(self._out))
        while self._more_attributes():
            name, value = self._attribute(tag, start)
            _apply_attribute(opened, name, value)
        self._at += 1
        if tag == "span" and opened.argument != "spoiler":
            raise InvalidMarkup(f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte_offset(start)}')
        self._open.append(opened)

    def _more_attributes(self) -> bool:
        self._skip_space()
        return self._peek() != ">"

    def _attribute(self, tag: str, start: int) -> tuple[str, str | None]:
        name = self._skip(_SPACE | frozenset("=>/\"'"))
        if not name:
            raise InvalidMarkup(f'Empty attribute name in the tag "{tag}" at byte offset {self._byte_offset(start)}')
        self._skip_space()
        value = None
        if self._peek() == "=":
            self._at += 1
            self._skip_space()
            value = self._quoted() if self._peek() in {'"', "'"} else self._bare_value()
        if not self._peek():
            raise InvalidMarkup(f'Unclosed start tag "{tag}" at byte offset {self._byte_offset(start)}')
        return name, value

    def _quoted(self) -> str:
        quote = self._peek()
        self._at += 1
        value = []
        while self._peek() and self._peek() != quote:
            if self._peek() == "&":
                value.append(self._reference())
            else:
                value.append(self._peek())
                self._at += 1
        self._at += bool(self._peek())
        return "".join(value)

    def _bare_value(self) -> str:
        begin = self._at
        while self._peek().isascii() and (self._peek().isalnum() or self._peek() in {".", "-"}):
            self._at += 1
        if self._peek() and self._peek() not in _SPACE | {">"}:
            raise InvalidMarkup(f"Unexpected end of name token at byte offset {self._byte_offset(begin)}")
        return self._source[begin : self._at].lower()

    def _end_tag(self, start: int) -> None:
        if not self._open:
            raise InvalidMarkup(f"Unexpected end tag at byte offset {self._byte_offset(start)}")
        tag = self._skip(_SPACE | {">"}).lower()
        self._skip_space()
        if self._peek() != ">":
            raise InvalidMarkup(f"Unclosed end tag at byte offset {self._byte_offset(start)}")
        self._at += 1
        last = self._open.pop()
        if tag and tag != last.tag:
            where = f"at byte offset {self._byte_offset(start)}"
            raise InvalidMarkup(f'Unmatched end tag {where}, expected "</{last.tag}>", found "</{tag}>"')
        self._close(last)

    def _close(self, last: _OpenTag) -> None:
        length = self._units - last.offset
        if length == 0:
            return
        entity = self._entity(last, "".join(self._out[last.begin :]))
        if entity is not None:
            self._entities.append({"offset": last.offset, "length": length, **entity})

    def _entity(self, last: _OpenTag, text: str) -> Entity | None:
        match last.tag:
            case "a":
                return link_entity(last.argument or text, text)
            case "blockquote":
                return {"type": "expandable_blockquote" if last.argument else "blockquote"}
            case "tg-emoji":
                return emoji_entity(last.argument)
            case "tg-time":
                return date_time_entity(last.unix, last.argument)
            case "pre" | "code":
                return self._code(last)
            case tag:
                return {"type": _ENTITY_TYPES[tag]}

    def _code(self, last: _OpenTag) -> Entity | None:
        other = "code" if last.tag == "pre" else "pre"
        inner = self._entities[-1] if self._entities else {}
        span = (other, last.offset, self._units - last.offset)
        covers_same_text = (inner.get("type"), inner.get("offset"), inner.get("length")) == span
        language = inner.get("language") if last.tag == "pre" else last.argument
        if covers_same_text and language:
            inner |= {"type": "pre", "language": language}
            return None
        entity: Entity = {"type": last.tag}
        return entity | ({"language": last.argument} if last.argument else {})


def _decode_reference(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name:
        return _NAMED_CHARACTERS.get(name, "")
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return "" if code == 0 or code >= _LAST_CODE or 0xD800 <= code <= 0xDFFF else chr(code)


def _apply_attribute(opened: _OpenTag, name: str, value: str | None) -> None:
    match opened.tag, name:
        case "blockquote", "expandable":
            opened.argument = "1"
        case ("a", "href") | ("tg-emoji", "emoji-id") | ("tg-time", "format"):
            opened.argument = value or ""
        case "tg-time", "unix":
            opened.unix = int(value) if value and re.fullmatch(r"[0-9]{1,10}", value) else 0
        case "code", "class" if value and value.startswith("language-"):
            opened.argument = value.removeprefix("language-")
        case "span", "class" if value and value.startswith("tg-"):
            opened.argument = value.removeprefix("tg-")
