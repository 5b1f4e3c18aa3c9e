"""Reads the words inside a script line: wildcards, values, regexes, keyboards.

A backslash takes the next punctuation mark literally. `{2}` inside a regex stays a repetition.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from chatscript.language.patterns import (
    AnyButtons,
    Button,
    Key,
    Keyboard,
    Literal,
    Part,
    PersonId,
    Place,
    Regex,
    Text,
    Variable,
    Wanted,
    Wild,
)


class Wrong(Exception):
    """Something in a script that cannot be read, with its place and what was expected there."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(place, message)
        self.place = place
        self.message = message

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wrong) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a line that knows where it stands."""

    text: str
    place: Place

    def cut(self, start: int, end: int | None = None) -> Snippet:
        """Take a part of it, without the spaces around."""
        raw = self.text[start:end]
        lead = len(raw) - len(raw.lstrip())
        return Snippet(raw.strip(), self.at(start + lead))

    def at(self, offset: int) -> Place:
        """Name the place that many characters further on."""
        return Place(self.place.file, self.place.line, self.place.column + offset)

    def wrong(self, message: str, offset: int = 0) -> Wrong:
        """Make the error that points into this piece."""
        return Wrong(self.at(offset), message)


def width(words: str) -> int:
    """Count the columns that a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in words)


_WORD = re.compile(r"\\(?P<escaped>[^\w\s])|(?P<wild>\.{3})|\{(?P<name>[^{}]*)\}|(?P<open>\{)")
_REGEX_NAME = re.compile(r"(?<!\\)\{(?P<name>[^\W\d][^{}]*)\}")
_REGEX = re.compile(r"/(?P<body>(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+)/(?P<flag>i?)(?=\s|$)")
_LABEL = r"\[(?:\\.|[^\[\]\\])*\]"
_KEYBOARD = re.compile(rf"(?:^|\s+)({_LABEL}(?:\s*/\s*{_LABEL}|\s*{_LABEL})*)\s*$")
_ONE_LABEL = re.compile(_LABEL)
_ARROW = re.compile(r"\s->\s*")


def text(snippet: Snippet, *, wild: bool = True) -> Text:
    """Read a text; with `wild` off, `...` stands for itself."""
    return Text(snippet.text, tuple(_parts(snippet, wild=wild)))


def joined(lines: list[Text]) -> Text:
    """Put the lines of one text together."""
    parts: list[Part] = []
    for number, line in enumerate(lines):
        if number:
            parts.append(Literal("\n"))
        parts.extend(line.parts)
    return Text("\n".join(line.source for line in lines), tuple(parts))


def wanted(snippet: Snippet) -> Wanted:
    """Read an expected text that may be a regex as a whole."""
    found = _REGEX.fullmatch(snippet.text)
    return _regex(snippet, found) if found else text(snippet)


def wanted_with_keyboard(lines: list[Snippet]) -> tuple[Wanted, Keyboard]:
    """Read the lines of a message; the buttons stand behind the last one."""
    head, rows = lines[0], Keyboard()
    found = _REGEX.match(head.text) if len(lines) == 1 else None
    if found:
        rest = head.cut(found.end())
        if not rest.text:
            return _regex(head, found), rows
        if _KEYBOARD.fullmatch(rest.text):
            return _regex(head, found), keyboard(rest)
    last = lines[-1]
    if tail := _KEYBOARD.search(last.text):
        rows = keyboard(last.cut(tail.start(1)))
        lines = [*lines[:-1], last.cut(0, tail.start())]
    return joined([text(line) for line in lines]), rows


def keyboard(snippet: Snippet) -> Keyboard:
    """Read `[A] [B] / [C -> address]`."""
    rows: list[list[Button | AnyButtons]] = [[]]
    position = 0
    for found in _ONE_LABEL.finditer(snippet.text):
        if "/" in snippet.text[position : found.start()]:
            rows.append([])
        rows[-1].append(_button(snippet.cut(found.start() + 1, found.end() - 1)))
        position = found.end()
    if snippet.text[position:].strip():
        raise snippet.wrong("expected buttons: [A] [B], with / between rows", position)
    return Keyboard(tuple(tuple(row) for row in rows))


def is_keyboard(line: str) -> bool:
    """Tell whether a line holds buttons only."""
    return _KEYBOARD.fullmatch(line) is not None


def _button(inside: Snippet) -> Button | AnyButtons:
    if inside.text == "*":
        return AnyButtons()
    if not inside.text:
        raise inside.wrong("expected a label between [ and ]; [*] stands for any buttons")
    arrow = _ARROW.search(inside.text)
    if arrow is None:
        return Button(text(inside))
    return Button(text(inside.cut(0, arrow.start())), text(inside.cut(arrow.end())))


def _parts(snippet: Snippet, *, wild: bool) -> list[Part]:
    parts: list[Part] = []
    position = 0
    for found in _WORD.finditer(snippet.text):
        parts.append(Literal(snippet.text[position : found.start()]))
        position = found.end()
        match found.lastgroup:
            case "escaped":
                parts.append(Literal(found["escaped"]))
            case "wild":
                parts.append(Wild() if wild else Literal("..."))
            case "name":
                parts.append(_value(found["name"], snippet.at(found.start())))
            case _:
                raise snippet.wrong("expected a name and } after {; a literal brace is \\{", found.start())
    parts.append(Literal(snippet.text[position:]))
    return [part for part in parts if part != Literal("")]


def _value(name: str, place: Place) -> Variable | Key | PersonId:
    kind, colon, rest = name.partition(":")
    if colon and kind == "t" and rest.strip():
        return Key(rest.strip(), place)
    if colon and kind == "id" and rest.strip():
        return PersonId(rest.strip(), place)
    if name.isidentifier():
        return Variable(name, place)
    message = f"expected {{name}}, {{t:key}} or {{id:person}}, not {{{name}}}; a literal brace is \\{{"
    raise Wrong(place, message)


def _regex(snippet: Snippet, found: re.Match[str]) -> Regex:
    body, start = found["body"], found.start("body")
    parts: list[Part] = []
    position = 0
    for value in _REGEX_NAME.finditer(body):
        parts.append(Literal(body[position : value.start()]))
        parts.append(_value(value["name"], snippet.at(start + value.start())))
        position = value.end()
    parts.append(Literal(body[position:]))
    try:
        groups = re.compile(_REGEX_NAME.sub("x", body)).groupindex
    except re.error as error:
        raise snippet.wrong(f"this is no regular expression: {error.msg}", start + (error.pos or 0)) from None
    return Regex(found.group(), tuple(parts), tuple(groups), ignore_case=bool(found["flag"]))
