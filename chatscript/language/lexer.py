"""Reads the parts inside a script line: wildcards, values, regular expressions, keyboards.

A backslash makes the next punctuation mark literal. `{2}` inside a regular expression is a repetition.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from chatscript.language.patterns import (
    AnyButtons,
    BotTextKey,
    ButtonPattern,
    ExpectedText,
    KeyboardPattern,
    LiteralText,
    PatternPart,
    PersonId,
    RegexPattern,
    SourceLocation,
    TextPattern,
    Variable,
    Wildcard,
)


class SyntaxProblem(Exception):
    """A mistake in a script: where it is, and what is expected there."""

    def __init__(self, location: SourceLocation, message: str) -> None:
        super().__init__(location, message)
        self.location = location
        self.message = message

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SyntaxProblem) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """A part of a line, with its location."""

    text: str
    location: SourceLocation

    def subspan(self, start: int, end: int | None = None) -> SourceSpan:
        """Return a part of the span without the spaces around it."""
        raw = self.text[start:end]
        lead = len(raw) - len(raw.lstrip())
        return SourceSpan(raw.strip(), self.location_at(start + lead))

    def location_at(self, offset: int) -> SourceLocation:
        """Return the location `offset` characters after the start."""
        return SourceLocation(self.location.file, self.location.line, self.location.column + offset)

    def problem(self, message: str, offset: int = 0) -> SyntaxProblem:
        """Return a problem that points to `offset` characters after the start."""
        return SyntaxProblem(self.location_at(offset), message)


def display_width(text: str) -> int:
    """Return the number of columns that a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


_WORD = re.compile(r"\\(?P<escaped>[^\w\s])|(?P<wild>\.{3})|\{(?P<name>[^{}]*)\}|(?P<open>\{)")
_REGEX_NAME = re.compile(r"(?<!\\)\{(?P<name>[^\W\d][^{}]*)\}")
_REGEX = re.compile(r"/(?P<body>(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\])+)/(?P<flag>i?)(?=\s|$)")
_LABEL = r"\[(?:\\.|[^\[\]\\])*\]"
_KEYBOARD = re.compile(rf"(?:^|\s+)({_LABEL}(?:\s*/\s*{_LABEL}|\s*{_LABEL})*)\s*$")
_ONE_LABEL = re.compile(_LABEL)
_ARROW = re.compile(r"\s->\s*")


def parse_text(span: SourceSpan, *, wild: bool = True) -> TextPattern:
    """Parse a text. With `wild` off, `...` is literal. Raises `SyntaxProblem`."""
    return TextPattern(span.text, tuple(_parse_parts(span, wild=wild)))


def join_lines(lines: list[TextPattern]) -> TextPattern:
    """Join the lines of one text."""
    parts: list[PatternPart] = []
    for number, line in enumerate(lines):
        if number:
            parts.append(LiteralText("\n"))
        parts.extend(line.parts)
    return TextPattern("\n".join(line.source for line in lines), tuple(parts))


def parse_expected_text(span: SourceSpan) -> ExpectedText:
    """Parse an expected text, which may be one regular expression. Raises `SyntaxProblem`."""
    found = _REGEX.fullmatch(span.text)
    return _parse_regex(span, found) if found else parse_text(span)


def parse_text_and_keyboard(lines: list[SourceSpan]) -> tuple[ExpectedText, KeyboardPattern]:
    """Parse the lines of a message; buttons may follow the last line. Raises `SyntaxProblem`."""
    first, keyboard = lines[0], KeyboardPattern()
    found = _REGEX.match(first.text) if len(lines) == 1 else None
    if found:
        rest = first.subspan(found.end())
        if not rest.text:
            return _parse_regex(first, found), keyboard
        if _KEYBOARD.fullmatch(rest.text):
            return _parse_regex(first, found), parse_keyboard(rest)
    last = lines[-1]
    if tail := _KEYBOARD.search(last.text):
        keyboard = parse_keyboard(last.subspan(tail.start(1)))
        lines = [*lines[:-1], last.subspan(0, tail.start())]
    return join_lines([parse_text(line) for line in lines]), keyboard


def parse_keyboard(span: SourceSpan) -> KeyboardPattern:
    """Parse `[A] [B] / [C -> address]`. Raises `SyntaxProblem`."""
    rows: list[list[ButtonPattern | AnyButtons]] = [[]]
    position = 0
    for found in _ONE_LABEL.finditer(span.text):
        if "/" in span.text[position : found.start()]:
            rows.append([])
        rows[-1].append(_parse_button(span.subspan(found.start() + 1, found.end() - 1)))
        position = found.end()
    if span.text[position:].strip():
        raise span.problem("expected buttons: [A] [B], with / between rows", position)
    return KeyboardPattern(tuple(tuple(row) for row in rows))


def is_keyboard(line: str) -> bool:
    """Return whether a line has only buttons."""
    return _KEYBOARD.fullmatch(line) is not None


def _parse_button(inside: SourceSpan) -> ButtonPattern | AnyButtons:
    if inside.text == "*":
        return AnyButtons()
    if not inside.text:
        raise inside.problem("expected a label between [ and ]; [*] stands for any buttons")
    arrow = _ARROW.search(inside.text)
    if arrow is None:
        return ButtonPattern(parse_text(inside))
    return ButtonPattern(parse_text(inside.subspan(0, arrow.start())), parse_text(inside.subspan(arrow.end())))


def _parse_parts(span: SourceSpan, *, wild: bool) -> list[PatternPart]:
    parts: list[PatternPart] = []
    position = 0
    for found in _WORD.finditer(span.text):
        parts.append(LiteralText(span.text[position : found.start()]))
        position = found.end()
        match found.lastgroup:
            case "escaped":
                parts.append(LiteralText(found["escaped"]))
            case "wild":
                parts.append(Wildcard() if wild else LiteralText("..."))
            case "name":
                parts.append(_parse_placeholder(found["name"], span.location_at(found.start())))
            case _:
                raise span.problem("expected a name and } after {; a literal brace is \\{", found.start())
    parts.append(LiteralText(span.text[position:]))
    return [part for part in parts if part != LiteralText("")]


def _parse_placeholder(name: str, location: SourceLocation) -> Variable | BotTextKey | PersonId:
    kind, colon, rest = name.partition(":")
    if colon and kind == "t" and rest.strip():
        return BotTextKey(rest.strip(), location)
    if colon and kind == "id" and rest.strip():
        return PersonId(rest.strip(), location)
    if name.isidentifier():
        return Variable(name, location)
    message = f"expected {{name}}, {{t:key}} or {{id:person}}, not {{{name}}}; a literal brace is \\{{"
    raise SyntaxProblem(location, message)


def _parse_regex(span: SourceSpan, found: re.Match[str]) -> RegexPattern:
    body, start = found["body"], found.start("body")
    parts: list[PatternPart] = []
    position = 0
    for value in _REGEX_NAME.finditer(body):
        parts.append(LiteralText(body[position : value.start()]))
        parts.append(_parse_placeholder(value["name"], span.location_at(start + value.start())))
        position = value.end()
    parts.append(LiteralText(body[position:]))
    try:
        groups = re.compile(_REGEX_NAME.sub("x", body)).groupindex
    except re.error as error:
        raise span.problem(f"this is not a regular expression: {error.msg}", start + (error.pos or 0)) from None
    return RegexPattern(found.group(), tuple(parts), tuple(groups), ignore_case=bool(found["flag"]))
