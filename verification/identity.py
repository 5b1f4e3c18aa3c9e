"""Who a person says they are: names and ID numbers, cleaned, checked, and never printed by accident.

Cleaning forgives how people type (full-width forms, look-alike dots, stray spaces); checking refuses only what cannot
be a name or a number, and says which reason. Refusing a real person is worse than asking once more, so a rule that is
not certain is not a rule here. The `repr` of everything in this module hides its content.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from verification.numbers import NumberProblem, check_number

NAME_LIMIT = 50
"""Code points. The notice of twelve ministries (2016) asks for at least 25 hanzi; people with longer names exist."""

_MAX_INPUT = 400
"""However it is spaced; what is longer is not even cleaned, for a letter may unfold into eighteen."""

_DOT = "·"
_DOTS = str.maketrans(dict.fromkeys("•∙・･‧⋅●.．。｡", _DOT))
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0003ffff"
_SPACE_BY_HAN = re.compile(f"(?<=[{_HAN}{_DOT}])\\s+|\\s+(?=[{_HAN}{_DOT}])")
_ALLOWED_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc"})
_JOINERS = frozenset(" -'’" + _DOT)
_IS_HAN = re.compile(f"[{_HAN}]")
_NUMBER_DIGITS = 15


class NameProblem(StrEnum):
    """Why a text cannot be a name."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    INVISIBLE = "invisible"
    NUMBER = "number"
    CHARACTERS = "characters"


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name as it stands on the card, in stored form: NFKC, `·` as the only separator."""

    plain: str = field(repr=False)

    @property
    def masked(self) -> str:
        """The name with everything but its first and, from three characters on, last character hidden."""
        name = self.plain
        if len(name) == 1:
            return "*"
        tail = name[-1] if len(name) > 2 else ""
        return name[0] + "*" * (len(name) - 1 - len(tail)) + tail


@dataclass(frozen=True, slots=True)
class Number:
    """A resident identity number that passed every check: 17 digits and a check character."""

    plain: str = field(repr=False)

    @property
    def masked(self) -> str:
        """Area and last four characters; the birth date and half the sequence hidden."""
        return f"{self.plain[:6]}{'*' * 8}{self.plain[14:]}"


@dataclass(frozen=True, slots=True)
class Identity:
    """A name and a number that claim to belong together."""

    name: Name
    number: Number


def clean_name(text: str) -> str:
    """Bring a typed name into stored form; forgiving, it never refuses.

    >>> clean_name(" 王 小 明 ")
    '王小明'
    >>> clean_name("阿依古丽•买买提")
    '阿依古丽·买买提'
    """
    name = unicodedata.normalize("NFKC", _VARIATION_SELECTORS.sub("", text))
    name = re.sub(f"{_DOT}+", _DOT, name.translate(_DOTS))
    name = _SPACE_BY_HAN.sub("", name.strip())
    return re.sub(r" +", " ", name).strip(_DOT + " ")


def read_name(text: str) -> Name | NameProblem:
    """Clean and check a typed name."""
    name = clean_name(text) if len(text) <= _MAX_INPUT else text
    if not name:
        return NameProblem.EMPTY
    if sum(character.isdigit() for character in name) >= _NUMBER_DIGITS:
        return NameProblem.NUMBER
    if any(unicodedata.category(character) in {"Cf", "Cc", "Zl", "Zp"} for character in name):
        return NameProblem.INVISIBLE
    if len(name) > NAME_LIMIT:
        return NameProblem.TOO_LONG
    if not all(map(_is_name_character, name)) or not any(map(_is_letter, name)):
        return NameProblem.CHARACTERS
    return Name(name)


def read_number(text: str, today: date) -> Number | NumberProblem:
    """Clean and check a typed ID number; `today` decides whether a birth date lies in the future."""
    judged = check_number(text, today)
    return judged if isinstance(judged, NumberProblem) else Number(judged)


def mask_account(account: str) -> str:
    """Hide the middle of an account, keeping its kind and enough for its owner to know it.

    >>> mask_account("telegram:100012345")
    'telegram:10*****45'
    """
    kind, separator, own = account.rpartition(":")
    kept = 2 if len(own) > 5 else 1 if len(own) > 2 else 0
    hidden = max(len(own) - 2 * kept, 1)
    return f"{kind}{separator}{own[:kept]}{'*' * hidden}{own[len(own) - kept :]}"


def _is_letter(character: str) -> bool:
    # By ranges, not by category alone: Han added to Unicode after this Python was built has no category yet,
    # and cards with a private-use character exist.
    return bool(_IS_HAN.match(character)) or unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lm", "Lo"}


def _is_name_character(character: str) -> bool:
    return character in _JOINERS or _is_letter(character) or unicodedata.category(character) in _ALLOWED_CATEGORIES
