"""From the welcome to the confirmed identity, as transcripts."""

import pytest

from bot.flow import states
from bot.flow.effects import AskQuestion, TopicButton, UrlButton
from bot.flow.events import Said
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from tests.bot.flow.effect_texts import buttons
from tests.bot.flow.samples import CONTEXT, NAME, OTHER_NAME
from tests.bot.flow.transcript import TO_CONFIRM, TO_NAME, TO_NUMBER, after, holds
from tests.fakes import NUMBER, OTHER_NUMBER, make_identity
from verification.identity import NameProblem
from verification.numbers import NumberProblem


def test_the_shortest_path_asks_each_step_once() -> None:
    state = holds("""
        >> /start
        << AskQuestion type.ask
        == ChoosingType
        >> [personal]
        << RecordAnswer type.done
        << AskQuestion consent.ask
        == Agreeing
        >> [agree]
        << RecordConsent identity
        << RecordConsent abroad
        << RecordAnswer consent.done
        << AskQuestion name.ask
        == AskingName
        >> 王小明
        << DeleteUserMessage
        << AskQuestion number.ask
        == AskingNumber
        >> 11010519491231002x
        << DeleteUserMessage
        << AskQuestion confirm.ask
        << CheckQuota
        == Confirming
    """)

    assert isinstance(state, states.Confirming)
    assert state.identity == make_identity()


def test_all_of_it_may_be_typed() -> None:
    holds("""
        >> 你好
        << AskQuestion type.ask
        == ChoosingType
        >> 个人认证
        << RecordAnswer type.done
        << AskQuestion consent.ask
        == Agreeing
        >> 1
        << RecordConsent identity
        << RecordConsent abroad
        << RecordAnswer consent.done
        << AskQuestion name.ask
        == AskingName
        >> 阿依古丽•买买提
        << DeleteUserMessage
        << AskQuestion number.ask
        == AskingNumber
        >> １１０１０５ 19491231 002ｘ
        << DeleteUserMessage
        << AskQuestion confirm.ask
        << CheckQuota
        == Confirming
        >> 没错！
        << AskQuestion confirm.ask + confirm.choose
        >> QQ 扫码
        << RecordAnswer confirm.done
        << ShowChatAction
        << OpenAttempt qq
        == Opening
    """)


def test_enterprises_are_sent_to_their_guide_and_may_return() -> None:
    state = holds("""
        >> [begin]
        << AskQuestion type.ask
        == ChoosingType
        >> [enterprise]
        << AskQuestion enterprise.ask
        == ReadingEnterprise
        >> [back]
        << AskQuestion type.ask
        == ChoosingType
        >> 企业
        << AskQuestion enterprise.ask
        == ReadingEnterprise
        >> /back
        << AskQuestion type.ask
        == ChoosingType
        >> 2
        << AskQuestion enterprise.ask
        == ReadingEnterprise
    """)

    assert UrlButton("enterprise") in buttons(prompt(state))
    assert isinstance(after("[personal]", state), states.Agreeing)


def test_people_from_overseas_are_sent_to_the_international_site_and_may_return() -> None:
    state = holds("""
        >> /start
        << AskQuestion type.ask
        == ChoosingType
        >> [overseas]
        << AskQuestion overseas.ask
        == ReadingOverseas
        >> 返回
        << AskQuestion type.ask
        == ChoosingType
        >> 港澳台
        << AskQuestion overseas.ask
        == ReadingOverseas
        >> [personal]
        << RecordAnswer type.done
        << AskQuestion consent.ask
        == Agreeing
    """)

    assert isinstance(state, states.Agreeing)
    assert {UrlButton("international"), TopicButton("overseas")} <= set(buttons(prompt(after("/start\n[overseas]"))))


def test_without_consent_nothing_is_collected() -> None:
    holds("""
        >> /start
        << AskQuestion type.ask
        == ChoosingType
        >> [personal]
        << RecordAnswer type.done
        << AskQuestion consent.ask
        == Agreeing
        >> 王小明
        << AskQuestion consent.ask_again + misc.not_understood
        >> [not_now]
        << AskQuestion type.ask_again + consent.declined
        == ChoosingType
    """)


def test_back_goes_one_step_and_the_next_steps_are_the_same() -> None:
    holds(
        """
        >> /back
        << AskQuestion other_number.ask
        == ChangingNumber
        >> /back
        << AskQuestion confirm.ask
        == Confirming
        """,
        after(TO_CONFIRM),
    )
    holds(
        """
        >> /back
        << AskQuestion name.ask
        == AskingName
        >> /back
        << AskQuestion consent.ask
        == Agreeing
        >> /back
        << AskQuestion type.ask
        == ChoosingType
        >> /back
        << AskQuestion type.ask_again + misc.nowhere_back
        """,
        after(TO_NUMBER),
    )


def test_a_changed_name_keeps_the_number() -> None:
    state = holds(
        """
        >> [change_name]
        << AskQuestion other_name.ask
        == ChangingName
        >> 12
        << DeleteUserMessage
        << AskQuestion other_name.ask_again + problem.name.characters
        >> 阿依古丽·买买提
        << DeleteUserMessage
        << AskQuestion confirm.ask
        == Confirming
        """,
        after(TO_CONFIRM),
    )

    assert isinstance(state, states.Confirming)
    assert state.identity == make_identity(NUMBER, OTHER_NAME)


def test_a_changed_number_keeps_the_name() -> None:
    state = holds(
        """
        >> [change_number]
        << AskQuestion other_number.ask
        == ChangingNumber
        >> 110105194912310021
        << DeleteUserMessage
        << AskQuestion other_number.ask_again + problem.number.check_digit
        >> 440524188001010014
        << DeleteUserMessage
        << AskQuestion confirm.ask
        << CheckQuota
        == Confirming
        """,
        after(TO_CONFIRM),
    )

    assert isinstance(state, states.Confirming)
    assert state.identity == make_identity(OTHER_NUMBER, NAME)


def test_a_change_that_is_given_up_changes_nothing() -> None:
    confirming = after(TO_CONFIRM)

    for change in ("[change_name]", "[change_number]"):
        state = after(f"{change}\n/back", confirming)

        assert isinstance(state, states.Confirming)
        assert state.identity == make_identity()


NOT_NAMES = {
    NameProblem.EMPTY: "···",
    NameProblem.TOO_LONG: "王" * 51,
    NameProblem.INVISIBLE: "王\u200b小明",
    NameProblem.NUMBER: NUMBER,
    NameProblem.DESCRIBED: "王⿱龙天",
    NameProblem.CHARACTERS: "王小🙂明",
}


@pytest.mark.parametrize("problem", NameProblem)
def test_a_text_that_is_no_name_is_refused_with_a_reason_and_deleted(problem: NameProblem) -> None:
    holds(
        f"""
        >> {NOT_NAMES[problem]}
        << DeleteUserMessage
        << AskQuestion name.ask_again + problem.name.{problem}
        """,
        after(TO_NAME),
    )


NOT_NUMBERS = {
    NumberProblem.EMPTY: "--",
    NumberProblem.CHARACTERS: "我的车牌",
    NumberProblem.SEVERAL: "11010519491231002X 440524188001010014",
    NumberProblem.LENGTH: "1101051949123",
    NumberProblem.OLD_FORM: "110105491231002",
    NumberProblem.CHECK_DIGIT: "110105194912310021",
    NumberProblem.DATE: "110105194902300020",
    NumberProblem.FUTURE: "110105209901010020",
    NumberProblem.PROVINCE: "00000019900101000X",
    NumberProblem.PERMIT: "810000199408230021",
    NumberProblem.FOREIGNER: "932682198501010017",
    NumberProblem.OTHER_DOCUMENT: "E12345678",
}


@pytest.mark.parametrize("problem", NumberProblem)
def test_a_text_that_is_no_number_is_refused_with_a_reason_and_deleted(problem: NumberProblem) -> None:
    for lines, question in ((TO_NUMBER, "number"), (f"{TO_CONFIRM}\n[change_number]", "other_number")):
        holds(
            f"""
            >> {NOT_NUMBERS[problem]}
            << DeleteUserMessage
            << AskQuestion {question}.ask_again + problem.number.{problem}
            """,
            after(lines),
        )


@pytest.mark.parametrize(
    "number",
    ["810000199408230021", "830000199201300022", "932682198501010017", "911124198108030024", "E12345678", "我只有护照"],
)
def test_permits_and_foreigners_are_sent_to_the_international_site_and_may_still_answer(number: str) -> None:
    asking = after(TO_NUMBER)
    question = advance(asking, Said(number), CONTEXT).effects[-1]

    assert isinstance(question, AskQuestion)
    assert {UrlButton("international"), TopicButton("overseas")} <= set(buttons(question))
    assert isinstance(after(f"{number}\n{NUMBER}", asking), states.Confirming)


def test_a_card_sent_before_anything_began_is_deleted_too() -> None:
    holds("""
        >> (photo)
        << DeleteUserMessage
        << AskQuestion type.ask
        == ChoosingType
    """)
    holds("""
        >> (sticker)
        << AskQuestion type.ask
        == ChoosingType
    """)


def test_an_edited_text_begins_nothing() -> None:
    holds("""
        >> (edited)
        << DeleteUserMessage
        << AskQuestion idle.ask_again + sent.edited
    """)


def test_cancel_discards_everything_from_any_step() -> None:
    for lines in ("/start", "/start\n[overseas]", TO_NAME, TO_NUMBER, TO_CONFIRM, f"{TO_CONFIRM}\n[change_name]"):
        holds(
            """
            >> /cancel
            << AskQuestion idle.ask + misc.cancelled
            == Idle
            >> /cancel
            << AskQuestion idle.ask
            >> 返回
            << AskQuestion idle.ask_again + misc.nowhere_back
            >> [begin]
            << AskQuestion type.ask
            == ChoosingType
            """,
            after(lines),
        )


def test_an_answer_to_the_question_before_does_not_become_a_name() -> None:
    for word in ("同意", "好的", "yes", "个人"):
        holds(
            f"""
            >> {word}
            << DeleteUserMessage
            << AskQuestion name.ask_again + problem.name.button
            """,
            after(TO_NAME),
        )
