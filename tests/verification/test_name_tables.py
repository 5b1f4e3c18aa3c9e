"""The characters of a name, kind by kind, and its edges; nothing here is taken from the code that is tried."""

import pytest

from tests.fakes import NOON
from verification.dialogue_store import Dialogue
from verification.identity import Name, NameProblem, mask_account, read_name
from verification.ids import PersonId

# One letter of each Unicode category that a name may hold, none of which NFKC changes.
LETTERS = {"Lu": "Ж", "Ll": "ж", "Lt": "ᾈ", "Lm": "ー", "Lo": "अ", "Han": "王", "private use": "\ue000"}
MARKS = {"Mn": ("अ", "\u0941"), "Mc": ("अ", "\u093e")}
HAN_RANGES = [
    *(("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\ue000", "\uf8ff"), ("\U00020000", "\U0003ffff")),
    ("\ufa0e", "\ufa0f"),  # of the compatibility ideographs NFKC leaves only a dozen as they are
]
INVISIBLE = {"Cf": "\u200d", "Cc": "\x07", "Zl": "\u2028", "Zp": "\u2029"}
REFUSED = {"Nd": "5", "Nl": "ↂ", "Po": "!", "Sm": "+", "So": "☺", "Sc": "€", "Ps": "(", "Me": "\u20dd", "Sk": "^"}


@pytest.mark.parametrize("kind", LETTERS)
def test_each_kind_of_letter_alone_is_a_name(kind: str) -> None:
    assert read_name(LETTERS[kind]) == Name(LETTERS[kind])
    assert read_name(LETTERS[kind] * 50) == Name(LETTERS[kind] * 50)


@pytest.mark.parametrize("kind", MARKS)
def test_a_mark_belongs_to_a_letter(kind: str) -> None:
    letter, mark = MARKS[kind]

    assert read_name(letter + mark) == Name(letter + mark)
    assert read_name(mark) is NameProblem.CHARACTERS


@pytest.mark.parametrize("ends", HAN_RANGES)
def test_the_first_and_the_last_of_each_range_of_hanzi_need_no_space(ends: tuple[str, str]) -> None:
    for letter in ends:
        assert read_name(letter) == Name(letter)
        assert read_name(f"A {letter} B") == Name(f"A{letter}B")


@pytest.mark.parametrize("joiner", [" ", "-", "'", "’", "·"])
def test_each_joiner_stands_between_letters_and_is_no_name_alone(joiner: str) -> None:
    assert read_name(f"Li{joiner}Lei") == Name(f"Li{joiner}Lei")
    assert read_name(joiner * 3) in (NameProblem.CHARACTERS, NameProblem.EMPTY)


@pytest.mark.parametrize("kind", INVISIBLE)
def test_each_invisible_kind_is_called_so(kind: str) -> None:
    between = f"A{INVISIBLE[kind]}B"

    # Line and paragraph separators are spaces to the cleaning beside hanzi alone.
    assert read_name(between) is NameProblem.INVISIBLE


@pytest.mark.parametrize("kind", REFUSED)
def test_each_other_kind_is_refused(kind: str) -> None:
    assert read_name(f"王{REFUSED[kind]}明") is NameProblem.CHARACTERS


@pytest.mark.parametrize(("digits", "problem"), [(14, NameProblem.CHARACTERS), (15, NameProblem.NUMBER)])
def test_fifteen_digits_are_a_number(digits: int, problem: NameProblem) -> None:
    assert read_name("1" * digits) is problem
    assert read_name("王" + "1" * digits) is problem


@pytest.mark.parametrize(("length", "accepted"), [(49, True), (50, True), (51, False)])
def test_a_name_has_up_to_fifty_characters(length: int, accepted: bool) -> None:
    assert read_name("阿" * length) == (Name("阿" * length) if accepted else NameProblem.TOO_LONG)


@pytest.mark.parametrize(("length", "accepted"), [(400, True), (401, False)])
def test_a_text_is_cleaned_up_to_400_characters(length: int, accepted: bool) -> None:
    assert read_name("王" + " " * (length - 1)) == (Name("王") if accepted else NameProblem.TOO_LONG)


@pytest.mark.parametrize(
    ("own", "masked"),
    [
        *(("", "*"), ("1", "*"), ("12", "**"), ("123", "1*3"), ("1234", "1**4"), ("12345", "1***5")),
        *(("123456", "12**56"), ("1234567", "12***67")),
    ],
)
def test_an_account_of_each_length_is_masked(own: str, masked: str) -> None:
    assert mask_account(f"cloud:{own}") == f"cloud:{masked}"
    assert mask_account(own) == masked


def test_no_repr_of_a_dialogue_shows_its_text() -> None:
    dialogue = Dialogue(person=PersonId("telegram:1"), text="王小明", language=None, revision=1, shown=0, panel="")

    assert "王小明" not in repr(dialogue)
    assert (dialogue.blocked, NOON.tzinfo is not None) == (False, True)
