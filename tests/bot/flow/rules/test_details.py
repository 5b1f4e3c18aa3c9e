"""Name and number in the person's own words: what is an answer, what is answered, what is asked back."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, load
from bot.content.search import TopicSearch
from bot.flow import states
from bot.flow.effects import AskQuestion, CountQuestion, DeleteUserMessage, TopicButton, UrlButton
from bot.flow.events import Said
from bot.flow.machine import advance
from bot.flow.rows import Step
from tests.bot.flow.effect_texts import buttons, strings
from tests.bot.flow.samples import ACCOUNT, CONTEXT, NAME, ODD_NAME, OTHER_NAME, QUESTION_ID
from tests.bot.flow.transcript import TO_CONFIRM, TO_NAME, TO_NUMBER, after, holds
from tests.fakes import NUMBER, OTHER_NUMBER, make_identity
from verification.identity import Identity, Name, Number

FOLDER = Path(__file__).parent
REAL_CONTEXT = replace(CONTEXT, topics_in=TopicSearch(load(days=30).faq).topics)
"""With the FAQ that people search."""
ASKING_NAME = states.AskingName(account=ACCOUNT, question_id=QUESTION_ID)
ASKING_NUMBER = states.AskingNumber(account=ACCOUNT, question_id=QUESTION_ID, name=Name(NAME))
CHANGING_NAME = states.ChangingName(account=ACCOUNT, question_id=QUESTION_ID, identity=make_identity())
CHANGING_NUMBER = states.ChangingNumber(account=ACCOUNT, question_id=QUESTION_ID, identity=make_identity())


def lines_of(file: str) -> list[str]:
    return [line for line in (FOLDER / file).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


NAMES = [name for line in lines_of("names.txt") for name in line.partition(": ")[2].split("|")]
NOT_NAMES = lines_of("not_names.txt")


def said(text: str, state: states.State = ASKING_NAME) -> Step:
    return advance(state, Said(text), REAL_CONTEXT)


# Names


def test_no_name_is_refused_and_few_are_asked_back() -> None:
    reached = {name: type(said(name).state) for name in NAMES}
    asked_back = [name for name, state in reached.items() if state is states.CheckingName]

    assert len(NAMES) >= 200
    assert {name for name, state in reached.items() if state is not states.AskingNumber} == set(asked_back)
    assert len(asked_back) <= 0.03 * len(NAMES), asked_back


def test_a_name_that_is_asked_back_is_accepted_by_yes_and_when_it_is_typed_again() -> None:
    for name in NAMES:
        step = said(name)
        if isinstance(step.state, states.CheckingName):
            for answer in ("是的", "1", name):
                assert isinstance(said(answer, step.state).state, states.AskingNumber), (name, answer)


@pytest.mark.parametrize("state", [ASKING_NAME, CHANGING_NAME], ids=["asking", "changing"])
def test_no_other_text_becomes_a_name_without_being_asked_back(state: states.State) -> None:
    assert len(NOT_NAMES) >= 150
    for text in NOT_NAMES:
        step = said(text, state)

        assert not isinstance(step.state, states.AskingNumber), text
        if isinstance(step.state, states.Confirming):
            assert step.state.identity == make_identity(), text


LABELLED = [
    "叫我王小明就行",
    "王小明先生",
    "我叫王小明",
    "我是王小明",
    "姓名：王小明",
    "姓名:王小明",
    "姓名 王小明",
    "姓名王小明",
    "我的名字是王小明",
    "名字叫王小明",
    "我叫王小明！",
    "你好，我叫王小明，谢谢！",
    "（王小明）",
    "「王小明」",
    "“王小明”",
    "王小明。",
    "王小明，谢谢",
    "您好，王小明",
    "本人王小明",
    "我的姓名是王小明",
    "真实姓名：王小明",
    "改成王小明",
    "王小明？",
    "姓名＝王小明",
    "my name is 王小明",
    "My name is: 王小明",
    "Name: 王小明",
    "I am 王小明",
    "I'm 王小明.",
    "hello, 王小明",
    "王小明, thanks",
]


@pytest.mark.parametrize("text", LABELLED)
def test_labels_and_polite_words_around_a_name_are_taken_off(text: str) -> None:
    step = said(text)

    assert step.state == states.AskingNumber(account=ACCOUNT, question_id=CONTEXT.question_id, name=Name(NAME))
    assert isinstance(step.effects[0], DeleteUserMessage)


def test_an_unlikely_name_is_asked_back_and_may_be_typed_anew() -> None:
    holds(
        f"""
        >> {ODD_NAME}
        << DeleteUserMessage
        << AskQuestion check_name.ask
        == CheckingName
        >> 我叫{OTHER_NAME}
        << DeleteUserMessage
        << AskQuestion number.ask
        == AskingNumber
        """,
        after(TO_NAME),
    )
    holds(
        f"""
        >> {ODD_NAME}
        << DeleteUserMessage
        << AskQuestion check_name.ask
        == CheckingName
        >> [name_wrong]
        << AskQuestion name.ask
        == AskingName
        >> {ODD_NAME}
        << DeleteUserMessage
        << AskQuestion check_name.ask
        == CheckingName
        >> [name_right]
        << RecordAnswer check_name.done
        << AskQuestion number.ask
        == AskingNumber
        """,
        after(TO_NAME),
    )


def test_an_unlikely_new_name_is_asked_back_and_the_former_one_is_kept() -> None:
    state = holds(
        f"""
        >> [change_name]
        << AskQuestion other_name.ask
        == ChangingName
        >> {ODD_NAME}
        << DeleteUserMessage
        << AskQuestion check_name.ask
        == CheckingName
        >> /back
        << AskQuestion other_name.ask
        == ChangingName
        >> 不改了
        << AskQuestion confirm.ask
        == Confirming
        """,
        after(TO_CONFIRM),
    )

    assert isinstance(state, states.Confirming)
    assert state.identity == make_identity()
    changed = after(f"[change_name]\n{ODD_NAME}\n[name_right]", state)
    assert isinstance(changed, states.Confirming)
    assert changed.identity == make_identity(NUMBER, ODD_NAME)


def test_what_cannot_be_a_name_is_refused_while_a_name_is_checked() -> None:
    holds(
        """
        >> 12345
        << DeleteUserMessage
        << AskQuestion check_name.ask_again + problem.name.characters
        """,
        after(f"{TO_NAME}\n{ODD_NAME}"),
    )


@pytest.mark.parametrize("text", ["王\u0301小明", "王\ue000", "王A明", "さくら", "김민준", "小明", "王"])
def test_an_unusual_character_or_half_a_name_is_asked_back(text: str) -> None:
    assert isinstance(said(text).state, states.CheckingName)


# Name and number together

BOTH = [
    "王小明 11010519491231002X",
    "11010519491231002X 王小明",
    "王小明,11010519491231002x",
    "王小明\n11010519491231002X",
    "姓名：王小明\n身份证号：11010519491231002X",
    "我叫王小明，身份证号 110105 19491231 002X，谢谢",
    "王小明11010519491231002X",
    "身份证：11010519491231002X 姓名：王小明",
    "my name is 王小明, my id number is 11010519491231002X",
    "（王小明，11010519491231002X）",
]


@pytest.mark.parametrize("text", BOTH)
@pytest.mark.parametrize("state", [ASKING_NAME, ASKING_NUMBER, CHANGING_NAME, CHANGING_NUMBER], ids=type)
def test_name_and_number_in_one_message_fill_both(text: str, state: states.State) -> None:
    step = said(text, state)

    assert isinstance(step.state, states.Confirming)
    assert step.state.identity == make_identity()
    assert isinstance(step.effects[0], DeleteUserMessage)


def test_a_name_beside_the_number_is_newer_than_the_name_before() -> None:
    step = said(f"{OTHER_NAME} {OTHER_NUMBER}", ASKING_NUMBER)

    assert isinstance(step.state, states.Confirming)
    assert step.state.identity == Identity(Name(OTHER_NAME), Number(OTHER_NUMBER))


@pytest.mark.parametrize("around", ["号码 {}", "{} 谢谢", "这是我的号码：{}", "{} 收到请回复", "{}对的"])
def test_other_words_beside_the_number_change_no_name(around: str) -> None:
    step = said(around.format(NUMBER), ASKING_NUMBER)

    assert isinstance(step.state, states.Confirming)
    assert step.state.identity == make_identity()


def test_a_name_beside_a_mistyped_number_is_kept_and_the_number_asked_for_again() -> None:
    holds(
        """
        >> 王小明 110105194912310021
        << DeleteUserMessage
        << AskQuestion number.ask_again + problem.number.check_digit
        == AskingNumber
        """,
        after(TO_NAME),
    )


def test_an_unlikely_name_beside_a_number_is_asked_back_and_the_number_is_kept() -> None:
    state = after(f"{TO_NAME}\n{ODD_NAME} {NUMBER}\n[name_right]")

    assert isinstance(state, states.Confirming)
    assert state.identity == make_identity(NUMBER, ODD_NAME)


# What is no answer

ANSWERED = {
    "帮我转人工客服": "misc.human",
    "客服在吗": "misc.human",
    "I want to talk to a human": "misc.human",
    "你好": "misc.greeting",
    "謝謝你": "misc.thanks",
    "等一下": "misc.wait",
    "不知道怎么填": "problem.{}.help",
    "下一步": "problem.{}.button",
    "好的": "problem.{}.button",
    "同意": "problem.{}.button",
    "个人认证": "problem.{}.button",
    "我没有身份证": "problem.number.other_document",
    "我是香港人": "problem.number.other_document",
    "今天天气怎么样": "misc.no_answer",
}


@pytest.mark.parametrize("text", ANSWERED)
@pytest.mark.parametrize("state", [ASKING_NAME, ASKING_NUMBER, CHANGING_NAME, CHANGING_NUMBER], ids=type)
def test_a_wish_a_question_or_small_talk_is_answered_and_the_step_stays(text: str, state: states.State) -> None:
    step = said(text, state)
    section = "number" if isinstance(state, states.AskingNumber | states.ChangingNumber) else "name"
    question = next(effect for effect in step.effects if isinstance(effect, AskQuestion))

    assert step.state == state
    assert isinstance(step.effects[0], DeleteUserMessage)
    assert question.note == ANSWERED[text].format(section)
    assert question.text.endswith(".ask_again")


@pytest.mark.parametrize("state", [ASKING_NAME, ASKING_NUMBER, CHANGING_NAME, CHANGING_NUMBER], ids=type)
def test_another_document_leads_to_the_international_site_and_the_step_stays(state: states.State) -> None:
    for text in ("E12345678", "台胞证12345678", "我只有护照", "I only have a passport"):
        step = said(text, state)

        assert step.state == state
        assert {UrlButton("international"), TopicButton("overseas")} <= set(buttons(step.effects[-1]))


@pytest.mark.parametrize("text", ["改姓名", "名字写错了", "我把姓名填错了", "wrong name", "I mistyped my name", "姓名"])
def test_the_wish_to_change_the_name_where_the_number_is_asked_leads_back_to_the_name(text: str) -> None:
    assert isinstance(said(text, ASKING_NUMBER).state, states.AskingName)
    assert said(text, CHANGING_NUMBER).state == replace(CHANGING_NAME, question_id=CONTEXT.question_id)


@pytest.mark.parametrize("text", [OTHER_NAME, f"我叫{OTHER_NAME}"])
def test_another_name_where_the_number_is_asked_is_checked_and_replaces_the_first(text: str) -> None:
    checking = said(text, ASKING_NUMBER).state
    changing = said(text, CHANGING_NUMBER).state

    assert isinstance(checking, states.CheckingName)
    assert checking.identity is None
    assert said("是的", checking).state == replace(
        ASKING_NUMBER, name=Name(OTHER_NAME), question_id=CONTEXT.question_id
    )
    assert isinstance(changing, states.CheckingName)
    assert changing.identity == make_identity()


@pytest.mark.parametrize("state", [ASKING_NUMBER, CHANGING_NUMBER], ids=["asking", "changing"])
def test_the_same_name_where_the_number_is_asked_is_said_to_be_known(state: states.State) -> None:
    step = said(f"我叫{NAME}", state)

    assert step.state == state
    assert [effect.note for effect in step.effects if isinstance(effect, AskQuestion)] == ["problem.number.name"]


def test_a_short_text_that_the_faq_knows_is_answered_where_the_number_is_asked() -> None:
    step = said("未成年", ASKING_NUMBER)

    assert step.state == ASKING_NUMBER
    assert CountQuestion("age") in step.effects


def test_a_label_written_like_a_name_is_taken_off() -> None:
    state = said("I'm Wang Xiaoming").state

    assert isinstance(state, states.AskingNumber)
    assert state.name == Name("Wang Xiaoming")


def test_a_wish_for_a_human_is_counted_as_a_topic_and_offers_the_contact() -> None:
    for lines in ("", "/start", TO_NAME, TO_NUMBER, TO_CONFIRM):
        step = advance(after(lines), Said("能帮我转人工客服吗"), REAL_CONTEXT)

        assert CountQuestion("human") in step.effects
        assert [effect for effect in step.effects if UrlButton("operator") in buttons(effect)]


def test_no_effect_repeats_what_was_typed_but_the_question_that_checks_it() -> None:
    for text in (*NAMES, *BOTH):
        step = said(text)
        shown = {each for effect in step.effects for each in strings(effect)}
        if not isinstance(step.state, states.CheckingName | states.Confirming):
            assert text not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_that_checks_a_name_shows_all_of_it_and_the_record_hides_it(language: str) -> None:
    catalogue = load(days=30)
    asking = said("黄不兴")
    question = asking.effects[-1]
    assert isinstance(question, AskQuestion)

    assert "黄不兴" in catalogue.text(language, question.text, question.values)
    assert "黄不兴" not in repr(question)
    record = said("是的", asking.state).effects[0]
    assert "黄不兴" not in set(strings(record))
