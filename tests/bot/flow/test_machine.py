"""Every kind of event in every kind of state."""

from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from typing import get_args

import pytest

from bot.flow import codec, machine
from bot.flow.effects import (
    AskQuestion,
    CheckQuota,
    DeleteUserMessage,
    EditCaption,
    Effect,
    OpenAttempt,
    ReplaceCodeWithPicture,
    Sensitive,
    ShowCode,
    ShowRecords,
    ShowToast,
)
from bot.flow.events import (
    AttemptPassed,
    AttemptRefusal,
    AttemptRefused,
    Command,
    Commanded,
    Event,
    FormSent,
    LinkAccepted,
    ReaskRequested,
    Said,
    SideTapped,
    Tapped,
)
from bot.flow.machine import advance, choices, former_choices, row_for_trigger
from bot.flow.rows import Step
from bot.flow.states import (
    AskingName,
    AskingNumber,
    Attempting,
    ChangingName,
    ChangingNumber,
    CheckingName,
    Identified,
    Opening,
    QuotaFull,
    ReadingInvitation,
    Scanning,
    State,
    Verified,
)
from tests.bot.flow.effect_texts import deletes, exposed, strings, visible
from tests.bot.flow.samples import (
    CONTEXT,
    EVENT_KINDS,
    EVENTS,
    PERSONAL_EVENTS,
    QUESTION_ID,
    QUICK_EVENTS,
    QUICK_STATES,
    SECRETS,
    STATE_KINDS,
    STATES,
    label,
)
from tests.each_case import each_case
from tests.fakes import NUMBER
from tests.reliability import Proof
from verification.record import Record

Events = Sequence[Event]
EVENTS_BEFORE = deepcopy(EVENTS)
# With this scope the tests of one state follow each other, so that most of them find its steps computed.
in_each_state = pytest.mark.parametrize(
    ("state", "events"),
    [
        *(pytest.param(state, QUICK_EVENTS, id=label(state)) for state in QUICK_STATES),
        *(
            pytest.param(state, EVENTS, id=f"{label(state)}-all", marks=pytest.mark.slow("products"))
            for state in STATES
        ),
    ],
    scope="module",
)


@lru_cache(2)
def steps(state: State, events: Events) -> Sequence[tuple[Event, Step]]:
    """The steps of a state, computed once for its tests, since a step depends on nothing else."""
    return tuple((event, advance(state, event, CONTEXT)) for event in events)


def accounts_after(state: State, event: Event) -> set[str]:
    """The accounts allowed after an event: the same one, unless a link, a revocation or an erasure changes it."""
    match event:
        case LinkAccepted(account):
            return {state.account, account}
        case AttemptRefused(refusal=AttemptRefusal.UNBOUND) | SideTapped(choice="erase_now"):
            return {state.account, CONTEXT.own_account}
        case Said() | Tapped() | Commanded() if isinstance(state, ReadingInvitation):
            return {state.account, codec.load(state.former).account}
        case _:
            return {state.account}


def test_the_samples_hold_every_kind() -> None:
    assert {type(state) for state in STATES} == set(STATE_KINDS)
    assert {type(event) for event in EVENTS} == set(EVENT_KINDS)


@in_each_state
def test_inv07_every_event_leads_to_a_target_of_its_transition(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        trigger = machine._trigger_of(state, event)
        row = None if trigger is None else row_for_trigger(type(state), trigger)
        allowed = {type(state)} if row is None else {type(state), *row.targets}

        assert type(step.state) in allowed, event
        assert step.state.account in accounts_after(state, event), event


@in_each_state
def test_inv11_every_event_of_a_person_gets_a_reply(state: State, events: Events, proof: Proof) -> None:
    of_a_person = {ReaskRequested, *map(type, PERSONAL_EVENTS)}
    tried = [(event, step) for event, step in steps(state, events) if type(event) in of_a_person]
    for event, step in tried:
        # Where all places are taken, what the core says to the question brings a reply in any case.
        is_asked = isinstance(step.state, QuotaFull) and any(isinstance(effect, CheckQuota) for effect in step.effects)
        assert visible(step) or is_asked, event
    proof(cases=len(tried))


@in_each_state
def test_the_panel_is_deleted_with_a_typed_answer_only_where_a_question_takes_its_place(
    state: State, events: Events
) -> None:
    waits_for_text = isinstance(state, AskingName | CheckingName | AskingNumber | ChangingName | ChangingNumber)
    for event, step in steps(state, events):
        if DeleteUserMessage(with_panel=True) in step.effects:
            assert waits_for_text, event
            assert machine._trigger_of(state, event) in (Said, FormSent), event
            assert any(isinstance(effect, AskQuestion) for effect in step.effects), event


@in_each_state
def test_a_question_carries_the_id_that_its_buttons_are_compared_with(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        for effect in step.effects:
            match effect:
                case AskQuestion() | ShowCode() | EditCaption():
                    assert effect.question_id == step.state.question_id, event
                case ReplaceCodeWithPicture(rows=rows):
                    assert effect.question_id == (step.state if rows else state).question_id, event
                case ShowRecords():
                    assert effect.question_id == state.question_id, event


@in_each_state
def test_no_effect_holds_a_name_or_a_number(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        leaks = [text for text in strings(tuple(exposed(step))) for secret in SECRETS if secret in text]

        assert leaks == [], event


@in_each_state
def test_a_name_in_clear_is_only_in_the_questions_that_ask_to_check_it(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        shown = {
            effect.text
            for effect in step.effects
            for value in getattr(effect, "values", {}).values()
            if isinstance(effect, AskQuestion) and isinstance(value, Sensitive)
        }

        assert shown <= {"confirm.ask", "confirm.ask_again", "check_name.ask", "check_name.ask_again"}, event
        assert not [secret for secret in SECRETS if secret in repr(exposed(step))], event


@each_case("state", STATES, label)
def test_inv40_a_text_with_the_name_or_a_number_is_deleted_from_the_chat(state: State) -> None:
    match state:
        case AskingNumber():
            known: tuple[str, ...] = (state.name.plain,)
        case Identified():
            known = (state.identity.name.plain,)
        case _:
            known = ()
    for text in (NUMBER, f"我的号码是 {NUMBER}", *known):
        events: list[Event] = [Said(text), *(Commanded(command, text) for command in Command)]
        for event in events:
            assert deletes(advance(state, event, CONTEXT).effects), event


@in_each_state
def test_inv10_the_button_of_another_question_changes_nothing_and_says_so(
    state: State, events: Events, proof: Proof
) -> None:
    taps = [event for event in events if isinstance(event, Tapped)]
    valid = {*choices(type(state)), *former_choices(type(state))}
    stale = [tap for tap in taps if tap.question_id != QUESTION_ID or tap.choice not in valid]

    assert len(stale) > len(taps) / 2 > 0
    for tap in stale:
        step = advance(state, tap, CONTEXT)

        assert step.state == state, tap
        assert any(isinstance(effect, ShowToast) for effect in step.effects), tap
    proof(cases=len(stale))


@in_each_state
def test_a_step_is_a_value(state: State, events: Events) -> None:
    before = deepcopy(state)
    for event, first in steps(state, events):
        assert first == advance(state, event, CONTEXT), event

    assert (state, EVENTS) == (before, EVENTS_BEFORE)


@in_each_state
def test_every_state_that_is_reached_can_be_saved(state: State, events: Events) -> None:
    saved = {codec.dump(step.state): step.state for _, step in steps(state, events)}

    assert {text: codec.load(text) for text in saved} == saved


@in_each_state
def test_another_question_has_another_id_except_the_code_that_was_requested(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        if isinstance(state, Opening) and isinstance(step.state, Scanning):
            assert step.state.question_id == state.question_id
        elif type(step.state) is not type(state):
            assert step.state.question_id == CONTEXT.question_id, event


@in_each_state
def test_another_attempt_has_an_id_of_its_own(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        if isinstance(step.state, Opening) and not isinstance(state, Opening):
            assert CONTEXT.fresh_id in step.state.attempt, event


@in_each_state
def test_an_account_that_passed_is_verified_in_every_state(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        if isinstance(event, AttemptPassed) and event.account == state.account:
            assert isinstance(step.state, Verified), event


@in_each_state
def test_the_core_is_asked_only_for_the_attempt_of_the_state(state: State, events: Events) -> None:
    for event, step in steps(state, events):
        for effect in step.effects:
            if isinstance(effect, OpenAttempt):
                reached = step.state
                assert isinstance(reached, Attempting), event
                assert effect == OpenAttempt(reached.attempt, reached.account, reached.identity, reached.method), event


@pytest.mark.parametrize("kind", [*get_args(Effect), *EVENT_KINDS, *STATE_KINDS])
def test_effects_events_and_states_cannot_be_changed(kind: type[Effect]) -> None:
    assert issubclass(kind, Record)
    assert kind.__struct_config__.frozen
