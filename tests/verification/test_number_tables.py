"""The tables behind an ID number, every row of them: provinces, permits, dates; the oracle is written down here."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.identity import Number, read_number
from verification.numbers import NumberProblem, check_number, foreigner, permit, resident

TODAY = date(2026, 11, 23)

# GB/T 2260, the codes of the provinces, municipalities and autonomous regions of the mainland.
PROVINCES = {
    **{"11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古"},
    **{"21": "辽宁", "22": "吉林", "23": "黑龙江"},
    **{"31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西", "37": "山东"},
    **{"41": "河南", "42": "湖北", "43": "湖南", "44": "广东", "45": "广西", "46": "海南"},
    **{"50": "重庆", "51": "四川", "52": "贵州", "53": "云南", "54": "西藏"},
    **{"61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏", "65": "新疆"},
}
# Taiwan's province code, and the permits of Hong Kong, Macau and Taiwan.
PERMITS = {"71", "81", "82", "83"}
CODES = [f"{code:02}" for code in range(100)]

# GB 11643-1999: the weight of each of the 17 digits, and the check character of each remainder.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"


def with_check(body: str) -> str:
    """A number of 17 digits with the check character of the standard."""
    remainder = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11
    return body + CHECK_CHARACTERS[remainder]


def born_on(day: str, province: str = "11") -> str:
    return with_check(f"{province}0105{day}002")


def expected_of_code(code: str) -> NumberProblem | None:
    if code in PERMITS:
        return NumberProblem.PERMIT
    if code.startswith("9"):
        return NumberProblem.FOREIGNER
    return None if code in PROVINCES else NumberProblem.PROVINCE


def test_the_oracle_knows_the_standard_s_own_examples() -> None:
    assert with_check("11010519491231002") == "11010519491231002X"
    assert with_check("44052418800101001") == "440524188001010014"
    assert len(PROVINCES) == 31


@pytest.mark.parametrize("code", CODES)
def test_inv35_a_number_of_each_code_is_judged_as_the_table_says(code: str) -> None:
    problem = expected_of_code(code)
    for sequence in ("000", "001", "999"):
        number = with_check(f"{code}010219900307{sequence}")

        assert check_number(number, TODAY) == (problem or number)
        assert read_number(number, TODAY) == (problem or Number(number))
    found = {
        "resident": resident.matches(number),
        "permit": permit.matches(number),
        "foreigner": foreigner.matches(number),
    }

    assert found == {
        "resident": code in PROVINCES,
        "permit": code in PERMITS,
        "foreigner": code.startswith("9"),
    }


def test_the_old_form_of_15_digits_is_known_in_each_province_and_nowhere_else() -> None:
    judged = {code: check_number(f"{code}0105491231002", TODAY) for code in CODES}

    assert {code for code, problem in judged.items() if problem is NumberProblem.OLD_FORM} == set(PROVINCES)
    assert set(judged.values()) == {NumberProblem.OLD_FORM, NumberProblem.LENGTH}


@pytest.mark.parametrize("length", [*range(1, 15), 16, 17, 19, 20, 30])
def test_a_number_of_any_other_length_is_told_its_length(length: int) -> None:
    assert check_number(("110105491231002" * 2)[:length], TODAY) is NumberProblem.LENGTH


@pytest.mark.parametrize("length", [399, 400, 401, 1000])
def test_a_text_is_cleaned_up_to_400_characters(length: int) -> None:
    number = "11010519491231002X"
    spaced = number + " " * (length - len(number))

    assert check_number(spaced, TODAY) == (number if length <= 400 else NumberProblem.LENGTH)


@pytest.mark.parametrize("letters", ["", "C", "CH", "CHN", "CHNA"])
@pytest.mark.parametrize("digits", [11, 12, 13])
def test_the_old_form_of_a_foreigner_has_three_letters_and_twelve_digits(letters: str, digits: int) -> None:
    number = letters + "110101900101"[:11] + "1" * (digits - 11)
    expected = (len(letters), digits) == (3, 12)

    assert (check_number(number, TODAY) is NumberProblem.FOREIGNER) is expected


@pytest.mark.parametrize("remainder", range(11))
def test_each_check_character_is_accepted_where_it_belongs_and_refused_elsewhere(remainder: int) -> None:
    body = next(
        body
        for body in (f"11010519900307{sequence:03}" for sequence in range(1000))
        if with_check(body)[-1] == CHECK_CHARACTERS[remainder]
    )
    accepted = [character for character in CHECK_CHARACTERS if check_number(body + character, TODAY) != "check_digit"]

    assert accepted == [CHECK_CHARACTERS[remainder]]


@pytest.mark.parametrize(
    ("day", "exists"),
    [
        ("00000101", False),
        ("00010101", True),
        ("18000101", True),
        ("18991231", True),
        ("19000101", True),
        ("19000228", True),
        ("19000229", False),
        ("19040229", True),
        ("19960229", True),
        ("19970229", False),
        ("20000229", True),
        ("20240229", True),
        ("20230229", False),
        ("19900001", False),
        ("19900100", False),
        ("19900132", False),
        ("19900230", False),
        ("19900431", False),
        ("19900430", True),
        ("19901231", True),
        ("19901301", False),
        ("19909999", False),
    ],
)
def test_a_birth_date_must_be_in_the_calendar(day: str, exists: bool) -> None:
    assert check_number(born_on(day), TODAY) == (born_on(day) if exists else NumberProblem.DATE)


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31), date(2000, 2, 28)])
@pytest.mark.parametrize(("later", "accepted"), [(-1, True), (0, True), (1, False), (366, False)])
def test_a_person_is_born_today_at_the_latest(today: date, later: int, accepted: bool) -> None:
    number = born_on(f"{today + timedelta(days=later):%Y%m%d}")

    assert check_number(number, today) == (number if accepted else NumberProblem.FUTURE)


@pytest.mark.parametrize(
    ("problem", "number"),
    [
        (NumberProblem.DATE, "90" + "0105" + "19900230" + "002"),
        (NumberProblem.FUTURE, "81" + "0000" + "20990101" + "002"),
        (NumberProblem.FUTURE, "90" + "0105" + "20990101" + "002"),
        (NumberProblem.FUTURE, "99" + "0105" + "20990101" + "002"),
        (NumberProblem.DATE, "00" + "0105" + "19900230" + "002"),
    ],
)
def test_a_number_that_is_wrong_is_called_wrong_before_it_is_sent_elsewhere(
    problem: NumberProblem, number: str
) -> None:
    assert check_number(with_check(number), TODAY) is problem


days = st.dates(date(1800, 1, 1), TODAY)


@given(province=st.sampled_from(sorted(PROVINCES)), county=st.integers(0, 9999), day=days, sequence=st.integers(0, 999))
def test_inv35_any_number_that_the_standard_allows_is_accepted(
    province: str, county: int, day: date, sequence: int
) -> None:
    number = with_check(f"{province}{county:04}{day:%Y%m%d}{sequence:03}")

    assert read_number(number, TODAY) == Number(number)
    assert Number(number).masked == number[:6] + "********" + number[14:]
