"""Whether all of a text can be read as listed words, however it is cut."""

import pytest

from bot.flow.segmentation import MAX_LETTERS, Letters, can_be_read, kinds_of, letters_of

FILLERS = frozenset(["我", "的", "吧", "好", "please"])
METHOD = (kinds_of("微信 wechat"),)
METHOD_AND_CHANGE = (kinds_of("微信 wechat", "换 change"),)


@pytest.mark.parametrize(
    ("text", "letters", "ends"),
    [
        ("用 微信！", "用微信", {1, 2, 3}),
        ("I don't, OK", "idontok", {1, 5, 7}),
        ("ＷｅＣｈａｔ吧", "wechat吧", {6, 7}),
        ("換微信", "换微信", {1, 2, 3}),
        ("你好，微信", "微信", {1, 2}),
        ("🙂", "", set()),
    ],
)
def test_a_text_is_reduced_to_letters_and_the_places_where_words_end(text: str, letters: str, ends: set[int]) -> None:
    assert letters_of(text) == Letters(letters, frozenset(ends))


def test_a_text_that_says_more_than_a_button_is_not_read() -> None:
    longest = "微" * (MAX_LETTERS - 1)

    assert letters_of(longest).text == longest
    assert letters_of(longest + "微") == Letters() == Letters("", frozenset())


def test_a_part_is_a_text_of_its_own() -> None:
    assert letters_of("我用wechat吧").cut(1, 8) == Letters("用wechat", frozenset({1, 7}))


@pytest.mark.parametrize("text", ["微信", "我的微信吧", "好吧微信", "wechat please", "微信微信"])
def test_a_text_of_words_and_fillers_is_read(text: str) -> None:
    assert can_be_read(letters_of(text), METHOD, FILLERS)


@pytest.mark.parametrize("text", ["", "好吧", "微信群", "不用微信", "wechatplease", "pleasewechat", "微"])
def test_a_text_with_anything_else_or_without_a_word_is_not_read(text: str) -> None:
    assert not can_be_read(letters_of(text), METHOD, FILLERS)


def test_a_combination_needs_a_word_of_each_kind_in_any_order() -> None:
    read = {
        text: can_be_read(letters_of(text), METHOD_AND_CHANGE, FILLERS) for text in ("换微信", "微信换吧", "微信", "换")
    }

    assert read == {"换微信": True, "微信换吧": True, "微信": False, "换": False}


def test_one_reading_of_several_is_enough() -> None:
    readings = (*METHOD_AND_CHANGE, *METHOD)

    assert can_be_read(letters_of("微信吧"), readings, FILLERS)
