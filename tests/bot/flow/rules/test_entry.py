"""From the welcome to confirmed data, as transcripts."""

import pytest

from bot.flow import states
from bot.flow.effects import Ask, Topic, Url
from bot.flow.events import Said
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from tests.bot.flow.reading import buttons
from tests.bot.flow.samples import MOMENT, NAME, OTHER_NAME
from tests.bot.flow.transcript import TO_CONFIRM, TO_NAME, TO_NUMBER, after, holds
from tests.fakes import NUMBER, OTHER_NUMBER, identity
from verification.identity import NameProblem
from verification.numbers import NumberProblem


def test_the_straight_way_asks_each_step_once() -> None:
    state = holds("""
        >> /start
        << Ask type.ask
        == ChoosingType
        >> [personal]
        << Settle type.done
        << Ask consent.ask
        == Agreeing
        >> [agree]
        << Record identity
        << Settle consent.done
        << Ask name.ask
        == AskingName
        >> 王小明
        << Discard
        << Ask number.ask
        == AskingNumber
        >> 11010519491231002x
        << Discard
        << Ask confirm.ask
        == Confirming
        >> [confirm]
        << Settle confirm.done
        << Ask method.ask
        == ChoosingMethod
    """)

    assert isinstance(state, states.ChoosingMethod)
    assert state.identity == identity()


def test_all_of_it_may_be_typed() -> None:
    holds("""
        >> 你好
        << Ask type.ask
        == ChoosingType
        >> 个人认证
        << Settle type.done
        << Ask consent.ask
        == Agreeing
        >> 1
        << Record identity
        << Settle consent.done
        << Ask name.ask
        == AskingName
        >> 阿依古丽•买买提
        << Discard
        << Ask number.ask
        == AskingNumber
        >> １１０１０５ 19491231 002ｘ
        << Discard
        << Ask confirm.ask
        == Confirming
        >> 没错！
        << Settle confirm.done
        << Ask method.ask
        == ChoosingMethod
        >> QQ 扫码
        << Settle method.done
        << Busy
        << Begin qq
        == Opening
    """)


def test_enterprises_are_sent_to_their_guide_and_led_back() -> None:
    state = holds("""
        >> [begin]
        << Ask type.ask
        == ChoosingType
        >> [enterprise]
        << Ask enterprise.ask
        == ReadingEnterprise
        >> [back]
        << Ask type.ask
        == ChoosingType
        >> 企业
        << Ask enterprise.ask
        == ReadingEnterprise
        >> /back
        << Ask type.ask
        == ChoosingType
        >> 2
        << Ask enterprise.ask
        == ReadingEnterprise
    """)

    assert Url("enterprise") in buttons(prompt(state))
    assert isinstance(after("[personal]", state), states.Agreeing)


def test_people_from_overseas_are_sent_to_the_international_site_and_led_back() -> None:
    state = holds("""
        >> /start
        << Ask type.ask
        == ChoosingType
        >> [overseas]
        << Ask overseas.ask
        == ReadingOverseas
        >> 返回
        << Ask type.ask
        == ChoosingType
        >> 港澳台
        << Ask overseas.ask
        == ReadingOverseas
        >> [personal]
        << Settle type.done
        << Ask consent.ask
        == Agreeing
    """)

    assert isinstance(state, states.Agreeing)
    assert {Url("international"), Topic("overseas")} <= set(buttons(prompt(after("/start\n[overseas]"))))


def test_without_consent_nothing_is_collected() -> None:
    holds("""
        >> /start
        << Ask type.ask
        == ChoosingType
        >> [personal]
        << Settle type.done
        << Ask consent.ask
        == Agreeing
        >> 王小明
        << Ask consent.ask_again + misc.not_understood
        >> [not_now]
        << Ask type.ask_again + consent.declined
        == ChoosingType
    """)


def test_back_goes_one_step_and_the_way_on_is_the_same() -> None:
    holds(
        """
        >> /back
        << Ask other_number.ask
        == ChangingNumber
        >> /back
        << Ask confirm.ask
        == Confirming
        """,
        after(TO_CONFIRM),
    )
    holds(
        """
        >> /back
        << Ask name.ask
        == AskingName
        >> /back
        << Ask consent.ask
        == Agreeing
        >> /back
        << Ask type.ask
        == ChoosingType
        >> /back
        << Ask type.ask_again + misc.nowhere_back
        """,
        after(TO_NUMBER),
    )


def test_a_changed_name_keeps_the_number() -> None:
    state = holds(
        """
        >> [change_name]
        << Ask other_name.ask
        == ChangingName
        >> 12
        << Discard
        << Ask other_name.ask_again + problem.name.characters
        >> 阿依古丽·买买提
        << Discard
        << Ask confirm.ask
        == Confirming
        """,
        after(TO_CONFIRM),
    )

    assert isinstance(state, states.Confirming)
    assert state.identity == identity(NUMBER, OTHER_NAME)


def test_a_changed_number_keeps_the_name() -> None:
    state = holds(
        """
        >> [change_number]
        << Ask other_number.ask
        == ChangingNumber
        >> 110105194912310021
        << Discard
        << Ask other_number.ask_again + problem.number.check_digit
        >> 440524188001010014
        << Discard
        << Ask confirm.ask
        == Confirming
        """,
        after(TO_CONFIRM),
    )

    assert isinstance(state, states.Confirming)
    assert state.identity == identity(OTHER_NUMBER, NAME)


def test_a_change_that_is_given_up_changes_nothing() -> None:
    confirming = after(TO_CONFIRM)

    for change in ("[change_name]", "[change_number]"):
        state = after(f"{change}\n/back", confirming)

        assert isinstance(state, states.Confirming)
        assert state.identity == identity()


NOT_NAMES = {
    NameProblem.EMPTY: "···",
    NameProblem.TOO_LONG: "王" * 51,
    NameProblem.INVISIBLE: "王\u200b小明",
    NameProblem.NUMBER: NUMBER,
    NameProblem.CHARACTERS: "王小明🙂",
}


@pytest.mark.parametrize("problem", NameProblem)
def test_a_text_that_is_no_name_is_told_why_and_deleted(problem: NameProblem) -> None:
    holds(
        f"""
        >> {NOT_NAMES[problem]}
        << Discard
        << Ask name.ask_again + problem.name.{problem}
        """,
        after(TO_NAME),
    )


NOT_NUMBERS = {
    NumberProblem.EMPTY: "--",
    NumberProblem.CHARACTERS: "我的号码",
    NumberProblem.LENGTH: "1101051949123",
    NumberProblem.OLD_FORM: "110105491231002",
    NumberProblem.CHECK_DIGIT: "110105194912310021",
    NumberProblem.DATE: "110105194902300020",
    NumberProblem.FUTURE: "110105209901010020",
    NumberProblem.PROVINCE: "00000019900101000X",
    NumberProblem.PERMIT: "810000199408230021",
    NumberProblem.FOREIGNER: "932682198501010017",
}


@pytest.mark.parametrize("problem", NumberProblem)
def test_a_text_that_is_no_number_is_told_why_and_deleted(problem: NumberProblem) -> None:
    for lines, question in ((TO_NUMBER, "number"), (f"{TO_CONFIRM}\n[change_number]", "other_number")):
        holds(
            f"""
            >> {NOT_NUMBERS[problem]}
            << Discard
            << Ask {question}.ask_again + problem.number.{problem}
            """,
            after(lines),
        )


@pytest.mark.parametrize(
    "number", ["810000199408230021", "830000199201300022", "932682198501010017", "911124198108030024"]
)
def test_permits_and_foreigners_are_led_to_the_international_site_and_may_still_answer(number: str) -> None:
    asking = after(TO_NUMBER)
    question = advance(asking, Said(number), MOMENT).effects[-1]

    assert isinstance(question, Ask)
    assert {Url("international"), Topic("overseas")} <= set(buttons(question))
    assert isinstance(after(f"{number}\n{NUMBER}", asking), states.Confirming)


def test_a_card_sent_before_anything_began_is_deleted_too() -> None:
    holds("""
        >> (photo)
        << Discard
        << Ask type.ask
        == ChoosingType
    """)
    holds("""
        >> (sticker)
        << Ask type.ask
        == ChoosingType
    """)


def test_an_edited_text_begins_nothing() -> None:
    holds("""
        >> (edited)
        << Discard
        << Ask idle.ask_again + sent.edited
    """)


def test_cancel_forgets_everything_from_any_step() -> None:
    for lines in ("/start", "/start\n[overseas]", TO_NAME, TO_NUMBER, TO_CONFIRM, f"{TO_CONFIRM}\n[change_name]"):
        holds(
            """
            >> /cancel
            << Ask idle.ask + misc.cancelled
            == Idle
            >> /cancel
            << Ask idle.ask
            >> 返回
            << Ask idle.ask_again + misc.nowhere_back
            >> [begin]
            << Ask type.ask
            == ChoosingType
            """,
            after(lines),
        )


def test_an_answer_to_the_question_before_does_not_become_a_name() -> None:
    for word in ("同意", "好的", "yes", "个人"):
        holds(
            f"""
            >> {word}
            << Discard
            << Ask name.ask_again + problem.name.answer
            """,
            after(TO_NAME),
        )
