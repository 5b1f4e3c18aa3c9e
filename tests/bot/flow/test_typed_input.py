"""The words that a person may type instead of pressing a button or giving a command."""

import pytest

from bot.content.search import simplify
from bot.flow import typed_words
from bot.flow.events import Choice, Command, Said
from bot.flow.machine import advance, choices, row_for_event, row_for_trigger
from bot.flow.states import AskingName, AskingNumber, ChangingName, ChangingNumber, State
from bot.flow.typed_input import (
    denied_methods,
    is_about_code,
    is_against_reminders,
    is_button_word,
    is_done,
    is_question,
    match_choice,
    match_command,
    normalize,
)
from tests.bot.flow.samples import CONTEXT, GARBAGE, PEOPLE, STATE_KINDS, STATES, texts, words_of
from tests.each_case import each_case

TRADITIONAL_FORMS = [chr(code) for code in range(0x4E00, 0xA000) if simplify(chr(code)) != chr(code)]
ALL: tuple[Choice | Command, ...] = (*Choice, *Command)


@each_case("meant", ALL, lambda meant: f"{type(meant).__name__}-{meant}")
def test_every_word_is_listed_as_it_is_compared(meant: Choice | Command) -> None:
    assert [word for word in words_of(meant) if normalize(word) != word] == []


@each_case("meant", ALL, lambda meant: f"{type(meant).__name__}-{meant}")
def test_no_word_is_listed_twice_or_is_a_number(meant: Choice | Command) -> None:
    listed = words_of(meant)

    assert len(set(listed)) == len(listed)
    assert not [word for word in listed if word.isdigit()]


def test_every_choice_and_command_may_be_typed() -> None:
    assert [meant for meant in ALL if not words_of(meant)] == [Command.UNKNOWN]


@pytest.mark.parametrize("kind", STATE_KINDS)
def test_a_word_means_one_choice_of_a_question_only(kind: type[State]) -> None:
    for choice in choices(kind):
        for word in words_of(choice):
            assert match_choice(word, choices(kind)) is choice, word
            assert [other for other in choices(kind) if word in words_of(other)] == [choice]


def test_a_word_means_one_command_only() -> None:
    for command in Command:
        for word in words_of(command):
            assert match_command(word) is command, word


@pytest.mark.parametrize("kind", STATE_KINDS)
def test_a_word_that_is_a_choice_and_a_command_means_the_same_thing(kind: type[State]) -> None:
    """Back and cancel are the same as button and as command; the choice to begin is the command /start."""
    same = {Choice.BACK: Command.BACK, Choice.CANCEL: Command.CANCEL, Choice.BEGIN: Command.START}
    both = {
        (choice, match_command(word)) for choice in choices(kind) for word in words_of(choice) if match_command(word)
    }

    assert both <= set(same.items())


@pytest.mark.parametrize(
    "typed",
    [
        "取消",
        " 取消。",
        "「取消」",
        "/cancel",
        "CANCEL",
        "Cancel!",
        "ｃａｎｃｅｌ",
        "取\u200b消",
        "❌ 取消",
        "\u202e取消",
    ],
)
def test_case_spaces_punctuation_and_pictures_do_not_matter(typed: str) -> None:
    assert match_command(typed) is Command.CANCEL
    assert match_choice(typed, [Choice.CANCEL]) is Choice.CANCEL


@pytest.mark.parametrize("typed", ["取消吧不对", "我不想取消", "cancel culture", "x" * 4096, "", "🙂", "取消" * 100])
def test_a_sentence_around_a_word_is_not_the_word(typed: str) -> None:
    assert match_command(typed) is None
    assert match_choice(typed, [Choice.CANCEL]) is None


@pytest.mark.parametrize("typed", ["1", " 1 ", "1.", "(1)", "１", "①", "1️⃣", "01"])
def test_a_number_means_the_position_of_a_button(typed: str) -> None:
    assert match_choice(typed, [Choice.AGREE, Choice.NOT_NOW]) is Choice.AGREE


@pytest.mark.parametrize("typed", ["0", "3", "99", "9" * 4096, "٣", "Ⅷ", "一"])
def test_any_other_number_means_no_position(typed: str) -> None:
    assert match_choice(typed, [Choice.AGREE, Choice.NOT_NOW]) is None


def test_of_a_text_160_characters_are_compared() -> None:
    assert match_command("取消".rjust(160)) is Command.CANCEL
    assert match_command("取消".rjust(161)) is None


@pytest.mark.parametrize(
    ("choice", "typed"),
    [
        (Choice.WECHAT, "用微信吧"),
        (Choice.WECHAT, "我選微信掃碼，謝謝"),
        (Choice.WECHAT, "不想刷脸，用微信"),
        (Choice.WECHAT, "I would like to use WeChat please"),
        (Choice.QQ, "not WeChat, QQ please"),
        (Choice.QQ, "没有微信 用QQ"),
        (Choice.QQ, "第二个"),
        (Choice.QQ, "the second one"),
        (Choice.FACE, "微信不行，我用刷脸"),
        (Choice.CHANGE_NAME, "我名字填错了"),
        (Choice.CHANGE_NAME, "名字里那个字不对"),
        (Choice.CHANGE_NUMBER, "the ID number is wrong"),
        (Choice.CANCEL, "取消吧不弄了"),
    ],
)
def test_a_choice_may_be_said_in_own_words(choice: Choice, typed: str) -> None:
    offered = [Choice.WECHAT, Choice.QQ, Choice.FACE, Choice.CHANGE_NAME, Choice.CHANGE_NUMBER, Choice.CANCEL]

    assert match_choice(typed, offered) is choice


@pytest.mark.parametrize(
    "typed",
    [
        *("微信可以吗", "能用微信不", "is it WeChat", "不用微信", "微信和QQ", "第九个", "不取消", "别取消", "名字没错"),
        *("WeChatter", "usewechat", "用微信" * 14, "我不同意取消"),
    ],
)
def test_a_question_a_denial_or_any_further_word_is_no_choice(typed: str) -> None:
    assert match_choice(typed, [Choice.WECHAT, Choice.QQ, Choice.CHANGE_NAME, Choice.CANCEL]) is None


@pytest.mark.parametrize(
    "typed",
    ["好的，我再想想", "好吧算了", "I disagree", "我才不同意", "可以不同意吗", "选1个同意", "ok but why"],
)
def test_consent_is_given_beyond_doubt_only(typed: str) -> None:
    assert match_choice(typed, [Choice.AGREE]) is None


@pytest.mark.parametrize("typed", ["我同意了", "好的好的", "ok, I agree", "同意吧，謝謝"])
def test_consent_may_be_given_politely(typed: str) -> None:
    assert match_choice(typed, [Choice.AGREE]) is Choice.AGREE


@pytest.mark.parametrize(
    "listed",
    [
        typed_words.FILLERS,
        typed_words.FILLERS_OF_CONSENT,
        typed_words.FILLERS_OF_DOUBT,
        typed_words.CODE,
        typed_words.DONE,
    ],
)
def test_every_other_word_is_listed_as_it_is_compared(listed: str) -> None:
    assert [word for word in listed.split() if normalize(word) != word] == []


COMBINATIONS = [
    (choice, kinds) for choice, combinations in typed_words.CHOICE_COMBINATIONS.items() for kinds in combinations
]


def texts_of(combination: typed_words.Combination) -> list[str]:
    """Each word of every kind, with the first word of each other kind."""
    kinds = [words.split() for words in combination]
    firsts = [words[0] for words in kinds]
    return [
        " ".join([*firsts[:place], word, *firsts[place + 1 :]]) for place, words in enumerate(kinds) for word in words
    ]


@pytest.mark.parametrize(("choice", "combination"), COMBINATIONS)
def test_the_words_of_a_combination_mean_the_choice(choice: Choice, combination: typed_words.Combination) -> None:
    assert {match_choice(text, (choice,), by_position=False) for text in texts_of(combination)} == {choice}


@pytest.mark.parametrize(
    ("command", "combination"),
    [(command, kinds) for command, combinations in typed_words.COMMAND_COMBINATIONS.items() for kinds in combinations],
)
def test_the_words_of_a_combination_mean_the_command(command: Command, combination: typed_words.Combination) -> None:
    assert {match_command(text) for text in texts_of(combination)} == {command}


def test_the_words_about_reminders_or_the_code_mean_that() -> None:
    assert [text for text in texts_of(typed_words.REMINDER_COMBINATION) if not is_against_reminders(text)] == []
    assert [text for text in texts_of(typed_words.CODE_COMBINATION) if not is_about_code(text)] == []


def test_every_word_of_a_position_means_it() -> None:
    offered = (Choice.WECHAT, Choice.QQ, Choice.FACE, Choice.CHANGE_NAME, Choice.CHANGE_NUMBER)
    for choice, words in zip(offered, typed_words.ORDINALS, strict=True):
        assert {match_choice(word, offered) for word in words.split()} == {choice}


def test_every_word_may_be_typed_in_traditional_characters() -> None:
    # The table is the part of the FAQ search's that these words need.
    listed = str([value for name, value in vars(typed_words).items() if name.isupper() and name != "TRADITIONAL"])

    assert {ord(old): ord(simplify(old)) for old in TRADITIONAL_FORMS if simplify(old) in listed} == (
        typed_words.TRADITIONAL
    )


CHINESE = (
    *(
        "吗",
        "嗎",
        "呢",
        "怎么",
        "怎麼",
        "怎样",
        "怎樣",
        "如何",
        "为什么",
        "为何",
        "為什麼",
        "為何",
        "什么",
        "什麼",
        "哪里",
    ),
    *(
        "多久",
        "多长时间",
        "多長时间",
        "几个",
        "几個",
        "几次",
        "几天",
        "幾個",
        "幾次",
        "幾天",
        "多少",
        "能不能",
        "可不可以",
    ),
    *("是不是", "有没有", "要不要", "会不会"),
)
ANYWHERE = ("how", "what", "why", "when", "where", "which", "who")
AT_THE_START = ("can", "could", "do", "does", "is", "are", "must", "should", "will")


@each_case("word", ["?", "？", *CHINESE, *ANYWHERE])
def test_a_text_with_a_question_word_looks_like_a_question(word: str) -> None:
    assert is_question(f" 认证 {word} 认证 ")
    assert is_question(word.upper())


@pytest.mark.parametrize("word", AT_THE_START)
def test_an_english_verb_at_the_start_looks_like_a_question(word: str) -> None:
    assert is_question(f" {word.title()} it be changed")
    assert not is_question(f"认证 {word} 认证")


def test_normalizing_is_idempotent_and_limits_the_length() -> None:
    for text in texts():
        assert len(normalize(text)) <= 40
        assert normalize(normalize(text)) == normalize(text)


def test_no_name_number_or_noise_is_taken_for_a_command() -> None:
    assert [text for text in (*PEOPLE, *GARBAGE) if match_command(text)] == ["\u202e取消"]


@pytest.mark.parametrize("kind", [AskingName, AskingNumber, ChangingName, ChangingNumber])
def test_where_a_text_is_expected_a_number_is_an_answer_and_no_position(kind: type[State]) -> None:
    state = next(state for state in STATES if isinstance(state, kind))
    offered = choices(kind)
    assert offered == (Choice.BACK, Choice.CANCEL)

    for typed in ("1", "2", "①", "２", "2."):
        assert row_for_event(state, Said(typed)) is row_for_trigger(kind, Said)
        assert advance(state, Said(typed), CONTEXT).state == state


@pytest.mark.parametrize(
    "text", ["", "我要认证", "王小明", "show me", "whatever", "candy", "istanbul", "为了认证", "几何"]
)
def test_other_texts_do_not_look_like_a_question(text: str) -> None:
    assert not is_question(text)


@pytest.mark.parametrize("text", ["扫了微信切换到QQ", "scanned wechat, let me qq", "好了，换QQ"])
def test_a_wish_beside_what_is_done_is_no_report(text: str) -> None:
    assert not is_done(text)


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("没有QQ", {Choice.QQ}),
        ("不想用微信QQ", {Choice.WECHAT, Choice.QQ}),
        ("不刷脸", {Choice.FACE}),
        ("用QQ吧", set()),
        ("换种方式，不用QQ", set()),
    ],
)
def test_the_methods_that_a_text_does_without_are_known(text: str, denied: set[Choice]) -> None:
    assert denied_methods(text) == denied


def test_a_position_in_words_is_a_word_of_a_button() -> None:
    assert is_button_word("选第二个")
    assert not is_button_word("第九个")
