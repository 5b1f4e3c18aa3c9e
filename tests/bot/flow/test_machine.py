"""Every kind of event in every kind of state."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from functools import lru_cache
from itertools import product
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
from bot.flow.machine import advance, choices, row_for_trigger, unoffered_choices
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
    QUICK_STATES,
    SECRETS,
    STATE_KINDS,
    STATES,
    label,
    quick_steps,
)
from tests.each_case import each_case
from tests.fakes import NUMBER
from tests.reliability import Proof
from verification.record import Record

SAMPLES_BEFORE = deepcopy((STATES, EVENTS))


def grouped(states: Iterable[State], suffix: str = "") -> dict[str, list[int]]:
    """The places of the states, those of one class and method together."""
    groups = dict[str, list[int]]()
    for place, state in enumerate(states):
        name = "-".join((type(state).__name__, *filter(None, [getattr(state, "method", None)])))
        groups.setdefault(name + suffix, []).append(place)
    return groups


QUICK, ALL = grouped(QUICK_STATES), grouped(STATES, "-all")
# With this scope the tests of one group follow each other, so that most of them find its steps computed.
in_each_group = pytest.mark.parametrize(
    "group", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow("products")) for name in ALL)], scope="module"
)


@lru_cache(1)
def steps(group: str) -> Sequence[tuple[State, Event, Step]]:
    """The steps of a group, computed once for its tests, since a step depends on nothing else."""
    if group in QUICK:
        return tuple(step for place in QUICK[group] for step in quick_steps(place))
    states = (STATES[place] for place in ALL[group])
    return tuple((state, event, advance(state, event, CONTEXT)) for state, event in product(states, EVENTS))


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


@in_each_group
def test_inv07_every_event_leads_to_a_target_of_its_transition(group: str) -> None:
    for state, event, step in steps(group):
        trigger = machine._trigger_of(state, event)
        row = None if trigger is None else row_for_trigger(type(state), trigger)
        allowed = {type(state)} if row is None else {type(state), *row.targets}

        assert type(step.state) in allowed, (label(state), event)
        assert step.state.account in accounts_after(state, event), (label(state), event)


@in_each_group
def test_inv11_every_event_of_a_person_gets_a_reply(group: str, proof: Proof) -> None:
    of_a_person = {ReaskRequested, *map(type, PERSONAL_EVENTS)}
    tried = [each for each in steps(group) if type(each[1]) in of_a_person]
    for state, event, step in tried:
        # Where all places are taken, what the core says to the question brings a reply in any case.
        is_asked = isinstance(step.state, QuotaFull) and any(isinstance(effect, CheckQuota) for effect in step.effects)
        assert visible(step) or is_asked, (label(state), event)
    proof(cases=len(tried))


@in_each_group
def test_the_panel_is_deleted_with_a_typed_answer_only_where_a_question_takes_its_place(group: str) -> None:
    waiting_for_text = (AskingName, CheckingName, AskingNumber, ChangingName, ChangingNumber)
    for state, event, step in steps(group):
        if DeleteUserMessage(with_panel=True) in step.effects:
            assert isinstance(state, waiting_for_text), (label(state), event)
            assert machine._trigger_of(state, event) in (Said, FormSent), (label(state), event)
            assert any(isinstance(effect, AskQuestion) for effect in step.effects), (label(state), event)


@in_each_group
def test_a_question_carries_the_id_that_its_buttons_are_compared_with(group: str) -> None:
    for state, event, step in steps(group):
        for effect in step.effects:
            match effect:
                case AskQuestion() | ShowCode() | EditCaption() | ReplaceCodeWithPicture():
                    assert effect.question_id == step.state.question_id, (label(state), event)
                case ShowRecords():
                    assert effect.question_id == state.question_id, (label(state), event)


@in_each_group
def test_no_effect_holds_a_name_or_a_number(group: str) -> None:
    for state, event, step in steps(group):
        leaks = [text for text in strings(tuple(exposed(step))) for secret in SECRETS if secret in text]

        assert leaks == [], (label(state), event)


@in_each_group
def test_a_name_in_clear_is_only_in_the_questions_that_ask_to_check_it(group: str) -> None:
    for state, event, step in steps(group):
        shown = {
            effect.text
            for effect in step.effects
            for value in getattr(effect, "values", {}).values()
            if isinstance(effect, AskQuestion) and isinstance(value, Sensitive)
        }

        assert shown <= {"confirm.ask", "confirm.ask_again", "check_name.ask", "check_name.ask_again"}, (
            label(state),
            event,
        )
        assert not [secret for secret in SECRETS if secret in repr(exposed(step))], (label(state), event)


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


def is_valid(tap: Tapped, state: State) -> bool:
    return tap.question_id == QUESTION_ID and tap.choice in {*choices(type(state)), *unoffered_choices(type(state))}


@in_each_group
def test_inv10_the_button_of_another_question_changes_nothing_and_says_so(group: str, proof: Proof) -> None:
    taps = [(state, event, step) for state, event, step in steps(group) if isinstance(event, Tapped)]
    stale = [(state, tap, step) for state, tap, step in taps if not is_valid(tap, state)]

    assert len(stale) > len(taps) / 2 > 0
    for state, tap, step in stale:
        assert step.state == state, (label(state), tap)
        assert any(isinstance(effect, ShowToast) for effect in step.effects), (label(state), tap)
    proof(cases=len(stale))


@in_each_group
def test_a_step_is_a_value(group: str) -> None:
    for state, event, first in steps(group):
        assert first == advance(state, event, CONTEXT), (label(state), event)

    assert (STATES, EVENTS) == SAMPLES_BEFORE


@in_each_group
def test_every_state_that_is_reached_can_be_saved(group: str) -> None:
    saved = {codec.dump(step.state): step.state for _, _, step in steps(group)}

    assert {text: codec.load(text) for text in saved} == saved


@in_each_group
def test_another_question_has_another_id_except_the_code_that_was_requested(group: str) -> None:
    for state, event, step in steps(group):
        if isinstance(state, Opening) and isinstance(step.state, Scanning):
            assert step.state.question_id == state.question_id
        elif type(step.state) is not type(state):
            assert step.state.question_id == CONTEXT.question_id, (label(state), event)


@in_each_group
def test_another_attempt_has_an_id_of_its_own(group: str) -> None:
    for state, event, step in steps(group):
        if isinstance(step.state, Opening) and not isinstance(state, Opening):
            assert CONTEXT.fresh_id in step.state.attempt, (label(state), event)


@in_each_group
def test_an_account_that_passed_is_verified_in_every_state(group: str) -> None:
    for state, event, step in steps(group):
        if isinstance(event, AttemptPassed) and event.account == state.account:
            assert isinstance(step.state, Verified), (label(state), event)


@in_each_group
def test_the_core_is_asked_only_for_the_attempt_of_the_state(group: str) -> None:
    for state, event, step in steps(group):
        for effect in step.effects:
            if isinstance(effect, OpenAttempt):
                reached = step.state
                assert isinstance(reached, Attempting), (label(state), event)
                assert effect == OpenAttempt(reached.attempt, reached.account, reached.identity, reached.method), (
                    label(state),
                    event,
                )


@each_case("kind", [*get_args(Effect), *EVENT_KINDS, *STATE_KINDS])
def test_effects_events_and_states_cannot_be_changed(kind: type[Effect]) -> None:
    assert issubclass(kind, Record)
    assert kind.__struct_config__.frozen
