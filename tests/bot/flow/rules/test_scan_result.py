"""The result of an attempt, as transcripts."""

from dataclasses import replace

import pytest

from bot.flow import states
from bot.flow.effects import Ask, Topic, Url, Word
from bot.flow.events import Choice, Declined, Faded, Lapsed, Progressed, Refusal, Tapped
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from bot.flow.states import Stage
from tests.bot.flow.reading import buttons
from tests.bot.flow.samples import (
    ATTEMPT,
    LATER,
    MOMENT,
    STATES,
    failed,
    label,
    opening,
    scanning,
    verified,
)
from tests.bot.flow.transcript import TO_CODE, TO_OPENING, after, holds
from tests.fakes import identity
from verification.attempts import AttemptId, Method, Reason


@pytest.mark.parametrize("reason", Reason)
def test_a_failure_says_why_and_trying_again_keeps_the_data(reason: Reason) -> None:
    state = holds(
        f"""
        >> other: rejected {reason}
        >> core: rejected {reason}
        << Stamp failed stamp.failed in place
        << Ask failed.ask
        == Failed
        >> 为什么
        << Ask failed.ask_again + misc.no_answer
        << Count
        >> [try_again]
        << Settle failed.done
        << Busy
        << Begin wechat
        == Opening
        """,
        after(TO_CODE),
    )

    assert isinstance(state, states.Opening)
    assert state.identity == identity()
    question = prompt(failed(reason))
    assert isinstance(question, Ask)
    assert question.values["reason"] == Word(f"reason.{reason}")


def test_after_a_face_failed_it_is_tried_again_without_a_second_consent() -> None:
    holds(
        """
        >> core: rejected face_covered
        << Stamp failed stamp.failed in place
        << Ask failed.ask
        == Failed
        >> 重试
        << Settle failed.done
        << Busy
        << Begin face
        == Opening
        """,
        scanning(Method.FACE),
    )


def test_when_the_places_are_taken_other_data_need_no_second_consent() -> None:
    holds(
        """
        >> core: declined quota
        << Ask failed.ask
        == Failed
        >> [change_data]
        << Ask confirm.ask
        == Confirming
        >> [change_number]
        << Ask other_number.ask
        == ChangingNumber
        >> 440524188001010014
        << Discard
        << Ask confirm.ask
        == Confirming
        >> [confirm]
        << Settle confirm.done
        << Ask method.ask
        == ChoosingMethod
        >> [wechat]
        << Settle method.done
        << Busy
        << Begin wechat
        == Opening
        """,
        after(TO_OPENING),
    )


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        (Reason.QUOTA, "three_accounts"),
        (Reason.NO_CARD, "bank_card"),
        (Reason.MISMATCH, "data_error"),
        (Reason.FACE_COVERED, "face_fails"),
        (Reason.FACE_DIFFERS, "face_fails"),
        (Reason.FACE_OUT_OF_FRAME, "face_fails"),
        (Reason.DECLINED, "unknown_code"),
        (Reason.UNAVAILABLE, ""),
    ],
)
def test_a_failure_offers_the_answer_to_the_question_it_raises(reason: Reason, topic: str) -> None:
    question = prompt(failed(reason))

    assert isinstance(question, Ask)
    assert Topic(topic) in buttons(question)


@pytest.mark.parametrize("refusal", [Refusal.TOO_MANY, Refusal.BUSY])
def test_whoever_is_asked_to_wait_is_told_until_when_and_where_it_goes_on(refusal: Refusal) -> None:
    step = advance(opening(), Declined(ATTEMPT, refusal, LATER), MOMENT)
    question = step.effects[-1]

    assert step.state == replace(failed(Reason(refusal)), mark=MOMENT.mark)
    assert isinstance(question, Ask)
    assert (question.text, question.values["until"]) == ("failed.later", LATER)
    assert Url("console") in buttons(question)


def test_after_waiting_it_goes_on_with_the_data_that_were_typed() -> None:
    waiting = failed(Reason.TOO_MANY)

    step = advance(waiting, Tapped(Choice.TRY_AGAIN, waiting.mark), MOMENT)

    assert isinstance(step.state, states.Opening)
    assert step.state.identity == waiting.identity


@pytest.mark.parametrize("refusal", [Refusal.UNAVAILABLE, Refusal.OVER])
def test_a_provider_out_of_order_is_said_to_be_nobodys_fault(refusal: Refusal) -> None:
    step = advance(opening(), Declined(ATTEMPT, refusal), MOMENT)

    assert step.state == replace(failed(Reason.UNAVAILABLE), mark=MOMENT.mark)


def test_an_account_that_is_verified_already_is_told_so() -> None:
    holds(
        """
        >> core: declined verified
        << Ask verified.ask
        == Verified
        """,
        after(TO_OPENING),
    )


NOT_TOLD = [state for state in STATES if not isinstance(state, states.Verified) or not state.attempt]


@pytest.mark.parametrize("state", [pytest.param(state, id=label(state)) for state in NOT_TOLD])
def test_a_success_is_told_wherever_the_person_has_gone(state: states.State) -> None:
    reached = holds(
        "\n".join(
            [
                f">> core: passed {state.account}",
                *(["<< Stamp verified stamp.verified in place"] if isinstance(state, states.Scanning) else []),
                "<< Ask verified.ask",
                *(["== Verified"] if not isinstance(state, states.Verified) else []),
            ]
        ),
        state,
    )

    assert isinstance(reached, states.Verified)


@pytest.mark.parametrize("state", [verified(), verified(attempt=AttemptId(""))])
def test_the_same_success_is_told_once(state: states.State) -> None:
    told = after("core: passed", state)

    assert after("core: passed\ncore: lapsed\ncore: rejected mismatch\ncore: faded", told) == told


@pytest.mark.parametrize("state", [scanning(), verified(), states.Idle(account="telegram:100012345", mark="m")])
def test_the_success_of_another_account_is_told_and_changes_nothing(state: states.State) -> None:
    assert (
        holds(
            """
            >> core: passed cloud:200056789
            << Tell misc.passed_elsewhere
            """,
            state,
        )
        == state
    )


def test_a_verified_account_stays_so() -> None:
    holds(
        """
        >> /cancel
        << Tell verified.stays
        >> 返回
        << Tell verified.stays
        >> /start
        << Ask verified.ask
        >> /status
        << Ask verified.ask_again + status.verified
        >> 谢谢
        << Ask verified.ask_again + misc.not_understood
        >> core: opened
        << Drop
        """,
        verified(),
    )


def test_late_news_of_an_attempt_changes_no_other_question() -> None:
    choosing = after(f"{TO_CODE}\n[other_way]")

    for news in (Faded(ATTEMPT), Lapsed(ATTEMPT), Progressed(ATTEMPT, Stage.OPENED, LATER)):
        assert advance(choosing, news, MOMENT) == advance(choosing, Faded(ATTEMPT), MOMENT)
        assert advance(choosing, news, MOMENT).state == choosing
