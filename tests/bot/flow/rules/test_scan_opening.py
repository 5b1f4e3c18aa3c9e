"""From the choice of a way to its code, as transcripts."""

import pytest

from bot.flow.effects import OpenAttempt
from bot.flow.events import ReaskRequested
from bot.flow.machine import advance
from tests.bot.flow.samples import (
    ATTEMPT,
    MOMENT,
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
        >> core: opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: progressed opened
        << EditCaption scan.opened
        >> core: progressed confirming
        << EditCaption scan.confirming
        >> core: passed
        << ReplaceCodeWithPicture verified stamp.verified in place
        << AskQuestion verified.ask
        == Verified
        """,
        after(TO_METHOD),
    )


def test_the_face_has_a_consent_of_its_own_and_a_way_around_it() -> None:
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


def test_the_way_may_be_left_for_the_data_and_for_good() -> None:
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


def test_whoever_waits_for_the_code_hears_so_and_the_core_is_asked_again() -> None:
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


def test_after_a_crash_the_core_is_asked_again_for_the_same_attempt() -> None:
    state = opening()

    step = advance(state, ReaskRequested(), MOMENT)

    assert step.state == state
    assert OpenAttempt(ATTEMPT, state.account, state.identity, state.method) in step.effects


def test_a_code_that_comes_after_its_question_was_left_is_dropped() -> None:
    holds(
        """
        >> /back
        << AskQuestion method.ask
        << CancelAttempt
        == ChoosingMethod
        >> core: opened
        << CancelAttempt
        >> [qq]
        << RecordAnswer method.done
        << ShowChatAction
        << OpenAttempt qq
        == Opening
        >> other: opened
        << CancelAttempt
        >> other: declined unavailable
        >> core: opened
        << ShowCode scan.waiting in place
        == Scanning
        >> core: opened
        >> other: opened
        << CancelAttempt
        """,
        after(TO_OPENING),
    )


def test_cancelling_while_the_core_opens_gives_the_attempt_up() -> None:
    holds(
        """
        >> 取消
        << AskQuestion idle.ask + misc.cancelled
        << CancelAttempt
        == Idle
        >> core: declined quota
        """,
        after(TO_OPENING),
    )


def test_a_code_that_comes_after_its_attempt_was_refused_is_dropped() -> None:
    """The core was asked twice, and a place became free in between."""
    holds(
        """
        >> core: declined quota
        << AskQuestion failed.ask
        == Failed
        >> core: opened
        << CancelAttempt
        """,
        opening(),
    )
