"""Compares what a script expects with what a chat shows.

Texts are compared whole after folding white space. A value that is not known yet captures what stands in its place;
captures count only when everything on the line matches.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.catalogue import Catalogue
from playground.chat import Key as ChatKey
from playground.chat import Message, Rows
from playground.words import (
    AnyButtons,
    Button,
    Content,
    Key,
    Keyboard,
    Literal,
    Part,
    PersonId,
    Regex,
    Text,
    Variable,
    Wanted,
    Wild,
)

Captures = dict[str, str]


@dataclass(slots=True)
class Scope:
    """What the words of a script mean at this moment: values, people, the language of `{t:}`."""

    values: Captures
    people: Mapping[str, int] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue)
    language: str = "zh"

    def fill(self, text: Text) -> str:
        """Write out a text that a person types."""
        return "".join(self._word(part) for part in text.parts)

    def match(self, wanted: Wanted, actual: str, *, known: Mapping[str, str] | None = None) -> Captures | None:
        """Return what an expected text captures from an actual one, or None when they differ."""
        builder = _Pattern(self, known or {})
        pattern = builder.regex(wanted) if isinstance(wanted, Regex) else builder.whole(wanted)
        folded = fold(actual)
        found = pattern.search(folded) if isinstance(wanted, Regex) else pattern.fullmatch(folded)
        if found is None:
            return None
        named = {name: found[name] for name in builder.groups if found[name] is not None}
        return {builder.groups[name]: value for name, value in named.items()}

    def label_fits(self, label: Text, actual: str) -> bool:
        """Compare labels; emoji and spaces at the edges of the actual one may be left out."""
        return self.match(label, actual) is not None or self.match(label, bare(actual)) is not None

    def expand(self, part: Part) -> Sequence[str | Wild | Variable]:
        """Replace a part by what it stands for; an unknown variable stays."""
        match part:
            case Literal(text=text):
                return [text]
            case Key(name=name):
                sentence = self.catalogue.sentence(self.language, name)
                return [piece.text if isinstance(piece, Literal) else piece for piece in sentence]
            case PersonId(person=person):
                return [str(self.people[person])]
            case Variable(name=name) if name in self.values:
                return [self.values[name]]
            case _:
                return [part]

    def _word(self, part: Part) -> str:
        return "".join(piece for piece in self.expand(part) if isinstance(piece, str))


class _Pattern:
    """A regular expression in the making, with the variables that its groups capture."""

    def __init__(self, scope: Scope, known: Mapping[str, str]) -> None:
        self.groups: dict[str, str] = {}
        self._scope = scope
        self._known = known

    def whole(self, text: Text) -> re.Pattern[str]:
        pieces: list[str | Wild | Variable] = []
        for piece in (piece for part in text.parts for piece in self._scope.expand(part)):
            if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += piece
            else:
                pieces.append(piece)
        edges = [Wild(), *pieces, Wild()]
        made = [self._piece(piece, edges[at], edges[at + 2]) for at, piece in enumerate(pieces)]
        return re.compile("".join(made), re.DOTALL)

    def regex(self, regex: Regex) -> re.Pattern[str]:
        made = [part.text if isinstance(part, Literal) else self._value(part) for part in regex.parts]
        self.groups |= {name: name for name in regex.groups}
        return re.compile("".join(made), re.IGNORECASE if regex.ignore_case else re.NOFLAG)

    def _piece(self, piece: str | Wild | Variable, before: object, after: object) -> str:
        if not isinstance(piece, str):
            return self._open(piece)
        words = re.sub(r"\s+", " ", piece)
        words = words.lstrip() if isinstance(before, Wild) else words
        return re.escape(words.rstrip() if isinstance(after, Wild) else words)

    def _value(self, part: Part) -> str:
        pieces = self._scope.expand(part)
        return "".join(re.escape(fold(piece)) if isinstance(piece, str) else self._open(piece) for piece in pieces)

    def _open(self, piece: Wild | Variable) -> str:
        if isinstance(piece, Wild):
            return ".*?"
        if piece.name in self._known:
            return re.escape(self._known[piece.name])
        again = next((group for group, name in self.groups.items() if name == piece.name), None)
        if again:
            return f"(?P={again})"
        group = f"value{len(self.groups)}_"
        self.groups[group] = piece.name
        return f"(?P<{group}>.+?)"


def fold(text: str) -> str:
    """Make one space of any white space."""
    return re.sub(r"\s+", " ", text).strip()


_KEYCAP = re.compile(r"[0-9#*]\ufe0f?\u20e3")
_ORNAMENTS = frozenset({"So", "Sm", "Sk", "Cf", "Mn", "Me", "Zs"})


def bare(label: str) -> str:
    """Take emoji and spaces off the edges of a label."""
    label = _KEYCAP.sub("\ufe0f", label)
    start, end = 0, len(label)
    while start < end and unicodedata.category(label[start]) in _ORNAMENTS:
        start += 1
    while end > start and unicodedata.category(label[end - 1]) in _ORNAMENTS:
        end -= 1
    return fold(label[start:end])


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome for a message: what differs, in words, and what was captured if nothing does."""

    differences: tuple[str, ...]
    captures: Captures


def compare(
    content: Content, message: Message, scope: Scope, *, qr: str | None = None, buttons: bool = True
) -> Compared:
    """Compare a message with what the script says of it."""
    captures: Captures = {}
    differences = [] if content.kind == message.kind else [f"it is a {message.kind}, not a {content.kind}"]
    for what, wanted, actual in (
        ("the text differs", content.text, message.text),
        ("the QR code differs", content.qr, qr),
        ("the file's name differs", content.file, message.file),
    ):
        if wanted is not None:
            found = None if actual is None else scope.match(wanted, actual, known=captures)
            captures |= found or {}
            differences += [what] if found is None else []
    if buttons:
        found = keyboard_captures(content.keyboard, message.rows, scope)
        captures |= found or {}
        differences += [_keyboard_difference(content.keyboard, message.rows)] if found is None else []
    return Compared(tuple(differences), captures)


def _keyboard_difference(keyboard: Keyboard, rows: Rows) -> str:
    if not keyboard.rows:
        return "it has buttons that the script does not mention ([*] stands for any)"
    return "the buttons differ" if rows else "it has no buttons"


Expected = Button | AnyButtons | None
Actual = ChatKey | None


def keyboard_captures(keyboard: Keyboard, rows: Rows, scope: Scope) -> Captures | None:
    """Return what the addresses of a keyboard capture, or None when it differs."""
    expected: list[Expected] = [item for row in keyboard.rows for item in (*row, None)]
    actual: list[Actual] = [item for row in rows for item in (*row, None)]
    return _keys(expected, actual, scope)


def _keys(expected: Sequence[Expected], actual: Sequence[Actual], scope: Scope) -> Captures | None:
    """Match buttons one by one; None among them ends a row."""
    if not expected or not actual:
        return {} if not expected and not actual else None
    first, rest = expected[0], expected[1:]
    if isinstance(first, AnyButtons):
        tails = (_keys(rest, actual[taken:], scope) for taken in range(1, len(actual)) if actual[taken - 1])
        return next((tail for tail in tails if tail is not None), None)
    if first is None or actual[0] is None:
        ended_together = first is None and actual[0] is None
        return _keys(rest, actual[1:], scope) if ended_together else None
    here = _key(first, actual[0], scope)
    tail = None if here is None else _keys(rest, actual[1:], scope)
    return None if here is None or tail is None else here | tail


def _key(button: Button, key: ChatKey, scope: Scope) -> Captures | None:
    if not scope.label_fits(button.label, key.label):
        return None
    return {} if button.target is None else scope.match(button.target, key.target)
