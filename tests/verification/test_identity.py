import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.each_case import each_case
from tests.fakes import NUMBER, make_attempt, make_identity
from verification.identity import (
    NAME_LIMIT,
    Identity,
    Name,
    NameProblem,
    Number,
    clean_name,
    mask_account,
    read_name,
)

names = st.sampled_from(["王小明", "李雷", "韩梅梅", "阿依古丽·买买提", "王", "Li Lei", "O’Brien"])
accounts = st.builds("{}:{}".format, st.sampled_from(["telegram", "web", "a:b"]), st.text("0123456789abc", min_size=1))


@pytest.mark.parametrize(
    "typed",
    [
        "王",
        "王小明",
        "李雷",
        "阿依古丽·买买提",
        "𠮷野",
        "\U00030edd\U00030ede",
        "\U000323b0",
        "〇",
        "王\ue000",
        "Li Lei",
        "Jean-Pierre",
        "O'Brien",
        "O’Brien",
        "José",
        "Müller",
        "अमित",
        "阿" * NAME_LIMIT,
        "𠮷" * NAME_LIMIT,
    ],
)
def test_inv34_a_name_is_kept_as_written(typed: str) -> None:
    assert read_name(typed) == Name(typed)


@each_case("dot", "·•∙・･‧⋅●.．。｡˙ㆍᐧꞏ᛫⸱⸳∘-‐‑–—−－")
def test_every_look_alike_dot_becomes_the_separator(dot: str) -> None:
    assert read_name(f"阿依古丽{dot}买买提") == Name("阿依古丽·买买提")
    assert read_name(f" 阿依古丽 {dot}{dot} 买买提·") == Name("阿依古丽·买买提")


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        (" 王 小 明 ", "王小明"),
        ("王\u3000小明", "王小明"),
        ("王\n小明", "王小明"),
        ("\t王小明\n", "王小明"),
        ("  Li   Lei ", "Li Lei"),
        ("Ｌｉ　Ｌｅｉ", "Li Lei"),
        ("⽟小明", "玉小明"),
        ("马⻰", "马龙"),
        ("⻢⻰⻜", "马龙飞"),
        ("葛\U000e0100飾", "葛飾"),
        ("王\ufe00小明", "王小明"),
        ("Jose\u0301", "José"),
        ("J. Smith", "J·Smith"),
        ("阿依古丽 买买提", "阿依古丽·买买提"),
        ("艾力　买买提", "艾力·买买提"),
        ("欧阳 小明", "欧阳小明"),
        ("阿依古丽· 买买提", "阿依古丽·买买提"),
    ],
)
def test_inv35_common_ways_of_typing_are_accepted(typed: str, cleaned: str) -> None:
    assert read_name(typed) == Name(cleaned)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", NameProblem.EMPTY),
        (" \u3000\n", NameProblem.EMPTY),
        ("···", NameProblem.EMPTY),
        ("阿" * (NAME_LIMIT + 1), NameProblem.TOO_LONG),
        ("阿" * 4096, NameProblem.TOO_LONG),
        ("王\u200b小明", NameProblem.INVISIBLE),
        ("\u202e明小王", NameProblem.INVISIBLE),
        ("王\x00小明", NameProblem.INVISIBLE),
        ("王\u2066小明\u2069", NameProblem.INVISIBLE),
        ("王\u3164小明", NameProblem.INVISIBLE),
        ("王\u034f小明", NameProblem.INVISIBLE),
        ("王⿱龙天", NameProblem.DESCRIBED),
        ("⿰⿱", NameProblem.DESCRIBED),
        ("11010519491231002X", NameProblem.NUMBER),
        ("１１０１０５１９４９１２３１００２Ｘ", NameProblem.NUMBER),
        ("王小明2", NameProblem.CHARACTERS),
        ("王小明😀", NameProblem.CHARACTERS),
        ("😀" * 100, NameProblem.TOO_LONG),
        ("😀", NameProblem.CHARACTERS),
        ("<b>王小明</b>", NameProblem.CHARACTERS),
        ("';--", NameProblem.CHARACTERS),
        ("{0}", NameProblem.CHARACTERS),
        ("%s", NameProblem.CHARACTERS),
        ("../", NameProblem.CHARACTERS),
        ("/start", NameProblem.CHARACTERS),
        ("--", NameProblem.CHARACTERS),
        ("'", NameProblem.CHARACTERS),
        ("\u0301\u0301", NameProblem.CHARACTERS),
        ("王\ud83d", NameProblem.CHARACTERS),
        ("王,小明", NameProblem.CHARACTERS),
        ("我叫王小明！", NameProblem.CHARACTERS),
    ],
)
def test_inv34_a_text_that_cannot_be_a_name_gives_the_reason(typed: str, problem: NameProblem) -> None:
    assert read_name(typed) is problem


@pytest.mark.parametrize("letter", ["X", "x", "A", "Z", "王", "ä"])
def test_no_letter_at_an_end_of_a_name_is_cleaned_away(letter: str) -> None:
    name = f"{letter}u Ximen{letter}"

    assert clean_name(f" ·{name}· ") == name


@pytest.mark.parametrize("examples", [100, pytest.param(1000, marks=pytest.mark.slow("fuzz"))])
def test_cleaning_twice_changes_nothing_more(examples: int) -> None:
    @settings(max_examples=examples)
    @given(text=st.text())
    @example("· \n·A")
    @example("王 \u0301")
    def check(text: str) -> None:
        assert clean_name(clean_name(text)) == clean_name(text)

    check()


@given(text=st.text())
@example("\ud800")
def test_inv34_no_text_ever_raises(text: str) -> None:
    name = read_name(text)

    assert isinstance(name, NameProblem) or 1 <= len(name.plain) <= NAME_LIMIT


@given(text=st.text())
def test_an_accepted_name_is_in_stored_form(text: str) -> None:
    name = read_name(text)

    assert isinstance(name, NameProblem) or read_name(name.plain) == name


@given(
    name=names,
    typed=st.lists(st.sampled_from([" ", "\u3000", "•", "．"]), max_size=3).map("".join),
)
def test_spaces_and_dots_around_a_name_do_not_matter(name: str, typed: str) -> None:
    assert read_name(typed + name + typed) == Name(name)


@pytest.mark.parametrize(
    ("plain", "masked"),
    [("王", "*"), ("李雷", "李*"), ("王小明", "王*明"), ("阿依古丽·买买提", "阿******提"), ("𠮷野家", "𠮷*家")],
)
def test_a_masked_name_shows_its_ends(plain: str, masked: str) -> None:
    assert Name(plain).masked == masked


@given(plain=st.text(min_size=1, max_size=NAME_LIMIT))
def test_a_mask_shows_at_most_two_characters_of_a_name_and_never_all(plain: str) -> None:
    masked = Name(plain).masked

    assert len(masked) == len(plain)
    assert sum(shown == own != "*" for shown, own in zip(masked, plain, strict=True)) <= min(2, len(plain) - 1)


def test_a_masked_number_hides_the_birth_date() -> None:
    assert Number(NUMBER).masked == "110105********002X"


def test_an_accounts_mask_keeps_its_kind_and_ends() -> None:
    assert mask_account("telegram:100012345") == "telegram:10*****45"
    assert mask_account("telegram:123") == "telegram:1*3"
    assert mask_account("plain") == "p***n"


@given(account=accounts)
def test_an_accounts_mask_always_hides_something(account: str) -> None:
    own, masked = account.rpartition(":")[2], mask_account(account).rpartition(":")[2]
    shown = masked.replace("*", "")

    assert "*" in masked
    assert len(shown) < len(own)
    assert len(shown) <= 4


def test_a_very_short_account_is_masked_entirely() -> None:
    assert [mask_account(f"web:{own}") for own in ("", "1", "12")] == ["web:*", "web:*", "web:**"]


def test_no_repr_shows_a_name_a_number_or_a_token() -> None:
    shown = repr(
        [Name("王小明"), Number(NUMBER), Identity(Name("王小明"), Number(NUMBER)), make_identity(), make_attempt()]
    )

    assert not any(secret in shown for secret in ("王", "小明", NUMBER, NUMBER[6:14], "token-of"))


@pytest.mark.parametrize("letter", ["x", "王", "ﷺ", " "])
def test_a_huge_text_is_refused_without_cleaning(letter: str) -> None:
    # NFKC would turn the Arabic letters into 73,728 characters.
    assert read_name(letter * 4096) is NameProblem.TOO_LONG


# U+2E9A is not assigned; no ideograph looks like the sign of repetition, U+2E80.
RADICALS = [*map(chr, range(0x2E80, 0x2E9A)), *map(chr, range(0x2E9B, 0x2EF4)), *map(chr, range(0x2F00, 0x2FD6))]
REPETITION = "\u2e80"


@each_case("radical", RADICALS)
def test_a_radical_becomes_the_ideograph_that_looks_the_same(radical: str) -> None:
    cleaned = clean_name(f"王{radical}")

    assert cleaned[0] == "王"
    assert bool(re.fullmatch("[\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0003ffff]", cleaned[1])) is (
        radical != REPETITION
    )
