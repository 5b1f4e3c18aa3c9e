"""From the choice of a method to its code, as transcripts."""

from dataclasses import replace

import pytest

from bot.flow.effects import CountQuestion, OpenAttempt, ShowFaq
from bot.flow.events import ReaskRequested, Said
from bot.flow.machine import advance
from tests.bot.flow.samples import (
    ATTEMPT,
    CONTEXT,
    opening,
)
from tests.bot.flow.transcript import TO_METHOD, TO_OPENING, after, holds
from verification.attempts import Method


@pytest.mark.parametrize("method", [Method.WECHAT, Method.QQ])
def test_a_scan_leads_from_the_code_to_the_account_being_verified(method: Method) -> None:
    holds(
        f"""
        >> [{method}]
        << RecordAnswer method.done
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
        << ReplaceCodeWithPicture verified stamp.verified in place
        << AskQuestion verified.ask
        == Verified
        """,
        after(TO_METHOD),
    )


def test_face_recognition_needs_its_own_consent_and_can_be_declined() -> None:
    holds(
        """
        >> [face]
        << RecordAnswer method.done
        << AskQuestion face_consent.ask
        == AgreeingFace
        >> [other_way]
        << AskQuestion method.ask
        == ChoosingMethod
        >> 刷脸
        << RecordAnswer method.done
        << AskQuestion face_consent.ask
        == AgreeingFace
        >> /back
        << AskQuestion method.ask
        == ChoosingMethod
        >> 3
        << RecordAnswer method.done
        << AskQuestion face_consent.ask
        == AgreeingFace
        >> 同意
        << RecordConsent face
        << RecordAnswer face_consent.done
        << ShowChatAction
        << OpenAttempt face
        == Opening
        """,
        after(TO_METHOD),
    )


def test_the_choice_of_a_method_can_lead_back_to_the_data_or_be_cancelled() -> None:
    holds(
        """
        >> [back]
        << AskQuestion confirm.ask
        == Confirming
        """,
        after(TO_METHOD),
    )
    for lines in (TO_METHOD, f"{TO_METHOD}\n[face]"):
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
        << SendText opening.wait
        << OpenAttempt wechat
        >> (sticker)
        << DeleteUserMessage
        << SendText opening.wait
        << OpenAttempt wechat
        >> /start
        << ShowChatAction
        << OpenAttempt wechat
        >> /status
        << SendText status.opening
        >> [new_code]
        << ShowToast misc.closed_question
        << RemoveButtons
        """,
        after(TO_OPENING),
    )


def test_a_question_while_the_code_is_being_made_is_answered() -> None:
    step = advance(opening(), Said("要多久"), replace(CONTEXT, topics_in=lambda _: ("takes_how_long",)))

    assert step.state == opening()
    assert step.effects == (ShowFaq("takes_how_long"), CountQuestion("takes_how_long"))


def test_after_a_crash_the_core_is_asked_again_for_the_same_attempt() -> None:
    state = opening()

    step = advance(state, ReaskRequested(), CONTEXT)

    assert step.state == state
    assert OpenAttempt(ATTEMPT, state.account, state.identity, state.method) in step.effects


def test_a_code_that_arrives_after_its_question_was_left_is_cancelled() -> None:
    holds(
        """
        >> /back
        << AskQuestion method.ask
        << CancelAttempt
        == ChoosingMethod
        >> core: attempt opened
        << CancelAttempt
        >> [qq]
        << RecordAnswer method.done
        << ShowChatAction
        << OpenAttempt qq
        == Opening
        >> other: attempt opened
        << CancelAttempt
        >> other: attempt refused unavailable
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
        << AskQuestion failed.ask
        == Failed
        >> core: attempt opened
        << CancelAttempt
        """,
        opening(),
    )
