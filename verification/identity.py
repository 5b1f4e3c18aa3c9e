"""Names and ID numbers: cleaned, checked, and never printed by accident.

Cleaning accepts how people type: full-width forms, look-alike dots and radicals, stray spaces. Checking refuses only
what cannot be a name or a number, and returns the reason. Refusing a real person is worse than asking once more, so
only certain rules are applied. The `repr` of every class here hides its content.
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import ClassVar

from verification.ideographs import EQUIVALENT_IDEOGRAPHS
from verification.numbers import DEFAULT_IGNORABLE, NumberProblem, find_number
from verification.record import Record

NAME_LIMIT = 50
"""Code points. The notice of twelve ministries (2016) asks for at least 25 hanzi; some people have longer names."""

_MAX_INPUT = 400
"""Code points; longer input is refused before cleaning, because NFKC may turn one letter into eighteen."""

_DOT = "·"
_DOTS = str.maketrans(dict.fromkeys("•∙・･‧⋅●.．。｡ᐧꞏ᛫⸱⸳∘˙ㆍ", _DOT))
"""The last two must be mapped before NFKC, which turns them into accents and letters."""
_DASHES = re.escape("-‐‑‒–—―−﹣－")
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0003ffff"
_SPACE_BY_HAN = f"(?<=[{_HAN}{_DOT}])\\s+|\\s+(?=[{_HAN}{_DOT}])"
_SPACED_PARTS = f"(?<![{_HAN}{_DOT}])([{_HAN}]{{2,}})\\s+([{_HAN}]{{2,}})(?![{_HAN}{_DOT}\\s])"
_LONGEST_HAN_NAME = 4
_DASH_BY_HAN = f"(?<=[{_HAN}])[{_DASHES}{_DOT}]+(?=[{_HAN}])"
_DESCRIPTION = re.compile("[\u2ff0-\u2fff\u31ef]")
"""Ideographic description characters: people write a hanzi that they cannot type by its parts, such as ⿱龙天."""
_ACCENTS = frozenset({"Mn", "Mc"})
_JOINERS = frozenset(" -'’" + _DOT)
_IS_HAN = f"[{_HAN}]"
"""Patterns of hanzi are compiled when first used: each takes milliseconds, and all of them a thirtieth of the start."""
_NUMBER_DIGITS = 15


class NameProblem(StrEnum):
    """Why a text cannot be a name."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    INVISIBLE = "invisible"
    NUMBER = "number"
    DESCRIBED = "described"
    CHARACTERS = "characters"


class Name(Record, omit_defaults=True):
    """A person's name as on the card, in stored form: NFKC, `·` as the only separator.

    `is_confidential`: the person gave it outside the chat, so a front end that writes into a chat shows it masked only.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"plain"})

    plain: str
    is_confidential: bool = False

    @property
    def masked(self) -> str:
        """The name with only its first and, from three characters on, its last character visible."""
        name = self.plain
        if len(name) == 1:
            return "*"
        tail = name[-1] if len(name) > 2 else ""
        return name[0] + "*" * (len(name) - 1 - len(tail)) + tail


class Number(Record):
    """A resident identity number that passed every check: 17 digits and a check character."""

    hidden: ClassVar[frozenset[str]] = frozenset({"plain"})

    plain: str

    @property
    def masked(self) -> str:
        """Only the area and the last four characters visible; the birth date and half the sequence are hidden."""
        return f"{self.plain[:6]}{'*' * 8}{self.plain[14:]}"


class Identity(Record):
    """A name and a number that a person states together."""

    name: Name
    number: Number


class NetworkIdentity(Record):
    """A person as the national network identity names them to one organisation: no name, no number, always the same."""

    hidden: ClassVar[frozenset[str]] = frozenset({"identifier"})

    identifier: str


def clean_name(text: str) -> str:
    """Bring a typed name into stored form; it never fails.

    >>> clean_name(" 王 小 明 ")
    '王小明'
    >>> clean_name("阿依古丽•买买提")
    '阿依古丽·买买提'
    >>> clean_name("尼格买提 热合曼")
    '尼格买提·热合曼'
    >>> clean_name("马⻰")
    '马龙'
    """
    plain = _VARIATION_SELECTORS.sub("", text).translate(_DOTS).translate(EQUIVALENT_IDEOGRAPHS)
    name = unicodedata.normalize("NFKC", plain).translate(_DOTS)
    name = re.sub(_SPACED_PARTS, _join_parts, name.strip())
    name = re.sub(_DASH_BY_HAN, _DOT, re.sub(_SPACE_BY_HAN, "", name))
    name = re.sub(f"{_DOT}+", _DOT, name)
    return re.sub(r" +", " ", name).strip(_DOT + " ")


def _join_parts(parts: re.Match[str]) -> str:
    """Two parts with a space between; together longer than a Han name, they are a name whose dot was not typed."""
    first, last = parts.groups()
    return f"{first}{_DOT if len(first + last) > _LONGEST_HAN_NAME else ''}{last}"


def read_name(text: str) -> Name | NameProblem:
    """Clean and check a typed name."""
    name = clean_name(text) if len(text) <= _MAX_INPUT else text
    return _name_problem(name) or Name(name)


def has_number_digits(text: str) -> bool:
    """Whether a text has as many digits as an ID number, which were 15 in its former form."""
    return len(text) >= _NUMBER_DIGITS and sum(map(str.isdigit, text)) >= _NUMBER_DIGITS


def _name_problem(name: str) -> NameProblem | None:
    if not name:
        return NameProblem.EMPTY
    if has_number_digits(name):
        return NameProblem.NUMBER
    if len(name) > NAME_LIMIT:
        return NameProblem.TOO_LONG
    return _character_problem(name)


def _character_problem(name: str) -> NameProblem | None:
    if DEFAULT_IGNORABLE.search(name) or any(unicodedata.category(each) in {"Cf", "Cc", "Zl", "Zp"} for each in name):
        return NameProblem.INVISIBLE
    if _DESCRIPTION.search(name):
        return NameProblem.DESCRIBED
    is_name = all(map(_is_name_character, name)) and any(map(_is_letter, name))
    return None if is_name else NameProblem.CHARACTERS


def read_number(text: str, today: date) -> Number | NumberProblem:
    """Read the only ID number in a text; `today` decides whether a birth date lies in the future."""
    return split_number(text, today)[0]


def split_number(text: str, today: date) -> tuple[Number | NumberProblem, str]:
    """Read the only ID number in a text, and give the text around it."""
    found, rest = find_number(text, today)
    return (found if isinstance(found, NumberProblem) else Number(found)), rest


def mask_account(account: str) -> str:
    """Hide the middle of an account; its kind and both ends stay, so that its owner recognises it.

    >>> mask_account("telegram:100012345")
    'telegram:10*****45'
    """
    kind, separator, own = account.rpartition(":")
    visible = 2 if len(own) > 5 else 1 if len(own) > 2 else 0
    hidden = max(len(own) - 2 * visible, 1)
    return f"{kind}{separator}{own[:visible]}{'*' * hidden}{own[len(own) - visible :]}"


def _is_letter(character: str) -> bool:
    # Ranges in addition to categories: this Python has no category for hanzi that Unicode added later,
    # and some cards have a private-use character.
    return bool(re.match(_IS_HAN, character)) or unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lm", "Lo"}


def _is_name_character(character: str) -> bool:
    return character in _JOINERS or _is_letter(character) or unicodedata.category(character) in _ACCENTS
