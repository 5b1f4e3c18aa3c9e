"""Finds the FAQ topics that a text asks about, as a pure function of the text and the entries.

A phrase is a topic's title or one of its keywords. Text and phrases are compared by their n-grams: hanzi and pairs of
hanzi, Latin words without their endings, and triples of letters, which survive a typing mistake. An n-gram weighs the
more, the fewer topics have it (inverse document frequency). The n-grams of the text that a phrase shares count by the
part of the phrase that the text has; a topic's score is their weight, divided by the root of the whole text's weight.
So one telling word is enough in a short question, and a long text needs more. A score below a limit is no answer.

Phrases of other matters (`search.toml`) compete with the topics; when they win, the text has no answer. The phrases of
all languages are searched in every chat. The index is built at the first question. The text is not stored.
docs/decisions/0024 says how the method was chosen; `make bench-faq` measures it.
"""

import difflib
import math
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from bot.content.topics import Entry
from verification.record import Record

MAX_RESULTS = 3
_LONGEST = 200
_MIN_SCORE, _MIN_COVERAGE = 1.4, 0.99
_MIN_SCORE_RATIO = 0.6
"""A further topic needs this part of the best one's score."""
_HANZI_WEIGHT, _PAIR_WEIGHT, _WORD_WEIGHT = 0.7, 1.0, 1.5
"""The weights of the kinds of n-grams."""
_UNKNOWN_RARITY, _RARITY_POWER = 3.0, 0.7
"""The rarity of an n-gram that no phrase has."""
_OTHER = ""
"""The topic of phrases about other matters."""
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_RUN = f"[{_HAN}]+|[^{_HAN} ]+"
_IS_HAN = re.compile(f"[{_HAN}]")
_NO_WORD = re.compile(r"[\W_]+")
_SPACE_BY_HAN = f"(?<=[{_HAN}]) | (?=[{_HAN}])"
_ENDINGS = ("ations", "ation", "ings", "ing", "ied", "ies", "ed", "es", "s", "e")
_SHORTEST_STEM = 3
_SHORTEST_MISTYPED, _MIN_SIMILARITY = 3, 0.85
_TRADITIONAL_TABLE = Path(__file__).with_name("traditional.txt")
_LISTS = Path(__file__).with_name("search.toml")


class TopicSearch:
    """Finds topics by the phrases of all entries."""

    def __init__(self, topics: Mapping[str, Sequence[Entry]]) -> None:
        self._entries = [entry for language in topics.values() for entry in language]
        self._order = list(dict.fromkeys(entry.id for entry in self._entries))

    def topics(self, text: str) -> tuple[str, ...]:
        """The ids of the topics that answer a text, at most three, best first. A topic's id finds that topic alone."""
        if text in self._order:
            return (text,)
        scores = self._index.scores(normalize(text))
        best = max(scores.values(), default=0)
        if best == 0 or scores.get(_OTHER) == best:
            return ()
        found = [topic for topic in self._order if scores.get(topic, 0) >= best * _MIN_SCORE_RATIO]
        return tuple(sorted(found, key=lambda topic: -scores[topic])[:MAX_RESULTS])

    @cached_property
    def _index(self) -> "_Index":
        written = [(entry.id, words) for entry in self._entries for words in (entry.title, *entry.keywords)]
        return _Index([*written, *((_OTHER, words) for words in _lists().other)])


class _Phrase(Record):
    """A phrase of a topic, with its weight; of a keyword `a + b` all `parts` must occur in a text."""

    topic: str
    weight: float
    parts: tuple[str, ...]


class _Index:
    """The phrases by their n-grams."""

    def __init__(self, written: Sequence[tuple[str, str]]) -> None:
        self._places: dict[str, list[int]] = defaultdict(list)
        in_parts = [[normalize(part) for part in words.split("+")] for _, words in written]
        ngrams = [set(_ngrams(" ".join(parts))) for parts in in_parts]
        for place, found in enumerate(ngrams):
            for ngram in found:
                self._places[ngram].append(place)
        topics = len({topic for topic, _ in written})
        self._weights = {
            ngram: _weight_of_kind(ngram)
            * math.log((topics + 1) / len({written[place][0] for place in places})) ** _RARITY_POWER
            for ngram, places in self._places.items()
        }
        self._phrases = [
            _Phrase(topic, sum(map(self._weight, found)), tuple(parts) if len(parts) > 1 else ())
            for (topic, _), parts, found in zip(written, in_parts, ngrams, strict=True)
        ]
        self._words = [ngram for ngram in self._places if not _IS_HAN.match(ngram)]

    def scores(self, question: str) -> Mapping[str, float]:
        """The score of every topic that a normalized text may ask about; empty when it asks about none."""
        weights = {ngram: self._weight(ngram) for ngram in map(self._corrected, _ngrams(question))}
        shares = self._shares(question, weights)
        covered: dict[str, dict[str, float]] = defaultdict(dict)
        for ngram in weights:
            for place in self._places.get(ngram, ()):
                of_topic = covered[self._phrases[place].topic]
                of_topic[ngram] = max(of_topic.get(ngram, 0), shares.get(place, 0))
        whole = sum(weights.values())
        scores = {topic: sum(weights[ngram] * share for ngram, share in of.items()) for topic, of in covered.items()}
        enough = min(_MIN_SCORE * math.sqrt(whole), _MIN_COVERAGE * whole)
        return {topic: score for topic, score in scores.items() if score >= enough}

    def _shares(self, question: str, weights: Mapping[str, float]) -> Mapping[int, float]:
        """How much of each phrase occurs in a question: the root of the part by weight."""
        shared: dict[int, float] = defaultdict(float)
        for ngram, weight in weights.items():
            for place in self._places.get(ngram, ()):
                shared[place] += weight
        return {
            place: math.sqrt(weight / self._phrases[place].weight)
            for place, weight in shared.items()
            if all(part in question for part in self._phrases[place].parts)
        }

    def _weight(self, ngram: str) -> float:
        return self._weights.get(ngram) or _weight_of_kind(ngram) * _UNKNOWN_RARITY

    def _corrected(self, ngram: str) -> str:
        """The known word that a mistyped one is most like, if it is like one."""
        if ngram in self._weights or len(ngram) < _SHORTEST_MISTYPED or _IS_HAN.match(ngram):
            return ngram
        return next(iter(difflib.get_close_matches(ngram, self._words, 1, _MIN_SIMILARITY)), ngram)


class _Lists(Record):
    """What `search.toml` holds."""

    synonym: re.Pattern[str]
    meanings: Mapping[str, str]
    filler: re.Pattern[str]
    words: frozenset[str]
    other: Sequence[str]


@cache
def _lists() -> _Lists:
    lists = tomllib.loads(_LISTS.read_text(encoding="utf-8"))
    meanings = {form: meaning for meaning, forms in lists["synonyms"].items() for form in (meaning, *forms)}
    latin = [form for form in meanings if form.isascii()]
    synonym = f"{_any_of(meanings.keys() - set(latin))}|(?<![a-z0-9]){_any_of(latin)}(?![a-z0-9])"
    return _Lists(
        re.compile(synonym), meanings, re.compile(_any_of(lists["fillers"])), frozenset(lists["words"]), lists["other"]
    )


def _any_of(words: Collection[str]) -> str:
    """A regular expression for any of some words, the longest first."""
    first = "".join(sorted({word[0] for word in words}))
    return f"(?=[{first}])(?:{'|'.join(sorted(words, key=lambda word: (-len(word), word)))})"


def _ngrams(text: str) -> Iterator[str]:
    """The n-grams of a normalized text: hanzi, pairs of hanzi, and stems of other words."""
    lists = _lists()
    plain = lists.synonym.sub(lambda match: lists.meanings[match[0]], text)
    for run in re.findall(_RUN, lists.filler.sub(" ", plain)):
        if _IS_HAN.match(run):
            yield from run
            yield from map("".join, pairwise(run))
        elif run not in lists.words:
            yield _stem(run)


def _weight_of_kind(ngram: str) -> float:
    if _IS_HAN.match(ngram):
        return _HANZI_WEIGHT if len(ngram) == 1 else _PAIR_WEIGHT
    return _WORD_WEIGHT


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


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
    return re.sub(_SPACE_BY_HAN, "", words)[:_LONGEST]
