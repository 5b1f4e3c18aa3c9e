"""News of another attempt or another account changes nothing: every state meets every such event.

The events are made from the fields of their classes, so a new event that names an attempt is tried here by itself.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from msgspec.structs import fields, replace

from bot.flow import codec
from bot.flow.effects import AskQuestion, CancelAttempt, EditCaption, SendText
from bot.flow.events import (
    AttemptFailed,
    AttemptOpened,
    AttemptPassed,
    AttemptProgressed,
    AttemptRefusal,
    AttemptRefused,
    CodeExpired,
    CodeExpiring,
    Event,
)
from bot.flow.machine import advance
from bot.flow.rows import Step
from bot.flow.states import Attempting, Expired, Failed, Idle, Opening, PhoneStage, ReadingInvitation, Scanning, State
from bot.flow.states import Verified as VerifiedState
from tests.bot.flow.effect_texts import exposed
from tests.bot.flow.samples import (
    ACCOUNT,
    ATTEMPT,
    CONTEXT,
    CORE_EVENTS,
    EVENT_KINDS,
    FOREIGN_ACCOUNT,
    FOREIGN_ATTEMPT,
    LATER,
    QUESTION_ID,
    STATES,
    invitation,
    label,
    opening,
    quota_full,
    scanning,
    verified,
)
from tests.each_case import each_case
from verification.attempts import AttemptId, Method, Reason
from verification.identity import mask_account
from verification.ids import Account
from verification.support.funnel import next_beijing_day

in_each_state = each_case("state", STATES, label)

OTHER_ATTEMPTS = (FOREIGN_ATTEMPT, AttemptId("attempt-currenT"), AttemptId("attempt-curren"), AttemptId(""))
"""Some of them look much like the one of the state."""
THIRD_ACCOUNT = Account("cloud:200099999")
WAITED_FOR = (Opening, Scanning)
"""The states in which news of their attempt are waited for."""


def naming(field: str) -> set[type[Event]]:
    return {kind for kind in EVENT_KINDS if field in {each.name for each in fields(kind)}}


def of_attempt(attempt: AttemptId) -> Iterator[Event]:
    for event in CORE_EVENTS:
        if getattr(event, "attempt", None) == FOREIGN_ATTEMPT:
            yield replace(event, attempt=attempt)


def test_the_events_tried_here_are_all_that_name_an_attempt() -> None:
    assert {type(event) for event in of_attempt(ATTEMPT)} == naming("attempt")
    assert all(type(event).__name__.startswith(("Attempt", "Code")) for event in of_attempt(ATTEMPT))


@in_each_state
def test_news_of_another_attempt_change_nothing(state: State) -> None:
    for event in (event for attempt in OTHER_ATTEMPTS for event in of_attempt(attempt)):
        step = advance(state, event, CONTEXT)
        match event:
            case AttemptPassed():
                # A success of the account counts whichever attempt it came by; the other accounts are tried below.
                continue
            case AttemptOpened():
                # Nobody sees its code: it must not stay open.
                assert (step.state, exposed(step)) == (state, [CancelAttempt(event.attempt)]), event
            case _:
                assert (step.state, exposed(step)) == (state, []), event


@in_each_state
def test_news_of_the_own_attempt_change_nothing_where_nobody_waits_for_them(state: State) -> None:
    own = state.attempt if isinstance(state, Attempting) else ATTEMPT
    for event in of_attempt(own):
        if isinstance(state, WAITED_FOR) or isinstance(event, AttemptPassed):
            continue
        expected = (CancelAttempt(own),) if isinstance(event, AttemptOpened) else ()

        assert advance(state, event, CONTEXT) == Step(state, expected), event


@in_each_state
def test_a_success_of_another_account_is_told_and_changes_nothing(state: State) -> None:
    for attempt, method in product((ATTEMPT, *OTHER_ATTEMPTS), Method):
        step = advance(state, AttemptPassed(attempt, THIRD_ACCOUNT, method), CONTEXT)

        values = {"account": mask_account(THIRD_ACCOUNT), "mark": ""}
        assert (step.state, exposed(step)) == (state, [SendText("misc.passed_elsewhere", values)])


@in_each_state
def test_a_success_of_the_account_is_recorded_with_its_own_attempt_and_method(state: State) -> None:
    for method in Method:
        step = advance(state, AttemptPassed(FOREIGN_ATTEMPT, state.account, method), CONTEXT)
        if isinstance(state, VerifiedState) and state.attempt:
            assert step == Step(state)
            continue
        at, recorded = (state.at, state.method) if isinstance(state, VerifiedState) else (CONTEXT.now, method)

        assert step.state == VerifiedState(
            account=state.account, question_id=CONTEXT.question_id, method=recorded, attempt=FOREIGN_ATTEMPT, at=at
        )
        assert isinstance(step.effects[-1], AskQuestion)


@pytest.mark.parametrize("former", [pytest.param(state, id=label(state)) for state in STATES[:5]])
@pytest.mark.parametrize("account", [ACCOUNT, THIRD_ACCOUNT])
def test_behind_an_invitation_only_the_account_that_passed_comes_back_verified(former: State, account: Account) -> None:
    state = invitation(replace(former, account=ACCOUNT))
    step = advance(state, AttemptPassed(FOREIGN_ATTEMPT, account, Method.QQ), CONTEXT)

    assert isinstance(step.state, ReadingInvitation)
    back = codec.load(step.state.former)
    if account == ACCOUNT:
        assert back == VerifiedState(
            account=ACCOUNT,
            question_id=CONTEXT.question_id,
            method=Method.QQ,
            attempt=FOREIGN_ATTEMPT,
            at=CONTEXT.now,
        )
    else:
        assert step.state == state
    assert (step.state.account, step.state.question_id) == (FOREIGN_ACCOUNT, QUESTION_ID)


# The own attempt, in the states that wait for it: every cell of the tables


@pytest.mark.parametrize(("before", "after"), list(product(PhoneStage, PhoneStage)))
@pytest.mark.parametrize("touched", [False, True])
def test_a_stage_on_the_phone_is_followed_only_forward(before: PhoneStage, after: PhoneStage, touched: bool) -> None:
    order = [PhoneStage.WAITING, PhoneStage.OPENED, PhoneStage.CONFIRMING]
    state = scanning(stage=before, touched=touched)
    step = advance(state, AttemptProgressed(ATTEMPT, after, state.expires_at), CONTEXT)

    if order.index(after) < order.index(before):
        assert step == Step(state)
    else:
        since = CONTEXT.now if after is not before else None
        assert step.state == replace(state, stage=after, touched=True, since=since)
        assert [type(effect) for effect in step.effects] == [EditCaption] * (before is PhoneStage.WAITING)


@pytest.mark.parametrize(("minutes", "edits"), [(0.9, []), (1.0, [EditCaption])])
def test_a_caption_changes_again_only_when_its_deadline_does(minutes: float, edits: list[type]) -> None:
    state = scanning(stage=PhoneStage.OPENED)
    until = state.expires_at + timedelta(minutes=minutes)
    step = advance(state, AttemptProgressed(ATTEMPT, PhoneStage.CONFIRMING, until), CONTEXT)

    assert [type(effect) for effect in step.effects] == edits
    assert isinstance(step.state, Scanning)
    assert (step.state.stage, step.state.expires_at) == (PhoneStage.CONFIRMING, until)


@pytest.mark.parametrize("stage", PhoneStage)
@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("method", Method)
def test_a_code_is_renewed_only_for_somebody_who_is_there_and_not_on_the_page(
    stage: PhoneStage, touched: bool, method: Method
) -> None:
    state = scanning(method, stage, touched)
    step = advance(state, CodeExpiring(ATTEMPT), CONTEXT)

    if touched and stage is PhoneStage.WAITING:
        assert isinstance(step.state, Opening)
        assert (step.state.identity, step.state.method) == (state.identity, method)
        assert step.state.attempt != ATTEMPT
        assert CancelAttempt(ATTEMPT) in step.effects
    else:
        assert step == Step(state)


@pytest.mark.parametrize("refusal", AttemptRefusal)
@pytest.mark.parametrize("until", [None, LATER])
def test_a_refusal_in_each_state_that_waits(refusal: AttemptRefusal, until: object) -> None:
    reasons = {
        AttemptRefusal.TOO_MANY: Reason.TOO_MANY,
        AttemptRefusal.BUSY: Reason.BUSY,
        AttemptRefusal.UNAVAILABLE: Reason.UNAVAILABLE,
        AttemptRefusal.OVER: Reason.UNAVAILABLE,
        AttemptRefusal.METHOD_OFF: Reason.UNAVAILABLE,
    }
    event = AttemptRefused(ATTEMPT, refusal, LATER if until else None)
    waiting, shown = advance(opening(), event, CONTEXT), advance(scanning(), event, CONTEXT)

    match refusal:
        case AttemptRefusal.UNBOUND:
            idle = Idle(account=CONTEXT.own_account, question_id=CONTEXT.question_id)
            assert (waiting.state, shown.state) == (idle, idle)
        case AttemptRefusal.VERIFIED:
            assert isinstance(waiting.state, VerifiedState)
            assert shown == Step(scanning())
        case AttemptRefusal.QUOTA:
            assert waiting.state == replace(quota_full(), question_id=CONTEXT.question_id)
            assert shown == Step(scanning())
        case _:
            assert isinstance(waiting.state, Failed)
            assert (waiting.state.reason, waiting.state.until) == (reasons[refusal], event.until)
            assert (waiting.state.attempt, waiting.state.identity) == (ATTEMPT, opening().identity)
            assert shown == Step(scanning())


FAILURES = tuple(reason for reason in Reason if reason is not Reason.QUOTA)


@pytest.mark.parametrize("method", Method)
def test_what_follows_an_attempt_keeps_its_data(method: Method) -> None:
    state = scanning(method)
    ended = advance(state, CodeExpired(ATTEMPT), CONTEXT).state
    rejected = [advance(state, AttemptFailed(ATTEMPT, reason), CONTEXT).state for reason in FAILURES]

    facts = {
        "account": ACCOUNT,
        "question_id": CONTEXT.question_id,
        "identity": state.identity,
        "method": method,
        "attempt": ATTEMPT,
    }
    assert ended == Expired(**facts)  # type: ignore[arg-type]
    until = {Reason.TOO_MANY: next_beijing_day(CONTEXT.now)}
    assert rejected == [
        Failed(**facts, reason=reason, until=until.get(reason))  # type: ignore[arg-type]
        for reason in FAILURES
    ]


@pytest.mark.parametrize("method", Method)
def test_a_code_that_was_opened_is_shown_with_what_the_core_said(method: Method) -> None:
    state = opening(method)
    step = advance(
        state,
        AttemptOpened(attempt=ATTEMPT, link="https://verify.example.com/s/other", match_code="07", expires_at=LATER),
        CONTEXT,
    )

    assert step.state == Scanning(
        account=ACCOUNT,
        question_id=QUESTION_ID,
        identity=state.identity,
        method=method,
        attempt=ATTEMPT,
        link="https://verify.example.com/s/other",
        match_code="07",
        expires_at=LATER,
        since=CONTEXT.now,
    )


def test_the_same_success_is_told_once_by_whichever_attempt() -> None:
    assert advance(verified(), AttemptPassed(ATTEMPT, ACCOUNT, Method.WECHAT), CONTEXT) == Step(verified())
