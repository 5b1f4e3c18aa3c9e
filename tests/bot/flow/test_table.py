"""The promises of the table itself, transition by transition."""

from collections import Counter

import pytest

from bot.flow import states
from bot.flow.effects import AskQuestion, ShowChatAction
from bot.flow.events import Choice, Command, Commanded, Tapped
from bot.flow.machine import choices, offered_choices, row_for_trigger
from bot.flow.prompts import prompt, short_prompt
from bot.flow.rows import Trigger
from bot.flow.states import State
from bot.flow.table import TABLE
from tests.bot.flow.effect_texts import choices_in
from tests.bot.flow.samples import EVENT_KINDS, STATE_KINDS, STATES, label
from tests.each_case import each_case

TRIGGERS: tuple[Trigger, ...] = (*(kind for kind in EVENT_KINDS if kind not in (Tapped, Commanded)), *Command)
in_each_state = each_case("state", STATES, label)


def test_no_state_has_two_transitions_for_one_trigger() -> None:
    twice = [key for key, times in Counter((row.state, row.trigger) for row in TABLE).items() if times > 1]

    assert twice == []


def test_every_trigger_has_a_general_transition() -> None:
    assert {row.trigger for row in TABLE if row.state is None} == set(TRIGGERS)


@pytest.mark.parametrize("kind", STATE_KINDS)
def test_every_trigger_is_answered_in_every_state(kind: type[State]) -> None:
    assert [trigger for trigger in TRIGGERS if row_for_trigger(kind, trigger) is None] == []


def test_transitions_begin_and_end_in_concrete_states() -> None:
    named = {row.state for row in TABLE if row.state} | {target for row in TABLE for target in row.targets}

    assert named == set(STATE_KINDS)


def test_every_state_can_be_entered_and_every_state_but_the_last_can_be_left() -> None:
    entered = {target for row in TABLE for target in row.targets if target is not row.state}
    left = {row.state for row in TABLE if row.state and set(row.targets) - {row.state}}

    assert entered == set(STATE_KINDS)
    assert left == set(STATE_KINDS) - {states.Verified}


def test_every_choice_is_offered_somewhere() -> None:
    assert {choice for kind in STATE_KINDS for choice in choices(kind)} == set(Choice) - {Choice.CONFIRM}


@in_each_state
def test_a_question_offers_exactly_the_choices_of_its_state_in_their_order(state: State) -> None:
    assert choices_in(prompt(state)) == offered_choices(state)
    # Where no data were typed, there are none to change.
    nothing_typed = isinstance(state, states.Failed) and state.identity is None
    not_offered = {Choice.CHANGE_DATA} if nothing_typed else set()
    assert set(offered_choices(state)) == set(choices(type(state))) - not_offered


@in_each_state
def test_the_short_question_offers_the_same_choices(state: State) -> None:
    question = short_prompt(state, "misc.not_understood")

    if isinstance(question, AskQuestion):
        assert choices_in(question) == offered_choices(state)
    else:
        # The code or its picture is still on the screen with its buttons, or there is nothing to press yet.
        assert not isinstance(prompt(state), AskQuestion)
        assert choices_in(question) == ()


@in_each_state
def test_every_question_waits_for_something(state: State) -> None:
    question = prompt(state)

    assert choices_in(question) or isinstance(question, ShowChatAction) or isinstance(state, states.Verified)


@pytest.mark.parametrize("kind", STATE_KINDS)
def test_back_and_cancel_mean_the_same_pressed_typed_and_commanded(kind: type[State]) -> None:
    for choice, command in ((Choice.BACK, Command.BACK), (Choice.CANCEL, Command.CANCEL)):
        if choice in choices(kind):
            assert row_for_trigger(kind, choice) is row_for_trigger(kind, command)


def test_no_choice_has_a_general_transition() -> None:
    """A button belongs to one question."""
    assert [row for row in TABLE if row.state is None and isinstance(row.trigger, Choice)] == []
