"""The result of an attempt, as transcripts."""

import pytest
from msgspec.structs import replace

from bot.content.catalogue import LANGUAGES, load
from bot.flow import states
from bot.flow.effects import (
    AskQuestion,
    ChoiceButton,
    ReplaceCodeWithPicture,
    SendText,
    TextKey,
    TopicButton,
    UrlButton,
)
from bot.flow.events import (
    AttemptFailed,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefusal,
    AttemptRefused,
    Choice,
    CodeExpired,
    CodeExpiring,
    LinkAccepted,
    Tapped,
    VerificationRecord,
)
from bot.flow.machine import advance
from bot.flow.prompts import mark, prompt, short_prompt
from bot.flow.states import PhoneStage
from tests.bot.flow.effect_texts import buttons
from tests.bot.flow.samples import (
    ACCOUNT,
    ATTEMPT,
    CONTEXT,
    FOREIGN_ACCOUNT,
    LATER,
    STATES,
    failed,
    label,
    opening,
    scanning,
    verified,
)
from tests.bot.flow.transcript import TO_CODE, TO_OPENING, after, holds
from tests.each_case import each_case
from tests.fakes import make_identity
from verification.attempts import AttemptId, Method, Reason
from verification.ids import Account


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.QUOTA])
def test_a_failure_says_why_and_trying_again_keeps_the_data(reason: Reason) -> None:
    asked = "failed.later" if reason is Reason.TOO_MANY else "failed.ask"
    state = holds(
        f"""
        >> other: attempt failed {reason}
        >> core: attempt failed {reason}
        << AskQuestion {asked} closing failed stamp.failed
        == Failed
        >> 为什么
        << AskQuestion {asked}
        >> [try_again]
        << RecordAnswer failed.done
        << ShowChatAction
        << OpenAttempt wechat
        == Opening
        """,
        after(TO_CODE),
    )

    assert isinstance(state, states.Opening)
    assert state.identity == make_identity()
    question = prompt(failed(reason))
    assert isinstance(question, AskQuestion)
    assert question.values["reason"] == TextKey(f"reason.{reason}")


@pytest.mark.parametrize("simulated", [True, False])
def test_a_closed_code_says_whether_its_provider_proves_anything(*, simulated: bool) -> None:
    event = AttemptPassed(ATTEMPT, ACCOUNT, Method.WECHAT, simulated=simulated)
    [question] = advance(scanning(), event, CONTEXT).effects

    assert isinstance(question, AskQuestion)
    assert question.closed_code is not None
    assert question.closed_code.values["mark"] == question.values["mark"] == mark(simulated)


def test_the_record_of_the_consent_stays_with_the_closed_code_and_not_with_the_result() -> None:
    [question] = advance(scanning(), AttemptFailed(ATTEMPT, Reason.MISMATCH), CONTEXT).effects

    assert isinstance(question, AskQuestion)
    assert not question.keeps_record


def test_after_a_face_failed_it_is_tried_again_without_a_second_consent() -> None:
    holds(
        """
        >> core: attempt failed face_covered
        << AskQuestion failed.ask closing failed stamp.failed
        == Failed
        >> 重试
        << RecordAnswer failed.done
        << ShowChatAction
        << OpenAttempt face
        == Opening
        """,
        scanning(Method.FACE),
    )


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        (Reason.NO_CARD, "bank_card"),
        (Reason.MISMATCH, "data_error"),
        (Reason.FACE_COVERED, "face_fails"),
        (Reason.FACE_DIFFERS, "face_fails"),
        (Reason.FACE_OUT_OF_FRAME, "face_fails"),
        (Reason.FACE_UNCLEAR, "face_fails"),
        (Reason.NO_PHOTO, "which_way"),
        (Reason.UNFINISHED, ""),
        (Reason.DECLINED, "unknown_code"),
        (Reason.UNAVAILABLE, ""),
    ],
)
def test_a_failure_offers_the_answer_to_the_question_it_raises(reason: Reason, topic: str) -> None:
    question = prompt(failed(reason))

    assert isinstance(question, AskQuestion)
    assert TopicButton(topic) in buttons(question)


def test_without_a_photo_on_file_another_method_comes_first() -> None:
    question = prompt(failed(Reason.NO_PHOTO, Method.FACE))

    assert isinstance(question, AskQuestion)
    assert question.rows[0] == (ChoiceButton(Choice.OTHER_METHOD), ChoiceButton(Choice.TRY_AGAIN))


def test_after_the_providers_last_try_of_the_day_the_chat_says_when_the_next_day_begins() -> None:
    step = advance(scanning(), AttemptFailed(ATTEMPT, Reason.TOO_MANY), CONTEXT)
    question = step.effects[-1]

    assert isinstance(question, AskQuestion)
    assert (question.text, question.values["until"]) == ("failed.later", CONTEXT.now.replace(hour=16, minute=0))


@pytest.mark.parametrize("refusal", [AttemptRefusal.TOO_MANY, AttemptRefusal.BUSY])
def test_a_person_who_must_wait_learns_until_when_and_gets_the_console_link(refusal: AttemptRefusal) -> None:
    step = advance(opening(), AttemptRefused(ATTEMPT, refusal, LATER), CONTEXT)
    question = step.effects[-1]

    assert step.state == replace(failed(Reason(refusal)), question_id=CONTEXT.question_id)
    assert isinstance(question, AskQuestion)
    assert (question.text, question.values["until"]) == ("failed.later", LATER)
    assert UrlButton("console") in buttons(question)


def test_after_waiting_the_next_attempt_uses_the_same_identity() -> None:
    waiting = failed(Reason.TOO_MANY)

    step = advance(waiting, Tapped(choice=Choice.TRY_AGAIN, question_id=waiting.question_id), CONTEXT)

    assert isinstance(step.state, states.Opening)
    assert step.state.identity == waiting.identity


@pytest.mark.parametrize("refusal", [AttemptRefusal.UNAVAILABLE, AttemptRefusal.OVER])
def test_an_attempt_that_cannot_be_opened_fails_as_unavailable(refusal: AttemptRefusal) -> None:
    step = advance(opening(), AttemptRefused(ATTEMPT, refusal), CONTEXT)

    assert step.state == replace(failed(Reason.UNAVAILABLE), question_id=CONTEXT.question_id)


def test_a_person_whose_account_is_verified_already_sees_that() -> None:
    holds(
        """
        >> core: attempt refused verified
        << AskQuestion verified.ask
        == Verified
        """,
        after(TO_OPENING),
    )


BEFORE_THE_REPORT = [state for state in STATES if not isinstance(state, states.Verified) or not state.attempt]


@each_case("state", BEFORE_THE_REPORT, label)
def test_a_success_is_reported_in_every_state(state: states.State) -> None:
    closing = " closing verified stamp.verified" if isinstance(state, states.Scanning) else ""

    reached = holds(
        "\n".join(
            [
                f">> core: attempt passed {state.account}",
                f"<< AskQuestion verified.ask{closing}",
                *(["== Verified"] if not isinstance(state, states.Verified) else []),
            ]
        ),
        state,
    )

    assert isinstance(reached, states.Verified)


@pytest.mark.parametrize("state", [verified(), verified(attempt=AttemptId(""))])
def test_the_same_success_is_reported_once(state: states.State) -> None:
    shown = after("core: attempt passed", state)

    assert (
        after("core: attempt passed\ncore: code expired\ncore: attempt failed mismatch\ncore: code expiring", shown)
        == shown
    )


@pytest.mark.parametrize(
    "state", [scanning(), verified(), states.Idle(account=Account("telegram:100012345"), question_id="m")]
)
def test_the_success_of_another_account_is_reported_and_changes_nothing(state: states.State) -> None:
    assert (
        holds(
            """
            >> core: attempt passed cloud:200056789
            << SendText misc.passed_elsewhere
            """,
            state,
        )
        == state
    )


def test_a_verified_account_stays_so() -> None:
    holds(
        """
        >> /cancel
        << SendText verified.stays
        >> 返回
        << SendText verified.stays
        >> /start
        << AskQuestion verified.ask
        >> /status
        << AskQuestion verified.ask_again + status.verified
        >> 谢谢
        << AskQuestion verified.ask_again + verified.thanks
        >> core: attempt opened
        << CancelAttempt
        """,
        verified(),
    )


def test_late_events_of_an_attempt_change_no_other_question() -> None:
    choosing = after(f"{TO_CODE}\n[other_way]")

    for news in (CodeExpiring(ATTEMPT), CodeExpired(ATTEMPT), AttemptProgressed(ATTEMPT, PhoneStage.OPENED, LATER)):
        assert advance(choosing, news, CONTEXT) == advance(choosing, CodeExpiring(ATTEMPT), CONTEXT)
        assert advance(choosing, news, CONTEXT).state == choosing


@pytest.mark.parametrize("is_simulated", [False, True])
def test_every_word_of_a_success_says_that_its_provider_was_simulated(is_simulated: bool) -> None:
    verified_state = replace(verified(), simulated=is_simulated)
    record = VerificationRecord(Method.QQ, CONTEXT.now, is_simulated)
    foreign = AttemptPassed(ATTEMPT, FOREIGN_ACCOUNT, Method.QQ, is_simulated)
    replies = (
        prompt(verified_state),
        short_prompt(verified_state, "status.verified"),
        advance(scanning(), replace(foreign, account=ACCOUNT), CONTEXT).effects[0],
        advance(scanning(), foreign, CONTEXT).effects[0],
        advance(scanning(), LinkAccepted(FOREIGN_ACCOUNT, verified=record), CONTEXT).effects[-1],
    )

    for reply in replies:
        assert isinstance(reply, AskQuestion | ReplaceCodeWithPicture | SendText)
        assert reply.values["mark"] == (TextKey("test_mark") if is_simulated else "")
        assert all("{mark}" in load(days=30).texts[language][reply.text] for language in LANGUAGES)
