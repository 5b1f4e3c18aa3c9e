"""ID numbers: one module per document, each with `matches`, and `check_number`, which applies them all.

The checks run in a fixed order: characters, length, check digit, then what the number says. So a typing error is
reported as one, and only a correct number of another document leads the person to another site.
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum

from verification.numbers import foreigner, permit, resident


class NumberProblem(StrEnum):
    """Why a number cannot be used; the last two are real documents that another site verifies."""

    EMPTY = "empty"
    CHARACTERS = "characters"
    LENGTH = "length"
    OLD_FORM = "old_form"
    CHECK_DIGIT = "check_digit"
    DATE = "date"
    FUTURE = "future"
    PROVINCE = "province"
    PERMIT = "permit"
    FOREIGNER = "foreigner"


_LENGTH = 18
_MAX_INPUT = 400
"""Code points; longer input is refused before cleaning, because NFKC may turn one letter into eighteen."""
_NOISE = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
# The last two keys are Cyrillic.
_LOOKS_LIKE_X = str.maketrans({"×": "X", "✕": "X", "Х": "X", "х": "X"})


def compact(text: str) -> str:
    """Bring a typed number into stored form; the check digit catches what is cleaned too generously.

    >>> compact(" １１０１０５-19491231-002ｘ ")
    '11010519491231002X'
    """
    number = unicodedata.normalize("NFKC", text).translate(_LOOKS_LIKE_X)
    visible = "".join(character for character in number if unicodedata.category(character) != "Cf")
    return _NOISE.sub("", visible).upper()


def check_number(text: str, today: date) -> str | NumberProblem:
    """Return the stored form of a typed number, or what is wrong with it.

    >>> check_number("11010519491231002x", date(2026, 1, 1))
    '11010519491231002X'
    >>> check_number("110105194912310021", date(2026, 1, 1))
    <NumberProblem.CHECK_DIGIT: 'check_digit'>
    """
    if len(text) > _MAX_INPUT:
        return NumberProblem.LENGTH
    number = compact(text)
    return _shape_problem(number) or _content_problem(number, today) or number


def _shape_problem(number: str) -> NumberProblem | None:
    if not number:
        return NumberProblem.EMPTY
    if foreigner.is_old_form(number):
        return NumberProblem.FOREIGNER
    if not re.fullmatch(r"[0-9]+X?", number):
        return NumberProblem.CHARACTERS
    if resident.is_old_form(number):
        return NumberProblem.OLD_FORM
    return None if len(number) == _LENGTH else NumberProblem.LENGTH


def _content_problem(number: str, today: date) -> NumberProblem | None:
    if not _has_its_check_digit(number):
        return NumberProblem.CHECK_DIGIT
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return NumberProblem.DATE
    if born > today:
        return NumberProblem.FUTURE
    if permit.matches(number):
        return NumberProblem.PERMIT
    if foreigner.matches(number):
        return NumberProblem.FOREIGNER
    return None if resident.matches(number) else NumberProblem.PROVINCE


def _has_its_check_digit(number: str) -> bool:
    """Whether the last character fits the others, by ISO 7064, MOD 11-2 (GB 11643-1999, section 5)."""
    total = 0
    for character in number:
        total = (2 * total + (10 if character == "X" else int(character))) % 11
    return total == 1
