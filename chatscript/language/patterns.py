"""The words of a script: texts with holes, regexes, keyboards, and their places in the file."""

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
    """Words that stand for themselves."""

    text: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`...`: any text, none included."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`{name}`: a value of the case or of an earlier capture; in an expectation an unknown one captures."""

    name: str
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class BotTextKey:
    """`{t:key}`: a sentence of the bot's own catalogue, in the person's language."""

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
    """A text with its wildcards and values; `source` is how the script writes it."""

    source: str
    parts: tuple[PatternPart, ...]


@dataclass(frozen=True, slots=True)
class RegexPattern:
    """`/pattern/`: searched for anywhere in the folded text; its named groups become variables."""

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
    """`[*]`: one or more buttons, whatever they are."""


@dataclass(frozen=True, slots=True)
class KeyboardPattern:
    """The rows of buttons that a message must have, exactly; no rows means no buttons at all."""

    rows: tuple[tuple[ButtonPattern | AnyButtons, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """What an expected message holds. `kind` is `text`, `photo`, `document` or another word of the chat."""

    kind: str
    text: ExpectedText
    keyboard: KeyboardPattern = KeyboardPattern()
    qr: TextPattern | None = None
    file: TextPattern | None = None
