"""What a row of the table is, and how rows are made; mypy refuses a rule that does not fit its state or its event."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, overload

from bot.flow.effects import Effect
from bot.flow.events import Choice, Command, Commanded, Event
from bot.flow.states import State, StateBase
from verification.attempts import Method
from verification.ids import Account

_NO_ACCOUNT = Account("")


def _no_topics(_: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class RuleContext:
    """The outside facts a rule may use: the time, in UTC, an id nobody has had, and what the FAQ says to a text.

    `topics_in` is pure: the ids of the topics that answer a text, best first. `own` is the account of somebody whom no
    link brought, `way` the way that a link suggested.
    """

    now: datetime
    fresh_id: str
    topics_in: Callable[[str], tuple[str, ...]] = field(default=_no_topics, compare=False, repr=False)
    own_account: Account = _NO_ACCOUNT
    suggested_method: Method | None = None

    @property
    def question_id(self) -> str:
        """A fresh mark for a question: short, since a button's data has 64 bytes, and still not to be guessed."""
        return self.fresh_id[:10]


@dataclass(frozen=True, slots=True)
class Step:
    """What a rule answers: the next state, and what to do."""

    state: State
    effects: tuple[Effect, ...] = ()


Trigger = type[Any] | Choice | Command
"""What a row waits for: a type of event, a button's choice, or a command."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; a `state` of None means every state without a row of its own for this trigger."""

    state: type[StateBase] | None
    trigger: Trigger
    rule: Callable[[Any, Any, RuleContext], Step]
    targets: tuple[type[StateBase], ...]


S = TypeVar("S", bound=StateBase)
E = TypeVar("E", bound=Event)


@overload
def on(
    state: type[S], trigger: Command, rule: Callable[[S, Commanded, RuleContext], Step], *to: type[StateBase]
) -> Row: ...
@overload
def on(state: type[S], trigger: type[E], rule: Callable[[S, E, RuleContext], Step], *to: type[StateBase]) -> Row: ...
def on(
    state: type[StateBase], trigger: Trigger, rule: Callable[[Any, Any, RuleContext], Step], *to: type[StateBase]
) -> Row:
    """In this state, this event is answered by this rule; without `to`, the state's kind stays."""
    return Row(state, trigger, rule, (state, *to))


def on_choice(
    state: type[S], choice: Choice, rule: Callable[[S, Event, RuleContext], Step], *to: type[StateBase]
) -> Row:
    """In this state, this choice is offered, and answered by this rule."""
    return Row(state, choice, rule, (state, *to))


@overload
def always(trigger: Command, rule: Callable[[State, Commanded, RuleContext], Step], *to: type[StateBase]) -> Row: ...
@overload
def always(trigger: type[E], rule: Callable[[State, E, RuleContext], Step], *to: type[StateBase]) -> Row: ...
def always(trigger: Trigger, rule: Callable[[State, Any, RuleContext], Step], *to: type[StateBase]) -> Row:
    """In every state without a row of its own, this event is answered by this rule."""
    return Row(None, trigger, rule, to)
