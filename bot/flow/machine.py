"""Applies the table: `advance` turns one state and one event into one step.

It never raises because of something a person did.
"""

from bot.flow.effects import DeleteUserMessage
from bot.flow.events import Choice, Command, Commanded, Event, Said, Tapped
from bot.flow.prompts import suggested_first
from bot.flow.rows import Row, RuleContext, Step, Trigger
from bot.flow.rules import anytime
from bot.flow.rules.common import holds_secret
from bot.flow.states import State, StateBase
from bot.flow.table import TABLE
from bot.flow.typed_input import match_choice, match_command

_STATE_ROWS: dict[tuple[type[StateBase], Trigger], Row] = {(row.state, row.trigger): row for row in TABLE if row.state}
_GENERAL_ROWS: dict[Trigger, Row] = {row.trigger: row for row in TABLE if row.state is None}


def choices(state: type[StateBase]) -> tuple[Choice, ...]:
    """The choices that a state offers, in the order of the table."""
    return tuple(row.trigger for row in TABLE if row.state is state and isinstance(row.trigger, Choice))


def offered_choices(state: State) -> tuple[Choice, ...]:
    """The choices of a state in the order of its buttons; a typed number means a position in it."""
    return suggested_first(state, choices(type(state)))


def row_for_trigger(state: type[StateBase], trigger: Trigger) -> Row | None:
    """The transition for a trigger in a state: the state's own, or else the general one."""
    # `Choice.BACK` equals `Command.BACK`, and so for cancel: the command finds the transition of the choice.
    own = _STATE_ROWS.get((state, trigger))
    if own is not None:
        return own
    return None if isinstance(trigger, Choice) else _GENERAL_ROWS[trigger]


def advance(state: State, event: Event, context: RuleContext) -> Step:
    """The next state and the effects, by the transition for what the event means in this state."""
    trigger = _trigger_of(state, event)
    row = row_for_event(state, event)
    if row is None:
        return anytime.stale_button(state)
    meant = Commanded(trigger) if isinstance(trigger, Command) and not isinstance(event, Commanded) else event
    step = row.rule(state, meant, context)
    deletes = any(isinstance(effect, DeleteUserMessage) for effect in step.effects)
    if holds_secret(state, _text_of(event)) and not deletes:
        return Step(step.state, (DeleteUserMessage(), *step.effects))
    return step


def row_for_event(state: State, event: Event) -> Row | None:
    """The transition for an event; None for a button that is no longer valid."""
    trigger = _trigger_of(state, event)
    return None if trigger is None else row_for_trigger(type(state), trigger)


def _text_of(event: Event) -> str:
    match event:
        case Said(text) | Commanded(_, text):
            return text
        case _:
            return ""


def _trigger_of(state: State, event: Event) -> Trigger | None:
    """What an event means in this state; None for a button that is no longer valid."""
    match event:
        case Tapped(choice=choice, question_id=question_id):
            is_offered = question_id == state.question_id and choice in choices(type(state))
            return Choice(choice) if is_offered else None
        case Said(text):
            return _trigger_of_text(state, text)
        case Commanded(command, _):
            return command
        case _:
            return type(event)


def _trigger_of_text(state: State, text: str) -> Trigger:
    return match_choice(text, offered_choices(state)) or match_command(text) or Said
