"""The base of immutable values: states, events, effects, and what the core stores and returns."""

from typing import ClassVar, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True):
    """An immutable value with named fields; records of one type are equal when their fields are.

    Its `repr` leaves out the fields that `hidden` names, so that no log, traceback or test report shows them.
    """

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        """The type and the fields that are not hidden."""
        shown = (name for name in self.__struct_fields__ if name not in self.hidden)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"
