"""Segments a text into words of lists: whether all of it can be read as words of some kinds, among fillers.

Chinese is written without spaces, so every way to cut a text is tried.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate

from bot.flow.typed_words import TRADITIONAL
from verification.record import Record

Kinds = tuple[frozenset[str], ...]
"""Kinds of words; a text that is read by them has a word of each."""

MAX_LETTERS = 40
"""A longer text is never read: it says more than a word of a button."""
MAX_READ = 4 * MAX_LETTERS
"""Of a text so many characters are looked at, signs and spaces included."""
_UNITS = re.compile(r"[a-z0-9]+|[^\W_]")
_APOSTROPHES = re.compile("['’]")
_GREETING = re.compile("[你您]好")
"""It agrees to nothing, though "好" does."""


class Letters(Record):
    """A text without signs, and where words may end: after any hanzi, and where a word in Latin letters ends."""

    text: str = ""
    ends: frozenset[int] = frozenset()

    def cut(self, start: int, end: int) -> "Letters":
        """A part of the text, from one place to another."""
        return Letters(self.text[start:end], frozenset(place - start for place in self.ends if start < place <= end))


def kinds_of(*listed: str) -> Kinds:
    """Kinds of words, each as a list with spaces between."""
    return tuple(frozenset(words.split()) for words in listed)


def letters_of(text: str) -> Letters:
    """The letters of a text, in simplified characters and lower case; none of a text that is too long."""
    folded = unicodedata.normalize("NFKC", text[:MAX_READ]).casefold().translate(TRADITIONAL)
    units = _UNITS.findall(_GREETING.sub(" ", _APOSTROPHES.sub("", folded)))
    whole = "".join(units)
    return Letters(whole, frozenset(accumulate(map(len, units)))) if len(whole) < MAX_LETTERS else Letters()


def can_be_read(letters: Letters, readings: Sequence[Kinds], fillers: frozenset[str]) -> bool:
    """Whether a text consists of fillers and words of every kind of one of the readings."""
    return any(_consists_of(letters, kinds, fillers) for kinds in readings)


def _consists_of(letters: Letters, kinds: Kinds, fillers: frozenset[str]) -> bool:
    words, changing_nothing = _by_first_letter(kinds), _by_first_letter((fillers,), are_fillers=True)
    # By place: the kinds that the text up to there has, as bits, in each way to read it. "好吧" is one word, and "好"
    # with another, too.
    found_at: defaultdict[int, set[int]] = defaultdict(set, {0: {0}})
    for at, letter in enumerate(letters.text):
        if at not in found_at:
            continue
        for word, bits in (*words.get(letter, ()), *changing_nothing.get(letter, ())):
            end = at + len(word)
            if end in letters.ends and letters.text.startswith(word, at):
                found_at[end] |= {found | bits for found in found_at[at]}
    return (1 << len(kinds)) - 1 in found_at[len(letters.text)]


@cache
def _by_first_letter(kinds: Kinds, *, are_fillers: bool = False) -> Mapping[str, Sequence[tuple[str, int]]]:
    """Words of some kinds by their first letter, with a bit for each kind that they are of; fillers are of none."""
    found = defaultdict[str, list[tuple[str, int]]](list)
    for word in frozenset[str]().union(*kinds):
        bits = 0 if are_fillers else sum(1 << number for number, kind in enumerate(kinds) if word in kind)
        found[word[0]].append((word, bits))
    return found
