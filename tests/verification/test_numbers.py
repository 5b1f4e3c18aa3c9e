from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from verification.identity import Number, read_number
from verification.numbers import NumberProblem, check_number, compact, foreigner, permit, resident

TODAY = date(2026, 11, 23)

RESIDENTS = [
    "11010519491231002X",
    "440524188001010014",
    "360426199101010071",
    "11010219840406970X",
    "440308199901101512",
    "500154199301135886",
    "11010119900307803X",
    "110101199003077838",
]
PERMITS = ["810000199408230021", "820000199001010010", "830000199201300022", "710000199001010015"]
FOREIGNERS = ["932682198501010017", "911124198108030024"]
SLIPS = ["110105194912310021", "11204416541220243X", "440111199001010000"]
RIGHT = RESIDENTS + PERMITS + FOREIGNERS

numbers = st.sampled_from(RIGHT)
residents = st.sampled_from(RESIDENTS)
FULL_WIDTH = str.maketrans("0123456789Xx", "０１２３４５６７８９Ｘｘ")


@pytest.mark.parametrize("number", RESIDENTS)
def test_inv35_a_resident_number_is_accepted(number: str) -> None:
    assert read_number(number, TODAY) == Number(number)
    assert resident.matches(number)


@pytest.mark.parametrize("number", PERMITS)
def test_a_residence_permit_is_reported_as_one(number: str) -> None:
    assert check_number(number, TODAY) is NumberProblem.PERMIT
    assert permit.matches(number)


@pytest.mark.parametrize("number", [*FOREIGNERS, "CHN110101900101", "chn 1101 0190 0101"])
def test_a_foreigners_card_is_reported_as_one(number: str) -> None:
    assert check_number(number, TODAY) is NumberProblem.FOREIGNER


@pytest.mark.parametrize("number", SLIPS)
def test_a_wrong_check_digit_is_reported_as_one(number: str) -> None:
    assert check_number(number, TODAY) is NumberProblem.CHECK_DIGIT


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", NumberProblem.EMPTY),
        (" - \u200b\ufeff", NumberProblem.EMPTY),
        ("王小明", NumberProblem.CHARACTERS),
        ("1101051949123100X2", NumberProblem.CHARACTERS),
        ("11010519491231002Y", NumberProblem.CHARACTERS),
        ("<b>11010519491231002X</b>", NumberProblem.CHARACTERS),
        ("11010519491231002X" * 20, NumberProblem.CHARACTERS),
        ("1" * 4096, NumberProblem.LENGTH),
        ("ﷺ" * 4096, NumberProblem.LENGTH),
        ("11010519491231002", NumberProblem.LENGTH),
        ("1101051949123100211", NumberProblem.LENGTH),
        ("990101199003077", NumberProblem.LENGTH),
        ("110105491231002", NumberProblem.OLD_FORM),
    ],
)
def test_a_malformed_number_gives_the_reason(text: str, problem: NumberProblem) -> None:
    assert check_number(text, TODAY) is problem


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("110105194902310021", NumberProblem.DATE),
        ("110105194913310021", NumberProblem.DATE),
        ("110105000012310021", NumberProblem.DATE),
        ("110105209912310021", NumberProblem.FUTURE),
        ("100105194912310021", NumberProblem.PROVINCE),
        ("000000194912310021", NumberProblem.PROVINCE),
    ],
)
def test_a_number_with_a_correct_check_digit_gives_the_reason_of_its_content(
    number: str, problem: NumberProblem
) -> None:
    fitting = [number[:17] + character for character in "0123456789X"]
    results = [check_number(each, TODAY) for each in fitting]

    assert results.count(problem) == 1
    assert results.count(NumberProblem.CHECK_DIGIT) == 10


def test_a_birth_date_of_today_is_accepted_and_of_tomorrow_refused() -> None:
    number = "360426199101010071"

    assert check_number(number, date(1991, 1, 1)) == number
    assert check_number(number, date(1990, 12, 31)) is NumberProblem.FUTURE


def test_a_leap_day_is_a_birthday_in_leap_years_only() -> None:
    def reasons(day: str) -> set[object]:
        return {check_number(f"110105{day}002{character}", TODAY) for character in "0123456789X"}

    assert NumberProblem.DATE not in reasons("20000229")
    assert NumberProblem.DATE in reasons("19000229")


@given(number=residents, spaces=st.lists(st.integers(0, 17)), noise=st.sampled_from(" -–—\t\u00a0\u3000\u200b\u2212"))
def test_inv35_spaces_and_hyphens_do_not_change_a_number(number: str, spaces: list[int], noise: str) -> None:
    typed = number
    for at in spaces:
        typed = typed[:at] + noise + typed[at:]

    assert check_number(typed, TODAY) == number


@given(number=residents)
def test_full_width_and_lower_case_are_the_same_number(number: str) -> None:
    variants = {number.lower(), number.translate(FULL_WIDTH), number.lower().translate(FULL_WIDTH), f"\ufeff{number}\n"}

    assert {check_number(variant, TODAY) for variant in variants} == {number}


@pytest.mark.parametrize("letter", "xXｘＸ×✕Хх")
def test_look_alikes_of_x_are_accepted(letter: str) -> None:
    assert check_number("11010519491231002" + letter, TODAY) == "11010519491231002X"


@given(number=numbers, at=st.integers(0, 17), digit=st.sampled_from("0123456789"))
def test_inv35_a_single_wrong_digit_is_always_found(number: str, at: int, digit: str) -> None:
    slipped = number[:at] + digit + number[at + 1 :]

    assert slipped == number or check_number(slipped, TODAY) is NumberProblem.CHECK_DIGIT


@given(number=numbers, at=st.integers(0, 15))
def test_two_swapped_neighbours_are_always_found(number: str, at: int) -> None:
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]

    assert swapped == number or check_number(swapped, TODAY) is NumberProblem.CHECK_DIGIT


@given(text=st.text())
@example("\ud800")
@example("ΐ" * 18)
@example("²" * 18)
@example("١" * 18)
@example("𝟙" * 18)
def test_inv34_no_text_ever_raises(text: str) -> None:
    assert isinstance(check_number(text, TODAY), str)
    assert isinstance(read_number(text, TODAY), Number | NumberProblem)


@given(text=st.text(alphabet="0123456789xX０９ｘＸ -–\u3000×", max_size=40))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert compact(compact(text)) == compact(text)


@given(text=st.text(alphabet="0123456789xX０９Ｘ -", min_size=15, max_size=22))
def test_inv34_only_stored_form_is_ever_accepted(text: str) -> None:
    number = check_number(text, TODAY)

    assert isinstance(number, NumberProblem) or check_number(number, TODAY) == number == compact(number)


def test_the_old_form_of_a_foreigners_card_is_recognised() -> None:
    assert foreigner.is_old_form("CHN110101900101")
    assert not foreigner.is_old_form("110101900101CHN")


def test_the_old_form_of_a_resident_card_is_recognised() -> None:
    assert resident.is_old_form("110105491231002")
    assert not resident.is_old_form("990105491231002")
    assert not resident.is_old_form("11010549123100")


@pytest.mark.parametrize(
    "invisible", ["\ufe0d", "\ufe0f", "\u3164", "\u034f", "\u180b", "\u2065", "\U000e0100", "\u20e3"]
)
def test_characters_that_nobody_sees_do_not_matter(invisible: str) -> None:
    for number in RESIDENTS:
        assert check_number(invisible.join(["", *number, ""]), TODAY) == number


@pytest.mark.parametrize("zero", "\u0660\u06f0\u0966\uff10\U0001d7ce")
def test_digits_of_any_script_are_digits(zero: str) -> None:
    for number in RESIDENTS:
        typed = "".join(chr(ord(zero) + int(each)) if each.isdigit() else each for each in number)

        assert check_number(typed, TODAY) == number
