"""Converts a saved dialogue to text and back: the state, the person's journeys, and the method that a link suggested.

What an older release saved must load: a new field needs a default, a renamed field keeps its saved name by `rename`, a
state that is part of another one now needs a class here. A default must never change, because it stands for a field
that an older release did not save.
"""

from functools import cache

import msgspec

from bot.flow.journey import Journeys
from bot.flow.reminders import Reminders
from bot.flow.states import Confirming, Failed, Identified, QuotaFull, State
from verification.attempts import Method, Reason
from verification.record import Record

_NO_REMINDERS = Reminders()


class SavedDialogue(Record):
    """A dialogue as it is saved: the state, the person's journeys, and the method that a link suggested."""

    state: State
    journeys: Journeys = ()
    suggested_method: Method | None = None
    reminders: Reminders = _NO_REMINDERS


class ChoosingMethod(Identified, kw_only=True):
    """A state of the first release, which is `Confirming` with a checked identity now."""

    suggested: Method | None = None


class _Rest(Record, omit_defaults=True, rename={"suggested_method": "way"}):
    """What is saved beside the state."""

    journeys: Journeys = ()
    suggested_method: Method | None = None
    reminders: Reminders = _NO_REMINDERS


def dump(
    state: State,
    journeys: Journeys = (),
    suggested_method: Method | None = None,
    reminders: Reminders = _NO_REMINDERS,
) -> str:
    """The dialogue as text. The text holds name and number in clear: give it only to a store that seals it."""
    # The library leaves out a default only where it is the same object.
    rest = _Rest(journeys or (), suggested_method, _NO_REMINDERS if reminders == _NO_REMINDERS else reminders)
    return msgspec.json.encode(msgspec.to_builtins(state) | msgspec.to_builtins(rest)).decode()


def load(text: str) -> State:
    """The state in a text; raises `ValueError`, which never quotes the text, when the text holds no state."""
    try:
        return _state(_state_decoder().decode(text))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        # The library's own message could quote the text, so its cause is suppressed.
        raise ValueError("a saved dialogue is not what this release or an earlier one writes") from None


def load_all(text: str) -> SavedDialogue:
    """The whole dialogue in a text; raises `ValueError` as `load` does."""
    state = load(text)
    try:
        rest = _rest_decoder().decode(text)
    except msgspec.ValidationError:
        rest = _readable_rest(msgspec.json.decode(text))
    return SavedDialogue(state, rest.journeys, rest.suggested_method, rest.reminders)


@cache
def _state_decoder() -> msgspec.json.Decoder[State | ChoosingMethod]:
    return msgspec.json.Decoder(State | ChoosingMethod)


@cache
def _rest_decoder() -> msgspec.json.Decoder[_Rest]:
    return msgspec.json.Decoder(_Rest)


def _state(saved: State | ChoosingMethod) -> State:
    """The state as this release has it."""
    match saved:
        case ChoosingMethod(account=account, question_id=question, identity=identity, suggested=suggested):
            return Confirming(
                account=account, question_id=question, identity=identity, suggested=suggested, is_checked=True
            )
        case Failed(reason=Reason.QUOTA, identity=identity) if identity is not None:
            # Three accounts used up was a failure like any other; without a number it still is.
            return QuotaFull(
                account=saved.account, question_id=saved.question_id, identity=identity, attempt=saved.attempt
            )
        case _:
            return saved


def _readable_rest(saved: dict[str, object]) -> _Rest:
    """What can be read of the rest: a person must be able to go on without it."""
    return msgspec.convert({name: value for name, value in saved.items() if _is_readable({name: value})}, _Rest)


def _is_readable(saved: dict[str, object]) -> bool:
    try:
        msgspec.convert(saved, _Rest)
    except msgspec.ValidationError:
        return False
    return True
