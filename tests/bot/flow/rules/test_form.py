"""The private form: its answer counts once, and no name from it is shown in clear at any later step."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from bot.flow import codec, states
from bot.flow.effects import DeleteUserMessage, FormButton, Sensitive
from bot.flow.events import Choice, Command, Commanded, Event, FormSent, Said, Tapped
from bot.flow.machine import advance, choices
from bot.flow.prompts import prompt
from bot.flow.rows import Step
from bot.flow.rules.details import NAME_TO_CHECK, read_form
from bot.flow.states import State
from tests.bot.flow.effect_texts import buttons, exposed, texts_in
from tests.bot.flow.samples import (
    ACCOUNT,
    CONTEXT,
    CORE_EVENTS,
    NAME,
    ODD_NAME,
    OTHER_NAME,
    QUESTION_ID,
    STATES,
    label,
    private_identity,
)
from tests.each_case import each_case
from tests.fakes import NUMBER, OTHER_NUMBER, make_identity
from verification.identity import Identity, Name, Number

SENT = FormSent(question_id=QUESTION_ID, identity=private_identity())
TYPED = (states.AskingName, states.CheckingName, states.AskingNumber, states.ChangingName, states.ChangingNumber)
WAITING = [state for state in STATES if isinstance(state, TYPED)]
CONFIRMING = states.Confirming(account=ACCOUNT, question_id=QUESTION_ID, identity=private_identity())
in_each_typed_state = pytest.mark.parametrize("state", [pytest.param(state, id=label(state)) for state in WAITING])


def in_clear(step: Step) -> set[str]:
    """What a step shows in clear."""
    values = (value for effect in step.effects for _, each in texts_in(effect) for value in each.values())
    return {value.text for value in values if isinstance(value, Sensitive)}


@in_each_typed_state
def test_the_form_leads_from_every_typed_step_to_the_check_of_the_masked_data(state: State) -> None:
    step = advance(state, SENT, CONTEXT)

    assert isinstance(step.state, states.Confirming)
    assert step.state.identity == private_identity()
    assert not in_clear(step)
    assert DeleteUserMessage(with_panel=True) in step.effects


@in_each_typed_state
def test_its_button_stands_under_the_question_and_under_the_reminder_of_it(state: State) -> None:
    reminded = advance(state, Said("提交"), CONTEXT)

    assert FormButton() in buttons(prompt(state))
    assert any(FormButton() in buttons(effect) for effect in reminded.effects)


def test_no_other_step_offers_it() -> None:
    offering = {type(state) for state in STATES if FormButton() in buttons(prompt(state))}

    assert offering == set(TYPED)


@each_case("state", STATES, label)
def test_the_form_of_another_question_or_step_changes_nothing(state: State) -> None:
    late = replace(SENT, question_id="m-earlier")
    events = [late] if isinstance(state, TYPED) else [late, SENT]

    steps = [advance(state, event, CONTEXT) for event in events]
    assert [(step.state, exposed(step)) for step in steps] == [(state, [])] * len(events)


# Never in clear


def later_states() -> Iterator[State]:
    """Every state that knows an identity, with one from the form."""
    for state in STATES:
        if isinstance(state, states.Identified | states.CheckingName):
            yield replace(state, identity=private_identity())


def events_in(state: State) -> Iterator[Event]:
    """Every button of the state, every command, what the core may say, and texts without the name."""
    yield from (Tapped(choice=choice, question_id=QUESTION_ID) for choice in choices(type(state)))
    yield from map(Commanded, Command)
    yield from (Said(text) for text in ("确认", "返回", "不改了", OTHER_NUMBER, "why?", "你好"))
    yield from CORE_EVENTS


@pytest.mark.parametrize("state", [pytest.param(state, id=label(state)) for state in later_states()])
def test_no_event_shows_the_name_of_the_form_or_forgets_that_it_is_confidential(state: State) -> None:
    for event in events_in(state):
        step = advance(state, event, CONTEXT)

        assert NAME not in in_clear(step), event
        if isinstance(step.state, states.Identified) and step.state.identity.name.plain == NAME:
            assert step.state.identity.name.is_confidential, event


def test_the_name_of_the_form_typed_where_the_number_is_asked_changes_nothing() -> None:
    changing = states.ChangingNumber(account=ACCOUNT, question_id=QUESTION_ID, identity=private_identity())
    step = advance(changing, Said(NAME), CONTEXT)

    assert step.state == changing
    assert not in_clear(step)


def test_a_name_typed_into_the_chat_afterwards_is_shown_to_be_checked() -> None:
    changing = advance(CONFIRMING, Tapped(choice=Choice.CHANGE_NAME, question_id=QUESTION_ID), CONTEXT).state

    assert in_clear(advance(changing, Said(OTHER_NAME), CONTEXT)) == {OTHER_NAME}


@pytest.mark.parametrize("state", [CONFIRMING, replace(CONFIRMING, identity=make_identity())])
def test_a_restart_does_not_forget_whether_the_name_is_confidential(state: states.Confirming) -> None:
    again = codec.load(codec.dump(state))

    assert again == state
    assert prompt(again) == prompt(state)


# What is typed


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        (NAME, NUMBER, private_identity()),
        (" 王 小 明 ", "１１０１０５ 19491231 002x", private_identity()),
        (f"我叫{NAME}", f"身份证号：{NUMBER}。", private_identity()),
        ("", "", {"name": "problem.name.empty", "number": "problem.number.empty"}),
        (NUMBER, NUMBER, {"name": "problem.name.number"}),
        (NAME, "E12345678", {"number": "problem.number.other_document"}),
        (ODD_NAME, NUMBER, {"name": NAME_TO_CHECK}),
    ],
)
def test_the_form_is_read_as_the_chat_is(name: str, number: str, expected: object) -> None:
    assert read_form(name, number, CONTEXT, is_checked=False) == expected


def test_a_name_that_looks_like_a_word_is_taken_once_it_is_checked() -> None:
    found = read_form(ODD_NAME, NUMBER, CONTEXT, is_checked=True)

    assert found == Identity(Name(ODD_NAME, is_confidential=True), Number(NUMBER))
