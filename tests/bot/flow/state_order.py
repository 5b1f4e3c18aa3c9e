"""The order of the states on the path to the result, and the choices and commands that lead back."""

from bot.flow import states
from bot.flow.events import Choice, Command, Commanded, Event, QuotaChecked, Said, Tapped
from bot.flow.machine import offered_choices, unoffered_choices
from bot.flow.states import State
from bot.flow.typed_input import match_choice, match_command
from verification.attempts import Method

ORDER: tuple[type[State], ...] = (
    states.Idle,
    states.ChoosingType,
    states.ReadingEnterprise,
    states.ReadingOverseas,
    states.ReadingInvitation,
    states.Agreeing,
    states.AskingName,
    states.AskingNumber,
    states.Confirming,
    states.AgreeingFace,
    states.Opening,
    states.Scanning,
    states.Expired,
    states.Failed,
    states.Verified,
)
_SAME_STEP = {
    states.ReadingEnterprise: states.ChoosingType,
    states.ReadingOverseas: states.ChoosingType,
    states.ReadingInvitation: states.ChoosingType,
    states.CheckingName: states.AskingName,
    states.ChangingName: states.Confirming,
    states.ChangingNumber: states.Confirming,
    states.AgreeingFace: states.Confirming,
    states.Scanning: states.Opening,
    states.Expired: states.Opening,
    states.Failed: states.Opening,
    states.QuotaFull: states.Opening,
}
LEAVING = {
    Choice.BACK,
    Choice.CANCEL,
    Choice.NOT_NOW,
    Choice.CHANGE_DATA,
    Choice.CHANGE_NUMBER,
    Choice.OTHER_METHOD,
    Command.BACK,
    Command.CANCEL,
}


def step_of(state: State) -> int:
    """How far a state is on the path; states of one step have the same position."""
    if isinstance(state, states.CheckingName) and state.identity is not None:
        return ORDER.index(states.Confirming)
    return ORDER.index(_SAME_STEP.get(type(state), type(state)))


def is_quota_freed(event: Event) -> bool:
    """Whether an event leads back from the ending in which a number has no account left."""
    return isinstance(event, QuotaChecked) and not event.is_full


def meaning(before: State, event: Event, methods: tuple[Method, ...] = tuple(Method)) -> object:
    """The choice or command that a person's event means in the state before it, if any."""
    match event:
        case Tapped(choice=choice):
            return choice
        case Commanded(command, _):
            return command
        case Said(text):
            unoffered = match_choice(text, unoffered_choices(type(before)), by_position=False)
            return match_choice(text, offered_choices(before, methods)) or unoffered or match_command(text)
        case _:
            return None
