"""ID numbers: one module per document, `check_number`, which applies them all, and `find_number`, which reads a text.

The checks run in a fixed order: characters, length, check digit, then what the number says. So a typing error is
reported as one, and only a correct number of another document leads the person to another site.
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum

from verification.numbers import foreigner, other_documents, permit, resident


class NumberProblem(StrEnum):
    """Why a number cannot be used; the last three are real documents that another site verifies."""

    EMPTY = "empty"
    CHARACTERS = "characters"
    SEVERAL = "several"
    LENGTH = "length"
    OLD_FORM = "old_form"
    CHECK_DIGIT = "check_digit"
    DATE = "date"
    FUTURE = "future"
    PROVINCE = "province"
    PERMIT = "permit"
    FOREIGNER = "foreigner"
    OTHER_DOCUMENT = "other_document"


_LENGTH = 18
_MAX_INPUT = 400
"""Code points; longer input is refused before cleaning, because NFKC may turn one letter into eighteen."""
_SPACE = r"[\s\-._·/,、\u2010-\u2015\u2212]"
_HAN_DIGIT = "[〇零一二三四五六七八九幺壹贰貳叁參肆伍陆陸柒捌玖]"
_HAN_DIGITS = re.compile(rf"{_HAN_DIGIT}(?:{_SPACE}*{_HAN_DIGIT}){{14,}}")
"""A number in hanzi; shorter ones are left, because they are in names."""
_WITH_LETTERS = re.compile(r"(?<![A-Za-z0-9])[0-9OoIl]{17}[0-9Xx](?![A-Za-z0-9])")
_LETTERS_FOR_DIGITS = str.maketrans("OoIl", "0011")
_MOST_LETTERS = 5
"""A number with more letters for digits is left as it is."""
_NOISE = re.compile(f"{_SPACE}+")
_IN_ONE_PIECE = re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])")
_IN_GROUPS = re.compile(rf"(?<!\d)\d(?:{_SPACE}*\d){{16}}{_SPACE}*[\dXx](?!{_SPACE}*[\dXx])")
_OLD_FOREIGNER = re.compile(r"(?<![A-Za-z])[A-Za-z]{3}\d{12}(?!\d)")
_DIGITS = re.compile(rf"(?<![A-Za-z0-9])\d(?:{_SPACE}*\d){{6,}}{_SPACE}*[Xx]?(?![A-Za-z0-9])")
# The last two keys are Cyrillic.
_LOOKS_LIKE_X = str.maketrans({"×": "X", "✕": "X", "Х": "X", "х": "X"})
_LAST_X = re.compile(r"(?<!\d)(\d{17})(?:叉|[^\dA-Za-z]{1,5}[Xx](?![A-Za-z]))")
"""An X that is said, or has words before it: 大写X."""
DEFAULT_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that no font shows: Unicode's property Default_Ignorable_Code_Point."""
_KEYCAP = "\u20e3"


def compact(text: str) -> str:
    """Bring a typed number into stored form; the check digit catches what is cleaned too generously.

    >>> compact(" １１０１０５-19491231-002ｘ ")
    '11010519491231002X'
    """
    return _NOISE.sub("", visible(text)).upper()


def visible(text: str) -> str:
    """The visible characters of a text, with the digits of any script as ASCII digits.

    >>> visible("１٢۳\ufe0f")
    '123'
    >>> visible("一一〇一〇五一九四九一二三一〇〇二叉")
    '11010519491231002X'
    """
    number = unicodedata.normalize("NFKC", text).translate(_LOOKS_LIKE_X)
    kept = "".join(each for each in number if unicodedata.category(each) != "Cf" and each != _KEYCAP)
    plain = "".join(str(unicodedata.decimal(each, each)) for each in DEFAULT_IGNORABLE.sub("", kept))
    return _WITH_LETTERS.sub(_from_letters, _LAST_X.sub(r"\1X", _HAN_DIGITS.sub(_from_hanzi, plain)))


def _from_hanzi(number: re.Match[str]) -> str:
    return "".join(f"{unicodedata.numeric(each, 0):.0f}" for each in number[0] if re.match(_HAN_DIGIT, each))


def _from_letters(number: re.Match[str]) -> str:
    is_number = sum(each.isalpha() for each in number[0][:-1]) <= _MOST_LETTERS
    return number[0].translate(_LETTERS_FOR_DIGITS) if is_number else number[0]


def find_number(text: str, today: date) -> tuple[str | NumberProblem, str]:
    """Return the one valid number in a text, or what is wrong with it, and the text around the number.

    A text without any number gives `CHARACTERS`, and is then its own rest.

    >>> find_number("身份证号：11010519491231002X。", date(2026, 1, 1))
    ('11010519491231002X', '身份证号: 。')
    """
    whole = check_number(text, today)
    is_text = whole is NumberProblem.CHARACTERS or whole is NumberProblem.LENGTH
    if not is_text or len(text) > _MAX_INPUT:
        return whole, ""
    plain = visible(text)
    for pattern in (_IN_ONE_PIECE, _IN_GROUPS) if whole is NumberProblem.CHARACTERS else (_IN_ONE_PIECE,):
        if found := _read_each(pattern, plain, today):
            return found, pattern.sub(" ", plain)
    return _unreadable(NumberProblem(whole), plain, today)


def _unreadable(whole: NumberProblem, text: str, today: date) -> tuple[NumberProblem, str]:
    """What a text holds that has no number of 18 characters."""
    if other_documents.has_number(text.upper()) or other_documents.are_named(text):
        return NumberProblem.OTHER_DOCUMENT, text
    for pattern in (_OLD_FOREIGNER, _DIGITS):
        found = _read_each(pattern, text, today)
        if isinstance(found, NumberProblem):
            return found, pattern.sub(" ", text)
    return whole, text


def _read_each(pattern: re.Pattern[str], text: str, today: date) -> str | NumberProblem | None:
    """The only valid number that a pattern finds, or else the problem of the only number."""
    checked = {compact(typed): check_number(typed, today) for typed in pattern.findall(text)}
    valid = [number for number in checked.values() if not isinstance(number, NumberProblem)]
    candidates = valid or list(checked.values())
    if len(candidates) > 1:
        return NumberProblem.SEVERAL
    return candidates[0] if candidates else None


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
