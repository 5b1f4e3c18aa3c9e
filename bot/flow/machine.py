"""Applies the table: `advance` turns one state and one event into one step.

It never raises because of something a person did. The table knows all methods; what becomes of a method that is
switched off is decided here, for all states at once: see `offers`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from bot.flow.effects import DeleteUserMessage, Effect, OpenAttempt
from bot.flow.events import (
    AttemptRefusal,
    AttemptRefused,
    Choice,
    CodeExpired,
    Command,
    Commanded,
    Event,
    MethodSuggested,
    Said,
    Tapped,
)
from bot.flow.offers import Methods, current_context, current_state, is_offered, only_offered
from bot.flow.prompts import suggested_first
from bot.flow.rows import Row, RuleContext, Step, Trigger
from bot.flow.rules import anytime, links, scan
from bot.flow.rules.common import holds_secret
from bot.flow.states import (
    Agreeing,
    AgreeingFace,
    AsksForText,
    Attempting,
    ChangingName,
    ChangingNumber,
    Confirming,
    Expired,
    Failed,
    Identified,
    Opening,
    QuotaFull,
    Scanning,
    State,
    StateBase,
)
from bot.flow.table import TABLE
from bot.flow.typed_input import denied_methods, is_done, is_thanks, keeps_value, match_choice, match_command
from bot.flow.typed_words import METHODS
from verification.attempts import Method

_ALL_METHODS = tuple(Method)
_OTHER_WORDS: Mapping[type[StateBase], Mapping[Choice, Sequence[Choice]]] = {
    AgreeingFace: {Choice.OTHER_METHOD: (Choice.WECHAT, Choice.QQ, Choice.NOT_NOW)},
    Confirming: {Choice.CHANGE_DATA: (Choice.NAME_WRONG,)},
    Opening: {Choice.OTHER_METHOD: METHODS},
    Scanning: {Choice.OTHER_METHOD: (*METHODS, Choice.CHANGE_DATA)},
    Expired: {
        Choice.NEW_CODE: (Choice.TRY_AGAIN, Choice.AGREE),
        Choice.OTHER_METHOD: (*METHODS, Choice.CHANGE_DATA),
    },
    QuotaFull: {Choice.FREED: (Choice.TRY_AGAIN,)},
    Failed: {
        Choice.TRY_AGAIN: (Choice.NEW_CODE, Choice.AGREE),
        Choice.OTHER_METHOD: METHODS,
        Choice.CHANGE_DATA: (Choice.NAME_WRONG,),
    },
}
"""By state: the choices that are meant as well by the words of choices that the state does not have."""

_SAME_METHOD: Mapping[type[StateBase], Choice] = {Expired: Choice.NEW_CODE, Failed: Choice.TRY_AGAIN}
"""By state: the choice of a person who names the method of the attempt; elsewhere that asks for nothing new."""

_STATE_ROWS: dict[tuple[type[StateBase], Trigger], Row] = {(row.state, row.trigger): row for row in TABLE if row.state}
_GENERAL_ROWS: dict[Trigger, Row] = {row.trigger: row for row in TABLE if row.state is None}


def _choices(*, is_offered: bool) -> Mapping[type[StateBase], tuple[Choice, ...]]:
    found: defaultdict[type[StateBase], tuple[Choice, ...]] = defaultdict(tuple)
    for row in TABLE:
        if row.state is not None and row.is_offered is is_offered and isinstance(row.trigger, Choice):
            found[row.state] += (row.trigger,)
    return found


_CHOICES = _choices(is_offered=True)
_UNOFFERED_CHOICES = _choices(is_offered=False)


def choices(state: type[StateBase]) -> tuple[Choice, ...]:
    """The choices that a state offers, in the order of the table."""
    return _CHOICES.get(state, ())


def unoffered_choices(state: type[StateBase]) -> tuple[Choice, ...]:
    """The choices that a state accepts and does not offer."""
    return _UNOFFERED_CHOICES.get(state, ())


def offered_choices(state: State, methods: Methods = _ALL_METHODS) -> tuple[Choice, ...]:
    """The choices of a state in the order of its buttons; a typed number means a position in it."""
    return tuple(
        choice for choice in suggested_first(state, choices(type(state))) if is_offered(state, choice, methods)
    )


def row_for_trigger(state: type[StateBase], trigger: Trigger) -> Row | None:
    """The transition for a trigger in a state: the state's own, or else the general one."""
    # `Choice.BACK` equals `Command.BACK`, and so for cancel: the command finds the transition of the choice.
    return _STATE_ROWS.get((state, trigger)) or _GENERAL_ROWS.get(trigger)


def advance(state: State, event: Event, context: RuleContext) -> Step:
    """The next state and the effects, by the transition for what the event means in this state."""
    context = current_context(context)
    off = _method_off_rule(state, event, context.methods)
    step = off(state, context) if off else _advance_by_table(current_state(state, context.methods), event, context)
    return Step(step.state, tuple(only_offered(effect, step.state, context) for effect in _with_opening(step)))


def _with_opening(step: Step) -> tuple[Effect, ...]:
    """The effects of a step; each that leaves the dialogue waiting for a code has it made, unless that goes on already.

    There is no question to ask again meanwhile, so any turn may come after one whose replies were lost.
    """
    if not isinstance(step.state, Opening):
        return step.effects
    attempt, account, method = step.state.attempt, step.state.account, step.state.method
    return (*step.effects, OpenAttempt(attempt, account, step.state.identity, method))


def _method_off_rule(state: State, event: Event, methods: Methods) -> Callable[[State, RuleContext], Step] | None:
    """The rule for a choice, an attempt or a suggestion whose method is off; None for any other event."""
    match state, event:
        case _, MethodSuggested(method) if method not in methods or not method.takes_identity:
            return links.method_off_suggested
        case (
            Agreeing() | Identified() | Attempting(),
            Tapped(choice=choice, question_id=state.question_id),
        ) if choice in choices(type(state)) and choice != Choice.CHANGE_DATA:
            is_off = not is_offered(state, Choice(choice), methods)
        case Identified() | Attempting(), Said(text) if match_choice(text, offered_choices(state, methods)) is None:
            # A number means a position among the buttons of now, never among those of before.
            is_off = match_choice(text, offered_choices(state), by_position=False) is not None
        case Opening(attempt=attempt, method=method), AttemptRefused(refused, AttemptRefusal.METHOD_OFF):
            is_off = refused == attempt and method not in methods
        case Scanning(attempt=attempt, method=method), CodeExpired(expired):
            is_off = expired == attempt and method not in methods
        case _:
            return None
    return scan.method_withdrawn if is_off else None


def _advance_by_table(state: State, event: Event, context: RuleContext) -> Step:
    trigger = _trigger_of(state, event, context.methods)
    row = None if trigger is None else row_for_trigger(type(state), trigger)
    if row is None:
        return anytime.stale_button(state)
    meant = Commanded(trigger) if isinstance(trigger, Command) and not isinstance(event, Commanded) else event
    step = row.rule(state, meant, context)
    deletes = any(isinstance(effect, DeleteUserMessage) for effect in step.effects)
    if holds_secret(state, _text_of(event)) and not deletes:
        return Step(step.state, (DeleteUserMessage(), *step.effects))
    return step


def row_for_event(state: State, event: Event, methods: Methods = _ALL_METHODS) -> Row | None:
    """The transition for an event; None for a button that is no longer valid or for a method that is off."""
    if _method_off_rule(state, event, methods):
        return None
    state = current_state(state, methods)
    trigger = _trigger_of(state, event, methods)
    return None if trigger is None else row_for_trigger(type(state), trigger)


def _text_of(event: Event) -> str:
    match event:
        case Said(text) | Commanded(_, text):
            return text
        case _:
            return ""


def _trigger_of(state: State, event: Event, methods: Methods = _ALL_METHODS) -> Trigger | None:
    """What an event means in this state; None for a button that is no longer valid."""
    match event:
        case Tapped(choice=choice, question_id=question_id):
            known = (*choices(type(state)), *unoffered_choices(type(state)))
            return Choice(choice) if question_id == state.question_id and choice in known else None
        case Said(text):
            return _trigger_of_text(state, text, methods)
        case Commanded(command, _):
            return command
        case _:
            return type(event)


def _trigger_of_text(state: State, text: str, methods: Methods) -> Trigger:
    offered, unoffered = offered_choices(state, methods), unoffered_choices(type(state))
    # Where a name or a number is asked for, a number is an answer.
    chosen = match_choice(text, offered, by_position=not isinstance(state, AsksForText))
    chosen = chosen or match_choice(text, unoffered, by_position=False)
    known = (*offered, *unoffered)
    chosen = chosen or _choice_by_other_words(state, text, known)
    if chosen is Choice.OTHER_METHOD:
        chosen = _kept_method(state, text, known)
    if chosen is None and isinstance(state, ChangingName | ChangingNumber) and keeps_value(text):
        return Choice.BACK
    return chosen or match_command(text) or Said


def _choice_by_other_words(state: State, text: str, known: Sequence[Choice]) -> Choice | None:
    """The choice that stands for what a text names, where that has no button: another method, for example."""
    for choice, meant in _OTHER_WORDS.get(type(state), {}).items():
        if choice in known and (named := match_choice(text, meant, by_position=False)):
            return None if named is Choice.AGREE and is_thanks(text) else choice
    return None


def _kept_method(state: State, text: str, known: Sequence[Choice]) -> Choice | None:
    """What a text means that seems to ask for another method: "no QQ" at a code for WeChat asks for nothing."""
    in_use, same = _methods_in_use(state), _SAME_METHOD.get(type(state))
    if is_done(text):
        return None
    if named := match_choice(text, METHODS, by_position=False):
        is_kept = named in in_use and (same is None or same in known)
        return same if is_kept else Choice.OTHER_METHOD
    denied = denied_methods(text)
    return None if denied and not denied & in_use else Choice.OTHER_METHOD


def _methods_in_use(state: State) -> frozenset[Choice]:
    """The method of a step, as its choice, and the app that scans the code on the screen."""
    method = (
        state.method if isinstance(state, Attempting) else Method.FACE
    )  # the one that asks for a consent of its own
    app = {Choice.WECHAT} if isinstance(state, Scanning) and method is Method.FACE else set[Choice]()
    return frozenset({Choice(method.value), *app})
