"""States as text and back, with the way that a link suggested beside them.

What an older release saved must load: a new field needs a default, a renamed state an alias.
"""

import json
from dataclasses import fields
from datetime import datetime
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from bot.flow.states import State
from verification.attempts import Method
from verification.identity import Identity, Name

_ADAPTERS: dict[str, TypeAdapter[Any]] = {state.__name__: TypeAdapter(state) for state in get_args(State)}

_WAY = "way"


def dump(state: State, way: Method | None = None) -> str:
    """A state as text; it holds name and number in clear, so it is for a sealing store only."""
    facts = {field.name: getattr(state, field.name) for field in fields(state)}
    if way is not None:
        facts[_WAY] = way
    return json.dumps({"state": type(state).__name__, **facts}, default=_plain, ensure_ascii=False)


def load(text: str) -> State:
    """The state a text holds; raises `ValueError`, without the text, when it holds none."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        # Its own words would carry the text along.
        raise ValueError("a saved dialogue is not what this program writes") from None
    match facts:
        case {"state": str(kind), **known} if kind in _ADAPTERS:
            adapter = _ADAPTERS[kind]
        case _:
            raise ValueError("a saved dialogue is of a kind this release does not know")
    try:
        state: State = adapter.validate_python(known)
    except ValidationError:
        # Its own words would quote the text, and with it a name.
        raise ValueError("a saved dialogue does not fit its kind") from None
    return state


def way(text: str) -> Method | None:
    """The way that was suggested, as a text that `load` takes tells it."""
    known = json.loads(text).get(_WAY)
    return Method(known) if known in set(Method) else None


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Name(plain):
            return {"plain": plain}
        case Identity(name, number):
            return {"name": {"plain": name.plain}, "number": {"plain": number.plain}}
        case _:
            raise TypeError(f"a state may not hold {type(value).__name__}")
