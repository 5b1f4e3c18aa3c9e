"""Compares what a script expects with what a chat shows.

Texts are compared whole after folding white space. A value that is not known yet captures what stands in its place;
captures count only when everything on the line matches.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from chatscript.language.bot_texts import BotTexts
from chatscript.language.patterns import (
    BotTextKey,
    ExpectedText,
    LiteralText,
    PatternPart,
    PersonId,
    RegexPattern,
    TextPattern,
    Variable,
    Wildcard,
)

Captures = dict[str, str]
Piece = str | Wildcard | Variable
_SHOWN = 20


@dataclass(slots=True)
class MatchContext:
    """What the words of a script mean at this moment: values, people, the language of `{t:}`."""

    values: Captures
    people: Mapping[str, int] = field(default_factory=dict)
    bot_texts: BotTexts = field(default_factory=BotTexts)
    language: str = "zh"

    def render(self, text: TextPattern) -> str:
        """Write out a text that a person types."""
        return "".join(self._word(part) for part in text.parts)

    def match(self, wanted: ExpectedText, actual: str, *, known: Mapping[str, str] | None = None) -> Captures | None:
        """Return what an expected text captures from an actual one, or None when they differ."""
        builder = _RegexBuilder(self, known or {})
        pattern = builder.regex(wanted) if isinstance(wanted, RegexPattern) else builder.whole(wanted)
        folded = collapse_spaces(actual)
        found = pattern.search(folded) if isinstance(wanted, RegexPattern) else pattern.fullmatch(folded)
        if found is None:
            return None
        named = {name: found[name] for name in builder.groups if found[name] is not None}
        return {builder.groups[name]: value for name, value in named.items()}

    def label_matches(self, label: TextPattern, actual: str) -> bool:
        """Compare labels; emoji and spaces at the edges of the actual one may be left out."""
        return self.match(label, actual) is not None or self.match(label, strip_emoji(actual)) is not None

    def pieces(self, text: TextPattern) -> list[Piece]:
        """Lay out an expected text: folded words, holes between them, no spaces beside wildcards."""
        joined: list[Piece] = []
        for piece in (piece for part in text.parts for piece in self.expand(part)):
            if isinstance(piece, str) and joined and isinstance(joined[-1], str):
                joined[-1] += piece
            else:
                joined.append(piece)
        edges = [Wildcard(), *joined, Wildcard()]
        return [_trim_beside_wildcards(piece, edges[at], edges[at + 2]) for at, piece in enumerate(joined)]

    def describe_difference(self, text: TextPattern, actual: str) -> str:
        """Tell in words where an actual text leaves an expected one."""
        folded, pieces = collapse_spaces(actual), self.pieces(text)
        whole = "".join(piece if isinstance(piece, str) else "\0" for piece in pieces)
        fitting = bisect_left(
            range(len(whole)), x=True, key=lambda n: _wildcard_regex(whole[: n + 1]).match(folded) is None
        )
        begun = _wildcard_regex(whole[:fitting]).match(folded)
        got = folded[begun.end() :] if begun else folded
        wanted = whole[fitting:].replace("\0", "...")
        after = whole[:fitting].replace("\0", "...")[-_SHOWN:]
        return f"{f'after {after!r} ' if after else ''}expected {_excerpt(wanted)}, got {_excerpt(got)}"

    def expand(self, part: PatternPart) -> Sequence[Piece]:
        """Replace a part by what it stands for; an unknown variable stays."""
        match part:
            case LiteralText(text=text):
                return [text]
            case BotTextKey(name=name):
                sentence = self.bot_texts.sentence(self.language, name)
                return [piece.text if isinstance(piece, LiteralText) else piece for piece in sentence]
            case PersonId(person=person):
                return [str(self.people[person])]
            case Variable(name=name) if name in self.values:
                return [self.values[name]]
            case _:
                return [part]

    def _word(self, part: PatternPart) -> str:
        return "".join(piece for piece in self.expand(part) if isinstance(piece, str))


class _RegexBuilder:
    """A regular expression in the making, with the variables that its groups capture."""

    def __init__(self, scope: MatchContext, known: Mapping[str, str]) -> None:
        self.groups: dict[str, str] = {}
        self._scope = scope
        self._known = known

    def whole(self, text: TextPattern) -> re.Pattern[str]:
        return _compiled("".join(map(self._piece, self._scope.pieces(text))))

    def regex(self, regex: RegexPattern) -> re.Pattern[str]:
        made = [part.text if isinstance(part, LiteralText) else self._value(part) for part in regex.parts]
        self.groups |= {name: name for name in regex.groups}
        return re.compile("".join(made), re.IGNORECASE if regex.ignore_case else re.NOFLAG)

    def _piece(self, piece: Piece) -> str:
        return re.escape(piece) if isinstance(piece, str) else self._open(piece)

    def _value(self, part: PatternPart) -> str:
        pieces = self._scope.expand(part)
        return "".join(self._piece(collapse_spaces(piece) if isinstance(piece, str) else piece) for piece in pieces)

    def _open(self, piece: Wildcard | Variable) -> str:
        if isinstance(piece, Wildcard):
            return ".*?"
        if piece.name in self._known:
            return re.escape(self._known[piece.name])
        again = next((group for group, name in self.groups.items() if name == piece.name), None)
        if again:
            return f"(?P={again})"
        group = f"value{len(self.groups)}_"
        self.groups[group] = piece.name
        return f"(?P<{group}>.+?)"


# A recording tries every sentence of a catalogue on every message; `re` itself remembers fewer.
@lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _wildcard_regex(text: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, text.split("\0"))), re.DOTALL)


def _excerpt(text: str) -> str:
    return "the end" if not text else repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _trim_beside_wildcards(piece: Piece, before: object, after: object) -> Piece:
    if not isinstance(piece, str):
        return piece
    words = re.sub(r"\s+", " ", piece)
    words = words.lstrip() if isinstance(before, Wildcard) else words
    return words.rstrip() if isinstance(after, Wildcard) else words


def collapse_spaces(text: str) -> str:
    """Make one space of any white space."""
    return re.sub(r"\s+", " ", text).strip()


_KEYCAP = re.compile(r"[0-9#*]\ufe0f?\u20e3")
_EDGE_CATEGORIES = frozenset({"So", "Sm", "Sk", "Cf", "Mn", "Me", "Zs"})


def strip_emoji(label: str) -> str:
    """Take emoji and spaces off the edges of a label."""
    label = _KEYCAP.sub("\ufe0f", label)
    start, end = 0, len(label)
    while start < end and unicodedata.category(label[start]) in _EDGE_CATEGORIES:
        start += 1
    while end > start and unicodedata.category(label[end - 1]) in _EDGE_CATEGORIES:
        end -= 1
    return collapse_spaces(label[start:end])
