"""From the choice of a method to its code, as transcripts."""

import pytest
from msgspec.structs import replace

from bot.flow import codec, states
from bot.flow.effects import AskQuestion, CountQuestion, OpenAttempt, Sensitive, ShowFaq
from bot.flow.events import Choice, ReaskRequested, Said, Tapped
from bot.flow.machine import advance
from bot.flow.prompts import prompt
from tests.bot.flow.effect_texts import exposed
from tests.bot.flow.samples import (
    ATTEMPT,
    CONTEXT,
    opening,
)
from tests.bot.flow.transcript import TO_CODE, TO_CONFIRM, TO_OPENING, after, holds
from tests.fakes import NUMBER
from verification.attempts import Method


@pytest.mark.parametrize("method", [Method.WECHAT, Method.QQ])
def test_a_scan_leads_from_the_code_to_the_account_being_verified(method: Method) -> None:
    holds(
        f"""
        >> [{method}]
        << RecordAnswer confirm.done
        << ShowChatAction
        << OpenAttempt {method}
        == Opening
        >> core: attempt opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: attempt progressed opened
        << EditCaption scan.opened
        >> core: attempt progressed confirming
        >> core: attempt passed
        << AskQuestion verified.ask closing verified stamp.verified
        == Verified
        """,
        after(TO_CONFIRM),
    )


def test_face_recognition_needs_its_own_consent_and_can_be_declined() -> None:
    holds(
        """
        >> [face]
        << RecordAnswer confirm.done
        << AskQuestion face_consent.ask
        == AgreeingFace
        >> [other_way]
        << AskQuestion confirm.ask
        == Confirming
        >> 刷脸
        << RecordAnswer confirm.done
        << AskQuestion face_consent.ask
        == AgreeingFace
        >> /back
        << AskQuestion confirm.ask
        == Confirming
        >> 3
        << RecordAnswer confirm.done
        << AskQuestion face_consent.ask
        == AgreeingFace
        >> 同意
        << RecordConsent face
        << RecordAnswer face_consent.done
        << ShowChatAction
        << OpenAttempt face
        == Opening
        """,
        after(TO_CONFIRM),
    )


def test_the_choice_of_a_method_can_lead_back_to_the_data_or_be_cancelled() -> None:
    holds(
        """
        >> [back]
        << AskQuestion confirm.ask
        >> /back
        << AskQuestion other_number.ask
        == ChangingNumber
        """,
        after(f"{TO_CODE}\n[other_way]"),
    )
    for lines in (TO_CONFIRM, f"{TO_CONFIRM}\n[face]"):
        holds(
            """
            >> [cancel]
            << AskQuestion idle.ask + misc.cancelled
            == Idle
            """,
            after(lines),
        )


# While the core opens


def test_a_person_who_waits_for_the_code_gets_a_reply_and_the_core_is_asked_again() -> None:
    holds(
        """
        >> 好了吗
        << DeleteUserMessage
        << SendText status.opening.preparing
        << OpenAttempt wechat
        >> (sticker)
        << DeleteUserMessage
        << SendText status.opening.preparing
        << OpenAttempt wechat
        >> /start
        << ShowChatAction
        << OpenAttempt wechat
        >> /status
        << SendText status.opening.preparing
        << OpenAttempt wechat
        >> [new_code]
        << ShowToast misc.closed_question
        << RemoveButtons
        << OpenAttempt wechat
        """,
        after(TO_OPENING),
    )


def test_a_question_while_the_code_is_being_made_is_answered() -> None:
    step = advance(opening(), Said("要多久"), replace(CONTEXT, topics_in=lambda _: ("takes_how_long",)))

    assert step.state == opening()
    assert exposed(step) == [ShowFaq("takes_how_long"), CountQuestion("takes_how_long")]


def test_after_a_crash_the_core_is_asked_again_for_the_same_attempt() -> None:
    state = opening()

    step = advance(state, ReaskRequested(), CONTEXT)

    assert step.state == state
    assert OpenAttempt(ATTEMPT, state.account, state.identity, state.method) in step.effects


def test_a_code_that_arrives_after_its_question_was_left_is_cancelled() -> None:
    holds(
        """
        >> /back
        << AskQuestion confirm.ask
        << CancelAttempt
        == Confirming
        >> core: attempt opened
        << CancelAttempt
        >> [qq]
        << RecordAnswer confirm.done
        << ShowChatAction
        << OpenAttempt qq
        == Opening
        >> other: attempt opened
        << CancelAttempt
        << OpenAttempt qq
        >> other: attempt refused unavailable
        << OpenAttempt qq
        >> core: attempt opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: attempt opened
        >> other: attempt opened
        << CancelAttempt
        """,
        after(TO_OPENING),
    )


def test_cancelling_while_the_core_opens_cancels_the_attempt() -> None:
    holds(
        """
        >> 取消
        << AskQuestion idle.ask + misc.cancelled
        << CancelAttempt
        == Idle
        >> core: attempt refused quota
        """,
        after(TO_OPENING),
    )


def test_a_code_that_arrives_after_its_attempt_was_refused_is_cancelled() -> None:
    """The core was asked twice, and a quota slot became free in between."""
    holds(
        """
        >> core: attempt refused quota
        << AskQuestion quota.ask
        == QuotaFull
        >> core: attempt opened
        << CancelAttempt
        """,
        opening(),
    )


# Checking and choosing on one screen, and what an earlier release left in chats


@pytest.mark.parametrize(("method", "state"), [("qq", "Opening"), ("wechat", "Opening"), ("face", "AgreeingFace")])
def test_saying_that_the_data_are_right_is_enough_for_the_method_of_a_link(method: str, state: str) -> None:
    after_confirming = after("没错", after(f"method link: {method}\n[personal]\n[agree]\n王小明\n{NUMBER}"))

    assert type(after_confirming).__name__ == state


def test_saying_that_the_data_are_right_leads_to_the_choice_of_a_method_and_a_word_of_it_goes_on() -> None:
    holds(
        """
        >> 确认无误
        << AskQuestion confirm.ask + confirm.choose
        >> 微信
        << RecordAnswer confirm.done
        << ShowChatAction
        << OpenAttempt wechat
        == Opening
        """,
        after(TO_CONFIRM),
    )


def test_the_buttons_of_the_former_two_screens_lead_on_in_the_one_screen() -> None:
    checking = after(TO_CONFIRM)
    choosing = codec.load(codec.dump(checking).replace('"Confirming"', '"ChoosingMethod"'))
    confirmed = advance(checking, Tapped(choice=Choice.CONFIRM, question_id=checking.question_id), CONTEXT)
    back = advance(choosing, Tapped(choice=Choice.BACK, question_id=choosing.question_id), CONTEXT)
    chosen = advance(choosing, Tapped(choice=Choice.QQ, question_id=choosing.question_id), CONTEXT)

    assert isinstance(choosing, states.Confirming)
    assert choosing.is_checked
    assert confirmed.effects == (prompt(confirmed.state, "confirm.choose"),)
    assert (back.state, back.effects) == (replace(checking, question_id=CONTEXT.question_id), (prompt(back.state),))
    assert isinstance(chosen.state, states.Opening)


@pytest.mark.parametrize("path", [f"{TO_CODE}\n[other_way]", f"{TO_CONFIRM}\n[face]\n[other_way]"])
def test_data_that_were_confirmed_are_shown_masked(path: str) -> None:
    question, checked = prompt(after(TO_CONFIRM)), prompt(after(path))

    assert isinstance(question, AskQuestion)
    assert isinstance(checked, AskQuestion)
    assert question.values["name"] == Sensitive("王小明")
    assert checked.values["name"] == "王*明"
