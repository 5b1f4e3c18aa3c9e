"""The default of every field of our records fits its type: no None where something is promised, nothing for None."""

from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields
from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticUserError

import bot.engine
import bot.flow
import storage
import verification
from tests.architecture.records import records
from verification.record import Record

PACKAGES = (verification, storage, bot.flow, bot.engine)


def defaults(record: type[Record]) -> Iterator[tuple[str, Any, object]]:
    hints = get_type_hints(record)
    for each in fields(record):
        if each.default is not NODEFAULT:
            yield each.name, hints[each.name], each.default


def adapter(hint: Any) -> TypeAdapter[object]:
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:
        # A type with a configuration of its own.
        return TypeAdapter(hint)


WITH_DEFAULTS = [record for record in records(*PACKAGES) if list(defaults(record))]


@pytest.mark.parametrize("record", WITH_DEFAULTS, ids=lambda record: record.__qualname__)
def test_every_default_fits_its_type(record: type[Record]) -> None:
    for name, hint, default in defaults(record):
        assert adapter(hint).validate_python(default, strict=True) == default, name
