"""`advance` reads the table: one state, one event, one step. It never raises for what a person did."""

from bot.flow.effects import Discard
from bot.flow.events import Choice, Command, Commanded, Event, Said, Tapped
from bot.flow.prompts import suggested_first
from bot.flow.rows import Moment, Row, Step, Trigger
from bot.flow.rules import anytime
from bot.flow.rules.common import holds_secret
from bot.flow.states import Known, State
from bot.flow.table import TABLE
from bot.flow.typed_input import choice_in, command_in

_OWN: dict[tuple[type[Known], Trigger], Row] = {(row.state, row.trigger): row for row in TABLE if row.state}
_ALWAYS: dict[Trigger, Row] = {row.trigger: row for row in TABLE if row.state is None}


def choices(state: type[Known]) -> tuple[Choice, ...]:
    """The choices a state offers, in the order of the table."""
    return tuple(row.trigger for row in TABLE if row.state is state and isinstance(row.trigger, Choice))


def offered(state: State) -> tuple[Choice, ...]:
    """The choices of a state as its question shows them: a typed number means a place among these."""
    return suggested_first(state, choices(type(state)))


def row_for(state: type[Known], trigger: Trigger) -> Row | None:
    """The row that answers a trigger in a state: its own, or the one for every state."""
    # Back and cancel are one word, pressed or commanded: such a command finds the row of the choice.
    own = _OWN.get((state, trigger))
    if own is not None:
        return own
    return None if isinstance(trigger, Choice) else _ALWAYS[trigger]


def advance(state: State, event: Event, moment: Moment) -> Step:
    """The next state and what to do: the row of this state for what the event means in it."""
    trigger = _meaning(state, event)
    row = row_of(state, event)
    if row is None:
        return anytime.closed(state)
    meant = Commanded(trigger) if isinstance(trigger, Command) and not isinstance(event, Commanded) else event
    step = row.rule(state, meant, moment)
    if holds_secret(state, _words_of(event)) and Discard() not in step.effects:
        return Step(step.state, (Discard(), *step.effects))
    return step


def row_of(state: State, event: Event) -> Row | None:
    """The row that answers an event; None for a button that has no meaning any more."""
    trigger = _meaning(state, event)
    return None if trigger is None else row_for(type(state), trigger)


def _words_of(event: Event) -> str:
    match event:
        case Said(words) | Commanded(_, words):
            return words
        case _:
            return ""


def _meaning(state: State, event: Event) -> Trigger | None:
    """What an event means here; None for a button that has no meaning any more."""
    match event:
        case Tapped(choice, mark):
            known = mark == state.mark and choice in choices(type(state))
            return Choice(choice) if known else None
        case Said(text):
            return _said(state, text)
        case Commanded(command, _):
            return command
        case _:
            return type(event)


def _said(state: State, text: str) -> Trigger:
    return choice_in(text, offered(state)) or command_in(text) or Said
