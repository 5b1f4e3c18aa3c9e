"""Recognises what a person types instead of pressing a button or giving a command.

Words are compared without case, spaces, punctuation and emoji, so a button's own label always matches. A number means
the button at that position. The word lists are grammar; they are never shown.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.flow import typed_words
from bot.flow.events import Choice, Command
from bot.flow.segmentation import MAX_LETTERS, MAX_READ, Kinds, Letters, can_be_read, kinds_of, letters_of


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


_CONDITION = re.compile(
    r"可是|但是|不过|要是|如果|假如|万一|除非|虽然|行行好|不是[没不]|不能不|([^是\W]{1,2})是\1|\b(but|however|unless|although|if)\b",
    re.IGNORECASE,
)
"""Words that set a condition or take back what a text says: it is never read as a wish."""
_ASKING = re.compile(
    "[?？]|吗|嗎|(?<!嗯)呢|怎[么麼样樣]|如何|[为為][什何]|什[么麼]|多久|多[长長]时间|几[个個次天]|幾[個次天]|多少|哪|能不能|可不可以|是不是|有没有|要不要|会不会|[\u4e00-\u9fff]{2}[不没沒]$"
    r"|(?<!不)([\u4e00-\u9fff])不\1"
    r"|\b(how|what|why|when|where|which|who)\b|"
    r"^(can|could|do|does|did|is|are|am|was|were|has|have|had|must|should|will|would(?! like))\b(?!['’])",
    re.IGNORECASE,
)


_CARD_FACT = (
    r"(?:(?:性[别別]|民族|[国國]籍)\W*)?"
    r"(?:[男女][性士生的]?(?:\s*[汉漢])?|male|female|\w{1,5}族|中[国國]|公民|\d{1,3}\s*[岁歲])"
)
_BREAK = r"[\s,，、;；/-]"
_CARD_FACTS = re.compile(rf"^(?:{_CARD_FACT}{_BREAK}+)+(?=\w\w)|(?<=\w\w)(?:{_BREAK}+{_CARD_FACT})+(?={_BREAK}|$)")
"""What else stands on an ID card, between breaks; a single hanzi may be the surname, so what follows it is the name."""

_CHOICE_WORDS: Mapping[Choice, frozenset[str]] = {
    choice: frozenset(f"{words} {typed_words.EXACT_CHOICES.get(choice, '')}".split())
    for choice, words in typed_words.CHOICES.items()
}
_COMMAND_OF_WORD = {
    word: command
    for listed in (typed_words.COMMANDS, typed_words.EXACT_COMMANDS)
    for command, words in listed.items()
    for word in words.split()
}
# Two mappings: `Choice.BACK` equals `Command.BACK`, and so for cancel.
_CHOICES: Mapping[Choice, Sequence[Kinds]] = {
    choice: [kinds_of(words), *(kinds_of(*kinds) for kinds in typed_words.CHOICE_COMBINATIONS.get(choice, ()))]
    for choice, words in typed_words.CHOICES.items()
}
_COMMANDS: Mapping[Command, Sequence[Kinds]] = {
    command: [kinds_of(words), *(kinds_of(*kinds) for kinds in typed_words.COMMAND_COMBINATIONS.get(command, ()))]
    for command, words in typed_words.COMMANDS.items()
    if command not in (Command.HUMAN, Command.HELP)  # these are remarks in other words
}
_CODE = (kinds_of(typed_words.CODE), kinds_of(*typed_words.CODE_COMBINATION))
_AGAINST_REMINDERS = (kinds_of(typed_words.AGAINST_REMINDERS), kinds_of(*typed_words.REMINDER_COMBINATION))
_DONE, _SCANNED = (kinds_of(typed_words.DONE),), (kinds_of(typed_words.METHOD_WORDS, typed_words.SCANNED),)
_KEPT = (kinds_of(typed_words.KEPT),)
_WHY, _WHAT_NEXT = (kinds_of(typed_words.WHY),), (kinds_of(typed_words.WHAT_NEXT),)
_METHOD_TROUBLE = (kinds_of(*typed_words.METHOD_TROUBLE), *_CHOICES[Choice.OTHER_METHOD])
_DENIED = (kinds_of(typed_words.METHOD_WORDS, typed_words.DENIALS), kinds_of(typed_words.DENIED_METHODS))
_TROUBLE = (kinds_of(typed_words.TROUBLES),)
_REFUSAL = (kinds_of(f"{typed_words.CHOICES[Choice.NOT_NOW]} {typed_words.TROUBLES} {typed_words.REASONS}"),)
_ALSO = ("也", "都")
_METHODS, _SWITCHES = (tuple(words.split()) for words in (typed_words.METHOD_WORDS, typed_words.SWITCHES))
_OPEN_DENIALS = tuple(
    denial + verb for denial in typed_words.DENIALS.split() for verb in ("", "用", "选", "扫", "use", "touse")
)
"""Denials of what follows."""
_CUTS = re.compile(
    "|".join(sorted({*_METHODS, *_SWITCHES, *typed_words.METHOD_TROUBLE[1].split()}, key=len, reverse=True))
)
_METHOD_OR_TROUBLE = re.compile(f"(?P<trouble>{'|'.join(typed_words.TROUBLES.split())})|{'|'.join(_METHODS)}")
_ORDINALS: Mapping[Kinds, int] = {kinds_of(words): position for words, position in typed_words.ORDINALS.items()}
_ORDINALS_OF_METHODS: Mapping[Kinds, int] = {
    kinds_of(words, *typed_words.ALL_IS_RIGHT): position for words, position in typed_words.ORDINALS.items()
}
_FILLERS, _FEW_FILLERS, _DOUBT, _POSITION_FILLERS = kinds_of(
    typed_words.FILLERS, typed_words.FILLERS_OF_CONSENT, typed_words.FILLERS_OF_DOUBT, typed_words.FILLERS_OF_POSITION
)
_MORE_FILLERS = _FILLERS | _DOUBT
_OF_CHANGE = ("换", "改", "还是", "切换", "方式", "switch", "change", "let")
_UNCHANGED = frozenset(word for word in _MORE_FILLERS if not word.startswith(_OF_CHANGE))
"""The fillers without those of a wish to change."""
_FILLERS_OF = dict.fromkeys(typed_words.STRICT, _FEW_FILLERS) | dict.fromkeys(typed_words.DOUBTFUL, _MORE_FILLERS)
_FILLERS_OF |= {choice: frozenset(words.split()) for choice, words in typed_words.OWN_FILLERS.items()}
_FILLERS_OF |= {
    choice: _FILLERS_OF.get(choice, _FILLERS) - frozenset(words.split())
    for choice, words in typed_words.NO_FILLERS_OF.items()
}
_FILLERS_OF_COMMAND = {Command.BACK: _FILLERS_OF[Choice.BACK], Command.CANCEL: _FILLERS_OF[Choice.CANCEL]}
_LINK_OF_WORD = {word: link for link, words in typed_words.LINKS.items() for word in words.split()}
_BUTTON_WORDS = frozenset(typed_words.FORM.split()).union(*_CHOICE_WORDS.values())
_NEVER_BY_ORDINAL = (*typed_words.STRICT, Choice.BACK, Choice.CANCEL)
_QUESTION_MARK = re.compile(r"[?？﹖]\W*$")
_THANKS = re.compile("谢|謝|thank|thx", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(r"[,，.。;；!！]+|(?<=[\u4e00-\u9fff])\s+|\s+(?=[\u4e00-\u9fff])")


def normalize(text: str) -> str:
    """A text reduced to what is compared: its letters and digits, case-folded, at most 40 characters."""
    folded = unicodedata.normalize("NFKC", text[:MAX_READ]).casefold()
    return "".join(character for character in folded if character.isalnum())[:MAX_LETTERS]


def match_choice(text: str, offered: Sequence[Choice], *, by_position: bool = True) -> Choice | None:
    """The offered choice that a text means, if any; with `by_position` a number means a position, from one.

    A choice is meant by its words alone, by words among fillers, or by what a text says of a method beside a denial of
    another: "not WeChat, QQ".
    """
    if _is_asked(text):
        return None
    word, spoken = _comparable(text), _spoken(text)
    if by_position and (choice := _at_position(word, spoken, offered)):
        return choice
    exact = (choice for choice in offered if word in _CHOICE_WORDS[choice])
    said = (choice for choice in offered if _means(spoken, choice))
    return next(exact, None) or next(said, None) or _method_beside_denial(text, spoken, offered)


def _at_position(word: str, spoken: Letters, offered: Sequence[Choice]) -> Choice | None:
    """The choice at the position that a text names, if there is one; in words only where nothing is lost by it."""
    if word.isascii() and word.isdigit():
        return _at(int(word), offered)
    if choice := _at(_ordinal(spoken), offered):
        return None if choice in _NEVER_BY_ORDINAL else choice
    # "The data are right, the second": it is a method that follows.
    choice = _at(_ordinal(spoken, _ORDINALS_OF_METHODS), offered)
    return choice if choice in typed_words.METHODS else None


def _at(position: int, offered: Sequence[Choice]) -> Choice | None:
    return offered[position - 1] if 0 < position <= len(offered) else None


def _ordinal(spoken: Letters, ordinals: Mapping[Kinds, int] = _ORDINALS) -> int:
    """The position that is said in words, from one; 0 for none."""
    found = (position for kinds, position in ordinals.items() if _is_said(spoken, (kinds,), _POSITION_FILLERS))
    return next(found, 0)


def _method_beside_denial(text: str, spoken: Letters, offered: Sequence[Choice]) -> Choice | None:
    """The one method that a text wants which says of others, before or after it, that they do not work."""
    methods = [choice for choice in typed_words.METHODS if choice in offered]
    if not methods or not any(word in spoken.text for word in _METHODS):
        return None
    clauses = _CLAUSE_ENDS.split(text[:MAX_READ])
    others = [clause for clause in clauses if not _is_said(_spoken(clause), (*_METHOD_TROUBLE, *_REFUSAL))]
    parts = [_spoken(" ".join(others))] if 0 < len(others) < len(clauses) else [*_parts_beside_denial(spoken)]
    found = {choice for part in parts for choice in methods if _means(part, choice)}
    return found.pop() if len(found) == 1 else None


def _parts_beside_denial(spoken: Letters) -> Iterator[Letters]:
    """What a text without signs may want, for each place where it may be cut into that and a denial."""
    # A part begins or ends with a word of either; what stands between changes nothing.
    for end in spoken.ends & {place for found in _CUTS.finditer(spoken.text) for place in found.span()}:
        first, second = spoken.cut(0, end), spoken.cut(end, len(spoken.text))
        # "No WeChat QQ": nobody knows whether both are meant.
        is_unclear = first.text.endswith(_METHODS) and second.text.startswith(_METHODS)
        if is_unclear or first.text.endswith(_ALSO) or second.text.startswith(_ALSO):
            continue
        is_without_method = _is_said(first, _TROUBLE) and second.text.startswith(_SWITCHES)
        if is_without_method or (_is_said(first, _METHOD_TROUBLE) and not first.text.endswith(_OPEN_DENIALS)):
            yield second
        if _is_said(second, _METHOD_TROUBLE) and not _begins_with_trouble(second):
            yield first


def _begins_with_trouble(spoken: Letters) -> bool:
    """Whether a text says that something does not work before it names a method, and so means what was named before."""
    found = _METHOD_OR_TROUBLE.search(spoken.text)
    return found is not None and found["trouble"] is not None


def is_button_word(text: str) -> bool:
    """Whether a text is a word of any button, also of one that is not offered."""
    return _comparable(text) in _BUTTON_WORDS or _ordinal(_spoken(text)) > 0 or is_about_code(text)


def names_choice(text: str) -> bool:
    """Whether a text says a choice among fillers, also one that is not offered."""
    spoken = _spoken(text)
    return any(_means(spoken, choice) for choice in Choice)


def is_done(text: str) -> bool:
    """Whether a text says that the person has done what the phone asks for; "done, now QQ" is a wish."""
    spoken = _spoken(text)
    return _is_said(spoken, _DONE, _MORE_FILLERS) or _is_said(spoken, _SCANNED, _UNCHANGED)


def is_thanks(text: str) -> bool:
    """Whether a text thanks: then a "good" beside it ends the talk, and wishes for nothing."""
    return _THANKS.search(text) is not None


def denied_methods(text: str) -> frozenset[Choice]:
    """The methods that a text says it does without; none if it says anything else."""
    spoken = _spoken(text)
    if not _is_said(spoken, _DENIED, _UNCHANGED):
        return frozenset()
    return frozenset(
        choice
        for choice, words in typed_words.METHOD_NAMES.items()
        if any(word in spoken.text for word in words.split())
    )


def keeps_value(text: str) -> bool:
    """Whether a text says that a name or a number is to stay as it is."""
    return _is_said(_spoken(text), _KEPT, _MORE_FILLERS)


def is_why(text: str) -> bool:
    """Whether a text asks why, and nothing else."""
    return _is_said(_spoken(text, of_question=True), _WHY, _MORE_FILLERS)


def is_what_next(text: str) -> bool:
    """Whether a text asks what to do now, and nothing else."""
    return _is_said(_spoken(text, of_question=True), _WHAT_NEXT, _MORE_FILLERS)


def is_question(text: str) -> bool:
    """Whether a text looks like a question."""
    return _ASKING.search(text.strip()) is not None


def _is_asked(text: str) -> bool:
    """Whether a text ends with a question mark: "OK?" agrees to nothing, though a label may hold a word that asks."""
    return _QUESTION_MARK.search(text) is not None


def without_card_facts(text: str) -> str:
    """A text without the sex, the nationality or the age that a person typed beside the name."""
    return _CARD_FACTS.sub("", text.strip())


def match_link(text: str) -> str | None:
    """The page whose button a text names, if any."""
    return _LINK_OF_WORD.get(_comparable(text))


def is_about_code(text: str) -> bool:
    """Whether a text asks where the code is, or names a button below it."""
    return _is_said(_spoken(text, of_question=True), _CODE, _MORE_FILLERS)


def is_against_reminders(text: str) -> bool:
    """Whether a text asks not to be reminded any more."""
    return _is_said(_spoken(text), _AGAINST_REMINDERS)


def match_command(text: str) -> Command | None:
    """The command that a text means, if any, with or without a leading slash."""
    if exact := _COMMAND_OF_WORD.get(_comparable(text)):
        return None if _is_asked(text) and exact in (Command.BACK, Command.CANCEL) else exact
    spoken = _spoken(text)
    readings = ((command, _COMMANDS[command], _FILLERS_OF_COMMAND.get(command, _FILLERS)) for command in _COMMANDS)
    return next((command for command, kinds, fillers in readings if _is_said(spoken, kinds, fillers)), None)


def _comparable(text: str) -> str:
    return normalize(text).translate(typed_words.TRADITIONAL)


def _spoken(text: str, *, of_question: bool = False) -> Letters:
    """The letters of a text that are read as words; none of a question or a condition, unless wanted."""
    is_read = of_question or not (is_question(text) or _CONDITION.search(text[:MAX_READ]))
    return letters_of(text) if is_read else Letters()


def _means(spoken: Letters, choice: Choice) -> bool:
    return _is_said(spoken, _CHOICES[choice], _FILLERS_OF.get(choice, _FILLERS))


def _is_said(spoken: Letters, readings: Sequence[Kinds], fillers: frozenset[str] = _FILLERS) -> bool:
    return can_be_read(spoken, readings, fillers)
