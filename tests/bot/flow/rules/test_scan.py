"""From the choice of a way to its result, as transcripts."""

from dataclasses import replace

import pytest

from bot.flow import states
from bot.flow.effects import Ask, Begin, Caption, CopyLink, Drop, OpenHere, Topic, Word
from bot.flow.events import Command, Commanded, Declined, Faded, Lapsed, Opened, Progressed, Refusal, Resumed, Said
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from bot.flow.states import Stage
from tests.bot.flow.reading import buttons
from tests.bot.flow.samples import (
    ATTEMPT,
    LATER,
    LINK,
    MOMENT,
    STATES,
    expired,
    failed,
    label,
    opening,
    scanning,
    verified,
)
from tests.bot.flow.transcript import after, holds
from tests.fakes import identity
from verification.attempts import AttemptId, Method, Reason

TO_METHOD = "/start\n[personal]\n[agree]\n王小明\n11010519491231002X\n[confirm]"
TO_CODE = f"{TO_METHOD}\n[wechat]\ncore: opened"


@pytest.mark.parametrize("method", [Method.WECHAT, Method.QQ])
def test_a_scan_leads_from_the_code_to_the_account_being_verified(method: Method) -> None:
    holds(
        f"""
        >> [{method}]
        << Settle method.done
        << Busy
        << Begin {method}
        == Opening
        >> core: opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: progressed opened
        << Caption scan.opened
        >> core: progressed confirming
        << Caption scan.confirming
        >> core: passed
        << Stamp verified stamp.verified in place
        << Ask verified.ask
        == Verified
        """,
        after(TO_METHOD),
    )


def test_the_face_has_a_consent_of_its_own_and_a_way_around_it() -> None:
    holds(
        """
        >> [face]
        << Settle method.done
        << Ask face_consent.ask
        == AgreeingFace
        >> [other_way]
        << Ask method.ask
        == ChoosingMethod
        >> 刷脸
        << Settle method.done
        << Ask face_consent.ask
        == AgreeingFace
        >> /back
        << Ask method.ask
        == ChoosingMethod
        >> 3
        << Settle method.done
        << Ask face_consent.ask
        == AgreeingFace
        >> 同意
        << Record face
        << Settle face_consent.done
        << Busy
        << Begin face
        == Opening
        """,
        after(TO_METHOD),
    )


def test_the_way_may_be_left_for_the_data_and_for_good() -> None:
    holds(
        """
        >> [back]
        << Ask confirm.ask
        == Confirming
        """,
        after(TO_METHOD),
    )
    for lines in (TO_METHOD, f"{TO_METHOD}\n[face]"):
        holds(
            """
            >> [cancel]
            << Ask idle.ask
            == Idle
            """,
            after(lines),
        )


# While the core opens


def test_whoever_waits_for_the_code_hears_so_and_the_core_is_asked_again() -> None:
    holds(
        """
        >> 好了吗
        << Discard
        << Tell opening.wait
        << Begin wechat
        >> (sticker)
        << Discard
        << Tell opening.wait
        << Begin wechat
        >> /start
        << Busy
        << Begin wechat
        >> /status
        << Tell status.opening
        >> [new_code]
        << Toast misc.closed_question
        << Disarm
        """,
        after(f"{TO_METHOD}\n[wechat]"),
    )


def test_after_a_crash_the_core_is_asked_again_for_the_same_attempt() -> None:
    state = opening()

    step = advance(state, Resumed(), MOMENT)

    assert step.state == state
    assert Begin(ATTEMPT, state.account, state.identity, state.method) in step.effects


def test_a_code_that_comes_after_its_question_was_left_is_dropped() -> None:
    holds(
        """
        >> /back
        << Ask method.ask
        << Drop
        == ChoosingMethod
        >> core: opened
        << Drop
        >> [qq]
        << Settle method.done
        << Busy
        << Begin qq
        == Opening
        >> other: opened
        << Drop
        >> other: declined unavailable
        >> core: opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: opened
        >> other: opened
        << Drop
        """,
        after(f"{TO_METHOD}\n[wechat]"),
    )


def test_cancelling_while_the_core_opens_gives_the_attempt_up() -> None:
    holds(
        """
        >> 取消
        << Ask idle.ask
        << Drop
        == Idle
        >> core: declined quota
        """,
        after(f"{TO_METHOD}\n[wechat]"),
    )


def test_a_code_that_comes_after_its_attempt_was_refused_is_dropped() -> None:
    """The core was asked twice, and a place became free in between."""
    holds(
        """
        >> core: declined quota
        << Ask failed.ask
        == Failed
        >> core: opened
        << Drop
        """,
        opening(),
    )


# The code


def test_the_code_is_made_for_its_attempt_and_shows_what_the_phone_shows() -> None:
    step = advance(opening(), Opened(ATTEMPT, LINK, "42", LATER), MOMENT)

    assert step.state == scanning()
    assert buttons(prompt(scanning()))[2:4] == [CopyLink(LINK), OpenHere(LINK)]


@pytest.mark.parametrize("stage", [Stage.OPENED, Stage.CONFIRMING])
def test_the_link_is_not_offered_any_more_once_it_was_opened(stage: Stage) -> None:
    (caption,) = advance(scanning(), Progressed(ATTEMPT, stage, LATER), MOMENT).effects

    assert isinstance(caption, Caption)
    assert not [button for button in buttons(caption) if isinstance(button, CopyLink | OpenHere)]


def test_news_that_was_overtaken_does_not_lead_back() -> None:
    for late in (Stage.WAITING, Stage.OPENED):
        step = advance(scanning(stage=Stage.CONFIRMING), Progressed(ATTEMPT, late, LATER), MOMENT)

        assert step.state == scanning(stage=Stage.CONFIRMING)
        assert step.effects == ()


def test_whatever_is_said_under_a_code_leaves_it_standing() -> None:
    state = holds(
        """
        >> 然后呢
        << Tell scan.said
        >> 王小明
        << Discard
        << Tell scan.said
        >> (photo)
        << Discard
        << Tell sent.photo
        >> (voice)
        << Tell sent.voice
        >> /status
        << Tell status.scan.waiting
        >> /start
        << ShowCode scan.waiting + misc.resumed
        >> old [new_code]
        << Toast misc.closed_question
        << Disarm
        """,
        after(TO_CODE),
    )

    assert isinstance(state, states.Scanning)
    assert state.touched


def test_a_fading_code_is_renewed_only_for_somebody_who_is_there() -> None:
    holds(
        """
        >> other: faded
        >> core: faded
        >> 在吗
        << Tell scan.said
        >> core: faded
        << Drop
        << Busy
        << Begin wechat
        == Opening
        >> core: opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: faded
        """,
        after(TO_CODE),
    )


@pytest.mark.parametrize("stage", [Stage.OPENED, Stage.CONFIRMING])
def test_a_page_in_use_is_never_renewed_under_somebodys_hands(stage: Stage) -> None:
    state = scanning(stage=stage, touched=True)

    assert advance(state, Faded(ATTEMPT), MOMENT).state == state


@pytest.mark.parametrize("command", sorted(set(Command) - {Command.BACK, Command.CANCEL}))
def test_any_command_shows_that_somebody_is_there(command: Command) -> None:
    state = advance(scanning(), Commanded(command), MOMENT).state

    assert isinstance(state, states.Scanning)
    assert state.touched


def test_an_expired_code_is_covered_and_a_new_one_costs_one_press() -> None:
    holds(
        """
        >> other: lapsed
        >> core: lapsed
        << Stamp expired expired.ask in place
        == Expired
        >> 怎么办
        << Tell misc.not_understood
        >> /status
        << Tell status.expired
        >> /start
        << Stamp expired expired.ask
        >> [new_code]
        << Drop
        << Busy
        << Begin wechat
        == Opening
        >> core: opened
        << ShowCode scan.waiting in place
        == Scanning
        """,
        after(TO_CODE),
    )


def test_a_new_code_and_another_way_give_the_old_code_up() -> None:
    renewed = advance(scanning(), Said("换个新码"), MOMENT)
    left = advance(scanning(), Said("换种方式"), MOMENT)
    cancelled = advance(scanning(), Said("算了"), MOMENT)

    for step in (renewed, left, cancelled):
        assert Drop(ATTEMPT) in step.effects
    assert renewed.effects.index(Drop(ATTEMPT)) < len(renewed.effects) - 1
    assert isinstance(renewed.effects[-1], Begin)
    assert renewed.effects[-1].attempt != ATTEMPT


@pytest.mark.parametrize("state", [expired(), failed(Reason.MISMATCH)])
def test_another_way_keeps_the_data(state: states.State) -> None:
    for leaving in ("[other_way]", "/back"):
        holds(
            f"""
            >> {leaving}
            << Ask method.ask
            == ChoosingMethod
            """,
            state,
        )


# The result


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
        << Ask failed.ask_again + misc.not_understood
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
        after(f"{TO_METHOD}\n[wechat]"),
    )


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        (Reason.QUOTA, "three_accounts"),
        (Reason.NO_CARD, "which_way"),
        (Reason.MISMATCH, "data_error"),
        (Reason.FACE_COVERED, "face_fails"),
        (Reason.FACE_DIFFERS, "face_fails"),
        (Reason.FACE_OUT_OF_FRAME, "face_fails"),
        (Reason.DECLINED, ""),
        (Reason.UNAVAILABLE, ""),
    ],
)
def test_a_failure_offers_the_answer_to_the_question_it_raises(reason: Reason, topic: str) -> None:
    question = prompt(failed(reason))

    assert isinstance(question, Ask)
    assert Topic(topic) in buttons(question)


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
        after(f"{TO_METHOD}\n[wechat]"),
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
