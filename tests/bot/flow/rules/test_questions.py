"""Questions in a person's own words are answered, and the step stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.flow.effects import AskQuestion, CountQuestion, DeleteUserMessage, ReplaceCodeWithPicture, ShowCode, ShowFaq
from bot.flow.events import Command, Commanded, Said
from bot.flow.machine import advance
from bot.flow.rows import RuleContext
from bot.flow.states import AskingName, AskingNumber, Confirming, Idle, Opening, Scanning, State
from tests.bot.flow.effect_texts import strings
from tests.bot.flow.samples import ACCOUNT, CONTEXT, NAME, ONE_OF_EACH, QUESTION_ID, label, scanning
from tests.bot.flow.transcript import TO_CODE, TO_CONFIRM, TO_NAME, TO_NUMBER, after, holds
from tests.fakes import NOON, NUMBER

ASKING = [state for state in ONE_OF_EACH if not isinstance(state, Idle | Opening)]
in_each_asking_state = pytest.mark.parametrize("state", [pytest.param(state, id=label(state)) for state in ASKING])


@in_each_asking_state
@pytest.mark.parametrize("question", ["一个身份证能认证几个账号？", "一个身份证能认证几个账号"])
def test_a_question_is_answered_and_the_step_with_its_live_question_stays(state: State, question: str) -> None:
    step = advance(state, Said(question), CONTEXT)

    assert (type(step.state), step.state.question_id) == (type(state), state.question_id)
    assert ShowFaq("how_many") in step.effects
    assert CountQuestion("how_many") in step.effects
    assert not [
        effect for effect in step.effects if isinstance(effect, AskQuestion | ShowCode | ReplaceCodeWithPicture)
    ]


def test_other_matching_topics_are_offered_too() -> None:
    holds(
        """
        >> 账号满了，能认证几个账号
        << ShowFaq how_many or three_accounts
        << CountQuestion how_many
        """,
        after("/start"),
    )


def test_where_buttons_are_offered_any_text_but_a_button_label_is_looked_up() -> None:
    holds(
        """
        >> icp
        << ShowFaq icp
        << CountQuestion icp
        >> 我的账号满了
        << ShowFaq three_accounts
        << CountQuestion three_accounts
        >> 微信
        << RecordAnswer confirm.done
        << ShowChatAction
        << OpenAttempt wechat
        == Opening
        """,
        after(TO_CONFIRM),
    )


def test_an_unanswered_question_gets_a_reply_and_is_counted_and_other_texts_are_not() -> None:
    holds(
        """
        >> 今天天气怎么样
        << AskQuestion type.ask_again + misc.no_answer
        << CountQuestion
        >> 哦哦
        << AskQuestion type.ask_again + misc.not_understood
        """,
        after("/start"),
    )


def test_a_person_who_begins_with_a_question_gets_its_answer_and_is_asked_to_begin() -> None:
    holds(
        """
        >> 一个身份证能认证几个账号？
        << ShowFaq how_many
        << AskQuestion idle.ask
        << CountQuestion how_many
        >> 你好
        << AskQuestion type.ask
        == ChoosingType
        """
    )


def test_a_person_who_begins_with_an_unanswered_question_is_welcomed_and_it_is_counted() -> None:
    holds(
        """
        >> 今天天气怎么样
        << AskQuestion type.ask
        << CountQuestion
        == ChoosingType
        """
    )


@pytest.mark.parametrize("where", ["", "/start", TO_CONFIRM, TO_CODE])
def test_an_unanswered_question_is_stored_redacted(where: str) -> None:
    step = advance(after(where), Said("13800138000 能收到天气吗"), CONTEXT)

    assert [effect.redacted_question for effect in step.effects if isinstance(effect, CountQuestion)] == [
        "• 能收到天气吗"
    ]
    assert "天气" not in repr(step)


def test_a_link_to_a_topic_is_followed_by_the_offer_to_begin() -> None:
    holds(
        """
        >> /faq icp
        << ShowFaq icp
        << AskQuestion idle.ask
        << CountQuestion icp
        """
    )


def test_words_after_the_faq_command_are_looked_up() -> None:
    holds(
        """
        >> /faq 能认证几个账号
        << ShowFaq how_many
        << CountQuestion how_many
        >> /faq 天气
        << ShowFaq unanswered
        << CountQuestion
        """,
        after("/start"),
    )


# Where a name or a number is expected


def test_a_question_instead_of_a_name_is_answered_and_deleted_from_the_chat() -> None:
    holds(
        """
        >> 一个身份证能认证几个账号？
        << DeleteUserMessage
        << ShowFaq how_many
        << CountQuestion how_many
        >> 我们家能认证几个账号
        << DeleteUserMessage
        << ShowFaq how_many
        << CountQuestion how_many
        >> how does icp work here
        << DeleteUserMessage
        << ShowFaq icp
        << CountQuestion icp
        """,
        after(TO_NAME),
    )


def test_a_question_instead_of_a_number_is_answered_and_deleted_from_the_chat() -> None:
    holds(
        """
        >> 能认证几个账号
        << DeleteUserMessage
        << ShowFaq how_many
        << CountQuestion how_many
        """,
        after(TO_NUMBER),
    )


@pytest.mark.parametrize("to_change", ["change_name", "change_number"])
def test_a_question_while_changing_is_answered(to_change: str) -> None:
    state = after(f"{TO_CONFIRM}\n[{to_change}]")

    step = advance(state, Said("一个身份证能认证几个账号？"), CONTEXT)

    assert step.state == state
    assert step.effects == (DeleteUserMessage(), ShowFaq("how_many"), CountQuestion("how_many"))


@pytest.mark.parametrize("text", ["怎么办", "王小明？", "账号满"])
def test_what_may_be_a_name_or_asks_nothing_known_is_read_as_a_name(text: str) -> None:
    step = advance(after(TO_NAME), Said(text), CONTEXT)

    assert step.effects[0] == DeleteUserMessage(with_panel=True)
    assert not [effect for effect in step.effects if isinstance(effect, ShowFaq)]


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=4))
def test_no_likely_name_of_four_hanzi_or_fewer_is_taken_for_a_question(name: str) -> None:
    state = AskingName(account=ACCOUNT, question_id=QUESTION_ID)

    step = advance(state, Said(name), _context_that_answers_everything())

    is_answered = any(isinstance(effect, ShowFaq) for effect in step.effects)
    assert not (is_answered and CONTEXT.words.is_likely_name(name))


@pytest.mark.parametrize(
    "name", [NAME, "李雷", "韩梅梅", "阿依古丽·买买提", "阿依古丽买买提", "阿依古丽·买买提·阿依古丽"]
)
@pytest.mark.parametrize("typed", ["{}", " {} ", "{}。"])
def test_a_name_is_accepted_even_if_the_faq_matches_it(name: str, typed: str) -> None:
    step = advance(
        AskingName(account=ACCOUNT, question_id=QUESTION_ID),
        Said(typed.format(name)),
        _context_that_answers_everything(),
    )

    assert isinstance(step.state, AskingNumber)


def test_a_number_is_accepted_even_if_the_faq_matches_it() -> None:
    step = advance(after(TO_NUMBER), Said(f" {NUMBER} "), _context_that_answers_everything())

    assert isinstance(step.state, Confirming)


@in_each_asking_state
def test_no_effect_repeats_a_question(state: State) -> None:
    for event in (Said("王小明的账号满了，能认证几个账号？"), Commanded(Command.FAQ, "王小明能认证几个账号")):
        step = advance(state, event, CONTEXT)

        assert [text for effect in step.effects for text in strings(effect) if NAME in text] == []


def test_a_question_marks_the_person_as_active() -> None:
    state = advance(scanning(), Said("能认证几个账号？"), CONTEXT).state

    assert isinstance(state, Scanning)
    assert state.touched


def test_without_an_faq_a_question_is_unanswered() -> None:
    context = RuleContext(NOON, "0123456789abcdef0123456789abcdef")
    step = advance(Idle(account=ACCOUNT, question_id=QUESTION_ID), Said("能认证几个账号？"), context)

    assert [effect.topic for effect in step.effects if isinstance(effect, CountQuestion)] == [""]


def _context_that_answers_everything() -> RuleContext:
    return replace(CONTEXT, topics_in=lambda _: ("icp",))
