"""Compares the texts of a script with the texts of a chat.

White space is collapsed first. An unknown value captures the text in its place; captures take effect only when the
whole line matches.
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
_EXCERPT_LENGTH = 20


@dataclass(slots=True)
class MatchContext:
    """What the parts of a pattern stand for now: values, ids of people, the texts of the current language."""

    values: Captures
    people: Mapping[str, int] = field(default_factory=dict)
    bot_texts: BotTexts = field(default_factory=BotTexts)
    language: str = "zh"

    def render(self, text: TextPattern) -> str:
        """Return the text that a person types for a pattern."""
        return "".join(self._render_part(part) for part in text.parts)

    def match(self, expected: ExpectedText, actual: str, *, known: Mapping[str, str] | None = None) -> Captures | None:
        """Return what the expected text captures from the actual one, or None when they differ.

        `known` are captures of the same line.
        """
        builder = _RegexBuilder(self, known or {})
        pattern = builder.regex(expected) if isinstance(expected, RegexPattern) else builder.whole(expected)
        collapsed = collapse_spaces(actual)
        found = pattern.search(collapsed) if isinstance(expected, RegexPattern) else pattern.fullmatch(collapsed)
        if found is None:
            return None
        named = {name: found[name] for name in builder.groups if found[name] is not None}
        return {builder.groups[name]: value for name, value in named.items()}

    def label_matches(self, label: TextPattern, actual: str) -> bool:
        """Compare labels. The pattern may leave out emoji and spaces at the ends of the label."""
        return self.match(label, actual) is not None or self.match(label, strip_emoji(actual)) is not None

    def pieces(self, text: TextPattern) -> list[Piece]:
        """Return a pattern as texts, wildcards and unknown variables, without spaces next to wildcards."""
        joined: list[Piece] = []
        for piece in (piece for part in text.parts for piece in self.expand(part)):
            if isinstance(piece, str) and joined and isinstance(joined[-1], str):
                joined[-1] += piece
            else:
                joined.append(piece)
        edges = [Wildcard(), *joined, Wildcard()]
        return [_trim_beside_wildcards(piece, edges[at], edges[at + 2]) for at, piece in enumerate(joined)]

    def describe_difference(self, text: TextPattern, actual: str) -> str:
        """Describe where an actual text starts to differ from the expected one."""
        collapsed, pieces = collapse_spaces(actual), self.pieces(text)
        whole = "".join(piece if isinstance(piece, str) else "\0" for piece in pieces)
        matching = bisect_left(
            range(len(whole)), x=True, key=lambda n: _wildcard_regex(whole[: n + 1]).match(collapsed) is None
        )
        prefix = _wildcard_regex(whole[:matching]).match(collapsed)
        got = collapsed[prefix.end() :] if prefix else collapsed
        rest = whole[matching:].replace("\0", "...")
        after = whole[:matching].replace("\0", "...")[-_EXCERPT_LENGTH:]
        return f"{f'after {after!r} ' if after else ''}expected {_excerpt(rest)}, got {_excerpt(got)}"

    def expand(self, part: PatternPart) -> Sequence[Piece]:
        """Return what a part stands for; an unknown variable stays as it is."""
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

    def _render_part(self, part: PatternPart) -> str:
        return "".join(piece for piece in self.expand(part) if isinstance(piece, str))


class _RegexBuilder:
    """Builds a regular expression and records which variable each of its groups captures."""

    def __init__(self, scope: MatchContext, known: Mapping[str, str]) -> None:
        self.groups: dict[str, str] = {}
        self._scope = scope
        self._known = known

    def whole(self, text: TextPattern) -> re.Pattern[str]:
        return _compiled("".join(map(self._piece, self._scope.pieces(text))))

    def regex(self, regex: RegexPattern) -> re.Pattern[str]:
        parts = [part.text if isinstance(part, LiteralText) else self._value(part) for part in regex.parts]
        self.groups |= {name: name for name in regex.groups}
        return re.compile("".join(parts), re.IGNORECASE if regex.ignore_case else re.NOFLAG)

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
        same = next((group for group, name in self.groups.items() if name == piece.name), None)
        if same:
            return f"(?P={same})"
        group = f"value{len(self.groups)}_"
        self.groups[group] = piece.name
        return f"(?P<{group}>.+?)"


# A recording matches every text of the bot against every message; the cache of `re` is smaller.
@lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _wildcard_regex(text: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, text.split("\0"))), re.DOTALL)


def _excerpt(text: str) -> str:
    return "the end" if not text else repr(text if len(text) <= _EXCERPT_LENGTH else f"{text[:_EXCERPT_LENGTH]}…")


def _trim_beside_wildcards(piece: Piece, before: object, after: object) -> Piece:
    if not isinstance(piece, str):
        return piece
    text = re.sub(r"\s+", " ", piece)
    text = text.lstrip() if isinstance(before, Wildcard) else text
    return text.rstrip() if isinstance(after, Wildcard) else text


def collapse_spaces(text: str) -> str:
    """Replace each run of white space by one space."""
    return re.sub(r"\s+", " ", text).strip()


_KEYCAP = re.compile(r"[0-9#*]\ufe0f?\u20e3")
_EDGE_CATEGORIES = frozenset({"So", "Sm", "Sk", "Cf", "Mn", "Me", "Zs"})


def strip_emoji(label: str) -> str:
    """Remove emoji and spaces at the ends of a label."""
    label = _KEYCAP.sub("\ufe0f", label)
    start, end = 0, len(label)
    while start < end and unicodedata.category(label[start]) in _EDGE_CATEGORIES:
        start += 1
    while end > start and unicodedata.category(label[end - 1]) in _EDGE_CATEGORIES:
        end -= 1
    return collapse_spaces(label[start:end])
