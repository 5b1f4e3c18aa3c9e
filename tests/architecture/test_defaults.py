"""The default of every field of our records fits its type: no None where something is promised, nothing for None."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
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
from verification.record import Record

PACKAGES = (verification, storage, bot.flow, bot.engine)


def records(package: ModuleType) -> Iterator[type[Record]]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, Record) and each.__module__ == module.__name__:
                yield each


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


WITH_DEFAULTS = [record for package in PACKAGES for record in records(package) if list(defaults(record))]


@pytest.mark.parametrize("record", WITH_DEFAULTS, ids=lambda record: record.__qualname__)
def test_every_default_fits_its_type(record: type[Record]) -> None:
    for name, hint, default in defaults(record):
        assert adapter(hint).validate_python(default, strict=True) == default, name
