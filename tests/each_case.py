"""One test over all rows of a table: for checks so cheap that a test of its own for each row would cost more."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

Test = Callable[..., None]


def each_case(names: str, cases: Iterable[Any], label: Callable[[Any], str] = str) -> Callable[[Test], Test]:
    """Call a test with each case for its argument of this name; all cases that fail are named together.

    Names with a comma between them stand for several arguments: each case is a tuple of them.
    """
    rows = tuple(cases)
    arguments = names.split(", ")

    def decorate(test: Test) -> Test:
        @wraps(test)
        def over_all(**fixtures: Any) -> None:
            failures = []
            for row in rows:
                try:
                    test(**fixtures, **dict(zip(arguments, row if len(arguments) > 1 else [row], strict=True)))
                except Exception as error:
                    error.add_note(f"The {names} was: {label(row)}")
                    failures.append(error)
            if failures:
                raise ExceptionGroup(f"{len(failures)} of {len(rows)} cases", failures)

        signature = inspect.signature(test)
        others = [each for each in signature.parameters.values() if each.name not in arguments]
        over_all.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]  # read by pytest
        return over_all

    return decorate
