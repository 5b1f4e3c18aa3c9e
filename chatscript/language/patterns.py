"""The patterns of a script: texts with wildcards, regular expressions, keyboards, and their locations in the file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A position in a script file; lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class LiteralText:
    """A literal text."""

    text: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`...`: any text, or none."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`{name}`: a value of the case or of an earlier capture. In an expectation, an unknown name captures a text."""

    name: str
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class BotTextKey:
    """`{t:key}`: a text of the bot, in the person's language."""

    name: str
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class PersonId:
    """`{id:B}`: the Telegram id of a person in this script."""

    person: str
    location: SourceLocation


PatternPart = LiteralText | Wildcard | Variable | BotTextKey | PersonId


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A text with wildcards and values; `source` is the text as the script has it."""

    source: str
    parts: tuple[PatternPart, ...]


@dataclass(frozen=True, slots=True)
class RegexPattern:
    """`/pattern/`: searched anywhere in the text after its white space is collapsed. Named groups become variables."""

    source: str
    parts: tuple[PatternPart, ...]
    groups: tuple[str, ...] = ()
    ignore_case: bool = False


ExpectedText = TextPattern | RegexPattern


@dataclass(frozen=True, slots=True)
class ButtonPattern:
    """One expected button; `target` is the address it opens or the text it copies."""

    label: TextPattern
    target: TextPattern | None = None


@dataclass(frozen=True, slots=True)
class AnyButtons:
    """`[*]`: one or more buttons, with any labels."""


@dataclass(frozen=True, slots=True)
class KeyboardPattern:
    """The exact rows of buttons of a message; no rows means no buttons."""

    rows: tuple[tuple[ButtonPattern | AnyButtons, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """The expected content of a message. `kind` is `text`, `photo`, `document` or another kind of message."""

    kind: str
    text: ExpectedText
    keyboard: KeyboardPattern = KeyboardPattern()
    qr: TextPattern | None = None
    file: TextPattern | None = None
