"""Converts a saved dialogue to text and back: the state, the person's journeys, and the method that a link suggested.

What an older release saved must load: a new field needs a default, a renamed field an entry in `_SAVED_AS`, a state
that is part of another one now an entry in `_FORMER_STATES`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from bot.flow.journey import Journeys
from bot.flow.reminders import Reminders
from bot.flow.states import State
from verification.attempts import Method, Reason
from verification.identity import Identity, Name, Number

_STATES: Mapping[str, type[State]] = {state.__name__: state for state in get_args(State)}
_REMINDERS = TypeAdapter(Reminders)
_NO_REMINDERS = Reminders()
_JOURNEYS: TypeAdapter[Journeys] = TypeAdapter(Journeys)

_SAVED_AS = {"question_id": "mark", "by_method": "ways"}
"""Fields that were renamed, with the name under which the first release saved them."""
_FORMER_STATES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "ChoosingMethod": ("Confirming", {"is_checked": True})
}
"""States that became part of another one, with what is known in it besides."""
_NOTHING_MORE: Mapping[str, object] = {}
_READ_AS = {saved: name for name, saved in _SAVED_AS.items()}


@dataclass(frozen=True, slots=True)
class SavedDialogue:
    """A dialogue as it is saved: the state, the person's journeys, and the method that a link suggested."""

    state: State
    journeys: Journeys = ()
    suggested_method: Method | None = None
    reminders: Reminders = _NO_REMINDERS


def preload() -> None:
    """Make the reader of every kind of state now; otherwise each is made when it is first needed."""
    for kind in _STATES:
        _adapter(kind)


def dump(
    state: State,
    journeys: Journeys = (),
    suggested_method: Method | None = None,
    reminders: Reminders = _NO_REMINDERS,
) -> str:
    """The dialogue as text. The text holds name and number in clear: give it only to a store that seals it."""
    facts = {_SAVED_AS.get(field.name, field.name): getattr(state, field.name) for field in fields(state)}
    extra: dict[str, object] = {}
    if journeys:
        extra["journeys"] = [_renamed(saved, _SAVED_AS) for saved in _JOURNEYS.dump_python(journeys, mode="json")]
    if suggested_method is not None:
        extra["way"] = suggested_method
    if reminders != _NO_REMINDERS:
        extra["reminders"] = _REMINDERS.dump_python(reminders)
    saved = {"state": type(state).__name__, **facts, **extra}
    return json.dumps(saved, default=_to_json, ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> State:
    """The state in a text; raises `ValueError`, which never quotes the text, when the text holds no state."""
    return load_all(text).state


def load_all(text: str) -> SavedDialogue:
    """The whole dialogue in a text; raises `ValueError` as `load` does."""
    facts = _facts(text)
    return SavedDialogue(_state(facts), _journeys(facts), _suggested_method(facts), _reminders(facts))


def _facts(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # The parser's own message would quote the text, so its cause is suppressed.
        raise ValueError("a saved dialogue is not what this program writes") from None


def _state(facts: object) -> State:
    match facts:
        case {"state": "Failed", "reason": Reason.QUOTA, "identity": {**identity}, **known}:
            # Three accounts used up was a failure like any other in earlier releases; without a number it still is.
            known["identity"], more, adapter = identity, _NOTHING_MORE, _adapter("QuotaFull")
        case {"state": str(kind), **known} if kind in _STATES or kind in _FORMER_STATES:
            kind, more = _FORMER_STATES.get(kind, (kind, _NOTHING_MORE))
            adapter = _adapter(kind)
        case _:
            raise ValueError("a saved dialogue is of a kind this release does not know")
    try:
        state: State = adapter.validate_python({**_renamed(known, _READ_AS), **more})
    except ValidationError:
        # Pydantic's message would quote the text, and with it a name.
        raise ValueError("a saved dialogue does not fit its kind") from None
    return state


@cache
def _adapter(kind: str) -> TypeAdapter[State]:
    """The reader of one kind of state; all of them together would take a fortieth of the start."""
    return TypeAdapter(_STATES[kind])


def _journeys(facts: object) -> Journeys:
    match facts:
        case {"journeys": [*saved]} if all(isinstance(each, dict) for each in saved):
            try:
                return _JOURNEYS.validate_python([_renamed(each, _READ_AS) for each in saved])
            except ValidationError:
                # The journeys serve only the funnel: a person must be able to go on without them.
                return ()
        case _:
            return ()


def _renamed(facts: Mapping[Any, object], names: Mapping[str, str]) -> dict[str, object]:
    return {names.get(name, name): value for name, value in facts.items()}


def _suggested_method(facts: object) -> Method | None:
    match facts:
        case {"way": str(method)} if method in set(Method):
            return Method(method)
        case _:
            return None


def _reminders(facts: object) -> Reminders:
    match facts:
        case {"reminders": {**saved}}:
            return _REMINDERS.validate_python(saved)
        case _:
            return _NO_REMINDERS


def _to_json(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Name(plain, is_confidential):
            return {"plain": plain, "is_confidential": True} if is_confidential else {"plain": plain}
        case Number(plain):
            return {"plain": plain}
        case Identity(name, number):
            return {"name": name, "number": number}
        case _:
            raise TypeError(f"a state may not hold {type(value).__name__}")
