"""What a question offers where some methods are switched off.

The table of transitions knows all methods. A method that is off has no button and no typed word, a code for it
cannot be made again, and with a single method on there is no other one to change to. A choice that was offered before,
such as a button of an old question, leads to the methods that are on.
"""

from collections.abc import Collection

from msgspec.structs import replace

from bot.flow import states
from bot.flow.effects import (
    AskQuestion,
    Button,
    ChoiceButton,
    EditCaption,
    Effect,
    ReplaceCodeWithPicture,
    Rows,
    ShowCode,
)
from bot.flow.events import Choice
from bot.flow.rows import RuleContext
from bot.flow.states import State
from verification.attempts import Method

Methods = Collection[Method]


def is_offered(state: State, choice: Choice, methods: Methods) -> bool:
    """Whether a choice of the state's question is offered while these methods are on."""
    match choice:
        case Choice.WECHAT | Choice.QQ | Choice.FACE | Choice.NETID:
            return Method(choice.value) in methods
        case Choice.AGREE | Choice.NEW_CODE | Choice.TRY_AGAIN:
            method = _method_of(state)
            return method is None or method in methods
        case Choice.OTHER_METHOD:
            # What leads to a network identity is the consent, and not the choice of a method.
            return bool(set(methods) - {_method_of(state), Method.NETID})
        case Choice.CHANGE_DATA:
            return states.typed_identity(state) is not None
        case _:
            return True


def only_offered(effect: Effect, state: State, context: RuleContext) -> Effect:
    """The effect without the buttons of choices that are not offered; the button of a method that rests says so."""
    match effect:
        case AskQuestion() | ShowCode() | EditCaption() | ReplaceCodeWithPicture():
            rows = _offered_rows(effect.rows, state, context)
            return effect if rows == effect.rows else replace(effect, rows=rows)
        case _:
            return effect


def without_suggestion(state: State, methods: Methods) -> State:
    """The state without the suggestion of a method that is off."""
    if isinstance(state, states.Confirming) and not _may_be_suggested(state.suggested, methods):
        return replace(state, suggested=None)
    return state


def current_state(state: State, methods: Methods) -> State:
    """The state as it is asked now: the consent to a method that is off becomes the choice of a method."""
    if isinstance(state, states.AgreeingFace) and Method.FACE not in methods:
        return states.Confirming(
            account=state.account, question_id=state.question_id, identity=state.identity, is_checked=True
        )
    return without_suggestion(state, methods)


def current_context(context: RuleContext) -> RuleContext:
    """The context without the suggestion of a method that is off."""
    is_on = _may_be_suggested(context.suggested_method, context.methods)
    return context if is_on or context.suggested_method is None else replace(context, suggested_method=None)


def _may_be_suggested(method: Method | None, methods: Methods) -> bool:
    """Whether a link's method is on, and one of those that are chosen after name and number are typed."""
    return method is not None and method.takes_identity and method in methods


def _offered_rows(rows: Rows, state: State, context: RuleContext) -> Rows:
    offered = [
        tuple(
            [
                _marked(button, context.resting)
                for button in row
                if not isinstance(button, ChoiceButton) or is_offered(state, button.choice, context.methods)
            ]
        )
        for row in rows
    ]
    return tuple([row for row in offered if row])


def _marked(button: Button, resting: Methods) -> Button:
    match button:
        case ChoiceButton(choice) if choice.value in resting:
            return ChoiceButton(choice, is_resting=True)
        case _:
            return button


def _method_of(state: State) -> Method | None:
    match state:
        case states.AgreeingFace():
            return Method.FACE
        case states.Attempting(method=method):
            return method
        case _:
            return None
