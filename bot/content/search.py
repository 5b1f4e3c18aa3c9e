"""Finds the FAQ topics that a text asks about, as a pure function of the text and the entries.

A phrase is a topic's title or one of its keywords. A topic's score is the part of the text that its phrases cover. A
long phrase also matches when it is mistyped; of a keyword `a + b` both parts must occur. The phrases of all languages
are searched in every chat. The text is not stored.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.content.topics import Entry

MAX_RESULTS = 3
_LONGEST = 200
_MIN_SIMILARITY = 86
"""The similarity of a mistyped phrase, in percent."""
_MIN_FUZZY_LENGTH, _MIN_FUZZY_LENGTH_HANZI = 9, 6
"""The characters that a phrase needs to match mistyped."""
_MIN_LENGTH_RATIO = 0.75
"""A text must have this part of the length of a mistyped phrase, because one common word is not a question."""
_MIN_SCORE_RATIO = 0.6
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_IS_HAN = re.compile(f"[{_HAN}]")
_NO_WORD = re.compile(r"[\W_]+")
_SPACE_BY_HAN = re.compile(f"(?<=[{_HAN}]) | (?=[{_HAN}])")
_TRADITIONAL_TABLE = Path(__file__).with_name("traditional.txt")

MatchSpan = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase of a topic; it matches when all its parts occur in the text."""

    topic: str
    parts: tuple[str, ...]


class TopicSearch:
    """Finds topics; built once from all entries."""

    def __init__(self, topics: Mapping[str, Sequence[Entry]]) -> None:
        entries = [entry for language in topics.values() for entry in language]
        self._order = list(dict.fromkeys(entry.id for entry in entries))
        written = [(entry.id, words) for entry in entries for words in (entry.title, *entry.keywords)]
        self._phrases = [_Phrase(topic, tuple(map(normalize, words.split("+")))) for topic, words in written]
        whole = [(phrase.topic, phrase.parts[0]) for phrase in self._phrases if len(phrase.parts) == 1]
        self._fuzzy_topics = [topic for topic, words in whole if _may_be_mistyped(words)]
        self._fuzzy_phrases = [words for _, words in whole if _may_be_mistyped(words)]

    def topics(self, text: str) -> tuple[str, ...]:
        """The ids of the topics that answer a text, at most three, best first. A topic's id finds that topic alone."""
        if text in self._order:
            return (text,)
        question = normalize(text)
        spans: dict[str, list[MatchSpan]] = {}
        for topic, span in (*self._exact_matches(question), *self._fuzzy_matches(question)):
            spans.setdefault(topic, []).append(span)
        scores = {topic: _coverage(question, spans[topic]) for topic in self._order if topic in spans}
        best = max(scores.values(), default=0)
        ranked = sorted(scores, key=lambda topic: -scores[topic])
        return tuple(topic for topic in ranked if scores[topic] >= best * _MIN_SCORE_RATIO)[:MAX_RESULTS]

    def _exact_matches(self, question: str) -> Iterator[tuple[str, MatchSpan]]:
        for phrase in self._phrases:
            # Most phrases do not occur, and `in` is faster than a regular expression.
            if all(part in question for part in phrase.parts):
                found = [match for part in phrase.parts if (match := _phrase_pattern(part).search(question))]
                if len(found) == len(phrase.parts):
                    yield from ((phrase.topic, (*match.span(), 1.0)) for match in found)

    def _fuzzy_matches(self, question: str) -> Iterator[tuple[str, MatchSpan]]:
        # Its libraries are large, and the first question comes long after the start.
        from rapidfuzz import fuzz, process

        alike = process.extract(
            question,
            self._fuzzy_phrases,
            scorer=fuzz.partial_ratio,
            processor=None,
            score_cutoff=_MIN_SIMILARITY,
            limit=None,
        )
        for words, _, place in alike:
            near = fuzz.partial_ratio_alignment(words, question)
            if near is not None and len(question) >= len(words) * _MIN_LENGTH_RATIO:
                yield self._fuzzy_topics[place], (near.dest_start, near.dest_end, near.score / 100)


@cache
def _simplified() -> dict[int, int]:
    """The table from traditional to simplified characters, for questions from Hong Kong, Macau and Taiwan."""
    rows = [line.split() for line in _TRADITIONAL_TABLE.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    return str.maketrans("".join(old for old, _ in rows), "".join(new for _, new in rows))


def simplify(text: str) -> str:
    """A text with simplified characters in place of traditional ones."""
    return text.translate(_simplified())


def normalize(text: str) -> str:
    """A text reduced to what is compared: case-folded words of letters and digits, simplified hanzi without spaces."""
    plain = simplify(unicodedata.normalize("NFKC", text[:_LONGEST]).casefold())
    words = _NO_WORD.sub(" ", plain).strip()
    return _SPACE_BY_HAN.sub("", words)[:_LONGEST]


@cache
def _phrase_pattern(text: str) -> re.Pattern[str]:
    """The pattern of a phrase: from the beginning of a word, so that "fail" finds "failed"; numbers match whole."""
    before = "(?<![a-z0-9])" if re.match("[a-z0-9]", text) else ""
    after = "(?![0-9])" if re.search("[0-9]$", text) else ""
    return re.compile(before + re.escape(text) + after)


def _may_be_mistyped(words: str) -> bool:
    if any(character.isdigit() for character in words):
        return False
    return len(words) >= (_MIN_FUZZY_LENGTH_HANZI if _IS_HAN.search(words) else _MIN_FUZZY_LENGTH)


def _coverage(question: str, spans: Iterable[MatchSpan]) -> float:
    """How much of the text the spans cover; a hanzi counts as two letters."""
    best = [0.0] * len(question)
    for start, end, likeness in spans:
        best[start:end] = (max(known, likeness) for known in best[start:end])
    return sum(
        likeness * (2 if _IS_HAN.match(character) else 1) for likeness, character in zip(best, question, strict=True)
    )
