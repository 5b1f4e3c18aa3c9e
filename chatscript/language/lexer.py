"""Reads the words inside a script line: wildcards, values, regexes, keyboards.

A backslash takes the next punctuation mark literally. `{2}` inside a regex stays a repetition.
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
    """Something in a script that cannot be read, with its place and what was expected there."""

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
    """A piece of a line that knows where it stands."""

    text: str
    location: SourceLocation

    def subspan(self, start: int, end: int | None = None) -> SourceSpan:
        """Take a part of it, without the spaces around."""
        raw = self.text[start:end]
        lead = len(raw) - len(raw.lstrip())
        return SourceSpan(raw.strip(), self.location_at(start + lead))

    def location_at(self, offset: int) -> SourceLocation:
        """Name the place that many characters further on."""
        return SourceLocation(self.location.file, self.location.line, self.location.column + offset)

    def problem(self, message: str, offset: int = 0) -> SyntaxProblem:
        """Make the error that points into this piece."""
        return SyntaxProblem(self.location_at(offset), message)


def display_width(words: str) -> int:
    """Count the columns that a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in words)


_WORD = re.compile(r"\\(?P<escaped>[^\w\s])|(?P<wild>\.{3})|\{(?P<name>[^{}]*)\}|(?P<open>\{)")
_REGEX_NAME = re.compile(r"(?<!\\)\{(?P<name>[^\W\d][^{}]*)\}")
_REGEX = re.compile(r"/(?P<body>(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+)/(?P<flag>i?)(?=\s|$)")
_LABEL = r"\[(?:\\.|[^\[\]\\])*\]"
_KEYBOARD = re.compile(rf"(?:^|\s+)({_LABEL}(?:\s*/\s*{_LABEL}|\s*{_LABEL})*)\s*$")
_ONE_LABEL = re.compile(_LABEL)
_ARROW = re.compile(r"\s->\s*")


def parse_text(snippet: SourceSpan, *, wild: bool = True) -> TextPattern:
    """Read a text; with `wild` off, `...` stands for itself."""
    return TextPattern(snippet.text, tuple(_parse_parts(snippet, wild=wild)))


def join_lines(lines: list[TextPattern]) -> TextPattern:
    """Put the lines of one text together."""
    parts: list[PatternPart] = []
    for number, line in enumerate(lines):
        if number:
            parts.append(LiteralText("\n"))
        parts.extend(line.parts)
    return TextPattern("\n".join(line.source for line in lines), tuple(parts))


def parse_expected_text(snippet: SourceSpan) -> ExpectedText:
    """Read an expected text that may be a regex as a whole."""
    found = _REGEX.fullmatch(snippet.text)
    return _parse_regex(snippet, found) if found else parse_text(snippet)


def parse_text_and_keyboard(lines: list[SourceSpan]) -> tuple[ExpectedText, KeyboardPattern]:
    """Read the lines of a message; the buttons stand behind the last one."""
    head, rows = lines[0], KeyboardPattern()
    found = _REGEX.match(head.text) if len(lines) == 1 else None
    if found:
        rest = head.subspan(found.end())
        if not rest.text:
            return _parse_regex(head, found), rows
        if _KEYBOARD.fullmatch(rest.text):
            return _parse_regex(head, found), parse_keyboard(rest)
    last = lines[-1]
    if tail := _KEYBOARD.search(last.text):
        rows = parse_keyboard(last.subspan(tail.start(1)))
        lines = [*lines[:-1], last.subspan(0, tail.start())]
    return join_lines([parse_text(line) for line in lines]), rows


def parse_keyboard(snippet: SourceSpan) -> KeyboardPattern:
    """Read `[A] [B] / [C -> address]`."""
    rows: list[list[ButtonPattern | AnyButtons]] = [[]]
    position = 0
    for found in _ONE_LABEL.finditer(snippet.text):
        if "/" in snippet.text[position : found.start()]:
            rows.append([])
        rows[-1].append(_parse_button(snippet.subspan(found.start() + 1, found.end() - 1)))
        position = found.end()
    if snippet.text[position:].strip():
        raise snippet.problem("expected buttons: [A] [B], with / between rows", position)
    return KeyboardPattern(tuple(tuple(row) for row in rows))


def is_keyboard(line: str) -> bool:
    """Tell whether a line holds buttons only."""
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


def _parse_parts(snippet: SourceSpan, *, wild: bool) -> list[PatternPart]:
    parts: list[PatternPart] = []
    position = 0
    for found in _WORD.finditer(snippet.text):
        parts.append(LiteralText(snippet.text[position : found.start()]))
        position = found.end()
        match found.lastgroup:
            case "escaped":
                parts.append(LiteralText(found["escaped"]))
            case "wild":
                parts.append(Wildcard() if wild else LiteralText("..."))
            case "name":
                parts.append(_parse_placeholder(found["name"], snippet.location_at(found.start())))
            case _:
                raise snippet.problem("expected a name and } after {; a literal brace is \\{", found.start())
    parts.append(LiteralText(snippet.text[position:]))
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


def _parse_regex(snippet: SourceSpan, found: re.Match[str]) -> RegexPattern:
    body, start = found["body"], found.start("body")
    parts: list[PatternPart] = []
    position = 0
    for value in _REGEX_NAME.finditer(body):
        parts.append(LiteralText(body[position : value.start()]))
        parts.append(_parse_placeholder(value["name"], snippet.location_at(start + value.start())))
        position = value.end()
    parts.append(LiteralText(body[position:]))
    try:
        groups = re.compile(_REGEX_NAME.sub("x", body)).groupindex
    except re.error as error:
        raise snippet.problem(f"this is no regular expression: {error.msg}", start + (error.pos or 0)) from None
    return RegexPattern(found.group(), tuple(parts), tuple(groups), ignore_case=bool(found["flag"]))
