"""Recognises what a person types instead of pressing a button or giving a command.

Words are compared without case, spaces, punctuation and emoji, so a button's own label always matches. A number means
the button at that position. The word lists are grammar; they are never shown.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Protocol, runtime_checkable

from bot.flow import typed_words
from bot.flow.events import Choice, Command


class Remark(StrEnum):
    """What a text that answers no question wants."""

    HUMAN = "human"
    THANKS = "thanks"
    GREETING = "greeting"
    WAIT = "wait"
    HELP = "help"
    BUTTON = "button"


SMALL_TALK = frozenset({Remark.GREETING, Remark.THANKS, Remark.WAIT})
"""Remarks that get a kind word, and the step stays."""


@runtime_checkable
class WordLists(Protocol):
    """What word lists say about a text; every method is pure."""

    def without_labels(self, text: str) -> str:
        """A text without the labels, polite words and signs around its answer."""

    def parts(self, text: str) -> tuple[str, ...]:
        """The parts of a text between its signs and labels, of which one may be a name."""

    def is_sentence(self, text: str) -> bool:
        """Whether a text is so long, and says so much, that nobody can be called so."""

    def remark(self, text: str) -> Remark | None:
        """What a text that is no answer wants, if the lists know it."""

    def is_likely_name(self, name: str) -> bool:
        """Whether a cleaned text is so probably a name that nobody needs to be asked."""


class NoWordLists:
    """Takes every text as it stands."""

    def without_labels(self, text: str) -> str:
        """The text."""
        return text

    def parts(self, text: str) -> tuple[str, ...]:
        """The text."""
        return (text,)

    def is_sentence(self, _: str) -> bool:
        """No."""
        return False

    def remark(self, _: str) -> Remark | None:
        """Nothing."""
        return None

    def is_likely_name(self, _: str) -> bool:
        """Yes."""
        return True


_ASKING = re.compile(
    "[?？]|吗|嗎|呢|怎[么麼样樣]|如何|[为為][什何]|什[么麼]|多久|多[长長]时间|几[个個次天]|幾[個次天]|多少|哪|能不能|可不可以|是不是|有没有|要不要|会不会"
    r"|\b(how|what|why|when|where|which|who)\b|^(can|could|do|does|is|are|must|should|will)\b",
    re.IGNORECASE,
)


def _sets(pair: Sequence[str]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(words.split()) for words in pair)


_WORDS: Mapping[Choice | Command, tuple[frozenset[str], ...]] = {
    meant: _sets([words]) for listed in (typed_words.CHOICES, typed_words.COMMANDS) for meant, words in listed.items()
}
_PAIRS: Mapping[Choice | Command, Sequence[tuple[frozenset[str], ...]]] = {
    meant: [_sets(pair) for pair in pairs]
    for listed in (typed_words.CHOICE_PAIRS, typed_words.COMMAND_PAIRS)
    for meant, pairs in listed.items()
}
_REMARKED = (Command.HUMAN, Command.HELP)
"""Commands that are remarks in other words."""
_FILLERS = frozenset(typed_words.FILLERS.split())
_NO_WORDS: tuple[frozenset[str], ...] = (frozenset(),)
_LINK_OF_WORD = {word: link for link, words in typed_words.LINKS.items() for word in words.split()}
_CODE_WORDS, _FORM_WORDS, _AGAINST_REMINDERS_WORDS = _sets(
    (typed_words.CODE, typed_words.FORM, typed_words.AGAINST_REMINDERS)
)
_BUTTON_WORDS = frozenset[str]().union(_FORM_WORDS, *(_WORDS[choice][0] for choice in Choice))
_CODE_PAIR_WORDS, _REMINDER_PAIR_WORDS = _sets(typed_words.CODE_PAIR), _sets(typed_words.REMINDER_PAIR)
_LONGEST = 40


def normalize(text: str) -> str:
    """A text reduced to what is compared: its letters and digits, case-folded, at most 40 characters."""
    folded = unicodedata.normalize("NFKC", text[: 4 * _LONGEST]).casefold()
    return "".join(character for character in folded if character.isalnum())[:_LONGEST]


def match_choice(text: str, offered: Sequence[Choice], *, by_position: bool = True) -> Choice | None:
    """The offered choice that a text means, if any; with `by_position` a number means a position, from one.

    A choice is meant by its words alone, by words among fillers, or by what a text says of a method beside a denial of
    another: "not WeChat, QQ".
    """
    word = _comparable(text)
    if by_position and (choice := _at_position(word, offered)):
        return choice
    exact = (choice for choice in offered if word in _WORDS[choice][0])
    said = (choice for choice in offered if _means(word, choice))
    return next(exact, None) or next(said, None) or _method_beside_denial(text, offered)


def _at_position(word: str, offered: Sequence[Choice]) -> Choice | None:
    """The choice at the position that a text names, if there is one."""
    position = int(word) if word.isascii() and word.isdigit() else _ordinal(word)
    return offered[position - 1] if 0 < position <= len(offered) else None


def _ordinal(word: str) -> int:
    """The position that is said in words, from one; 0 for none."""
    return next((position for ordinal, position in typed_words.ORDINALS.items() if _consists_of(word, [ordinal])), 0)


def _method_beside_denial(text: str, offered: Sequence[Choice]) -> Choice | None:
    clauses = [word for word in map(_comparable, re.split(r"[\s,，.。;；!！、]+", text[: 4 * _LONGEST])) if word]
    others = "".join(word for word in clauses if not _means(word, Choice.OTHER_METHOD))
    return next((choice for choice in typed_words.METHODS if choice in offered and _means(others, choice)), None)


def is_button_word(text: str) -> bool:
    """Whether a text is a word of any button, also of one that is not offered."""
    word = _comparable(text)
    return word in _BUTTON_WORDS or _ordinal(word) > 0 or is_about_code(text)


def names_choice(text: str) -> bool:
    """Whether a text says a choice among fillers, also one that is not offered."""
    word = _comparable(text)
    return any(_means(word, choice) for choice in Choice)


def is_question(text: str) -> bool:
    """Whether a text looks like a question."""
    return _ASKING.search(text.strip()) is not None


def match_link(text: str) -> str | None:
    """The page whose button a text names, if any."""
    return _LINK_OF_WORD.get(_comparable(text))


def is_about_code(text: str) -> bool:
    """Whether a text asks where the code is, or names a button below it."""
    word = _comparable(text)
    return _consists_of(word, (_CODE_WORDS,)) or _consists_of(word, _CODE_PAIR_WORDS)


def is_against_reminders(text: str) -> bool:
    """Whether a text asks not to be reminded any more."""
    word = _comparable(text)
    return _consists_of(word, (_AGAINST_REMINDERS_WORDS,)) or _consists_of(word, _REMINDER_PAIR_WORDS)


def match_command(text: str) -> Command | None:
    """The command that a text means, if any, with or without a leading slash."""
    word = _comparable(text)
    exact = (command for command in Command if word in _WORDS.get(command, _NO_WORDS)[0])
    said = (command for command in Command if command not in _REMARKED and _means(word, command))
    return next(exact, None) or next(said, None)


def _comparable(text: str) -> str:
    return normalize(text).translate(typed_words.TRADITIONAL)


def _means(word: str, meant: Choice | Command) -> bool:
    return any(_consists_of(word, kinds) for kinds in (_WORDS.get(meant, _NO_WORDS), *_PAIRS.get(meant, ())))


def _consists_of(text: str, kinds: Sequence[frozenset[str]]) -> bool:
    """Whether a text consists of words of every kind, and otherwise of fillers; of two words the longer is read.

    A text that was cut is no such text.
    """
    known, found = _by_first_letter(tuple(kinds)), set[str]()
    rest = text if len(text) < _LONGEST else "-"
    while rest:
        word = next((word for word in known.get(rest[0], ()) if rest.startswith(word)), None)
        if word is None:
            return False
        found.add(word)
        rest = rest[len(word) :]
    return all(not kind.isdisjoint(found) for kind in kinds)


@cache
def _by_first_letter(kinds: tuple[frozenset[str], ...]) -> Mapping[str, Sequence[str]]:
    """Words of some kinds and the fillers, by their first letter, longer ones first."""
    found = defaultdict[str, list[str]](list)
    for word in sorted(_FILLERS.union(*kinds), key=len, reverse=True):
        found[word[0]].append(word)
    return found
