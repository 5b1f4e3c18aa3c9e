"""Defines the transitions of the table; mypy rejects a rule that does not fit its state or its event."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, TypeVar, overload

from bot.flow.effects import Effect
from bot.flow.events import Choice, Command, Commanded, Event
from bot.flow.states import State, StateBase
from bot.flow.typed_input import NoWordLists, WordLists
from verification.attempts import Method
from verification.ids import Account
from verification.record import Record

_NO_ACCOUNT = Account("")
_NO_WORDS = NoWordLists()


def _no_topics(_: str) -> tuple[str, ...]:
    return ()


class RuleContext(Record):
    """What a rule may use besides state and event: `now` in UTC, an id that was never used before, and the FAQ.

    `topics_in` is pure and gives the ids of the topics that answer a text, best first. `words` are the lists by which
    typed texts are understood. `own_account` is the account of a person who came without a link. `suggested_method` is
    the method that a link suggested. `methods` are those that are on, in the order of their buttons; the providers of
    those in `resting` rest after failures.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"words"})

    now: datetime
    fresh_id: str
    topics_in: Callable[[str], tuple[str, ...]] = _no_topics
    words: WordLists = _NO_WORDS
    own_account: Account = _NO_ACCOUNT
    suggested_method: Method | None = None
    methods: tuple[Method, ...] = tuple(Method)
    resting: frozenset[Method] = frozenset()

    @property
    def question_id(self) -> str:
        """A new id for a question: short, because callback data have at most 64 bytes, and still not guessable."""
        return self.fresh_id[:10]


class Step(Record):
    """The result of a rule: the next state and the effects."""

    state: State
    effects: tuple[Effect, ...] = ()


Trigger = type[Any] | Choice | Command
"""What triggers a transition: a type of event, a button's choice, or a command."""


class Row(Record):
    """One transition; a `state` of None means every state that has no transition of its own for this trigger."""

    state: type[StateBase] | None
    trigger: Trigger
    rule: Callable[[Any, Any, RuleContext], Step]
    targets: tuple[type[StateBase], ...]
    is_offered: bool = True
    """Whether the state's question has a button for it; only a choice has one."""


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
    """A transition of one state on an event; the dialogue stays in the state, or moves to one of `to`."""
    return Row(state, trigger, rule, (state, *to))


def on_choice(
    state: type[S], choice: Choice, rule: Callable[[S, Event, RuleContext], Step], *to: type[StateBase]
) -> Row:
    """A transition of one state on a choice, which the state's question offers."""
    return Row(state, choice, rule, (state, *to))


def on_unoffered_choice(
    state: type[S], choice: Choice, rule: Callable[[S, Event, RuleContext], Step], *to: type[StateBase]
) -> Row:
    """A transition of one state on a choice that its question has no button for.

    Its words may be typed; and where an earlier release offered it, its button may still be in a chat.
    """
    return Row(state, choice, rule, (state, *to), is_offered=False)


@overload
def always(trigger: Command, rule: Callable[[State, Commanded, RuleContext], Step], *to: type[StateBase]) -> Row: ...
@overload
def always(trigger: type[E], rule: Callable[[State, E, RuleContext], Step], *to: type[StateBase]) -> Row: ...
def always(trigger: Trigger, rule: Callable[[State, Any, RuleContext], Step], *to: type[StateBase]) -> Row:
    """A transition of every state that has none of its own for this event."""
    return Row(None, trigger, rule, to)
