"""Writes the numbers of the funnel, for its picture, its table and its messages."""

from datetime import timedelta
from itertools import pairwise

from verification.support.funnel import STEPS
from verification.support.funnel_report import StepStatistics

_FEW = 0.01
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def step_number(step: StepStatistics) -> int:
    """The step's number among all steps, counted from one."""
    return STEPS.index(step.step) + 1


def format_duration(took: timedelta) -> str:
    """A duration in two units at most.

    >>> [format_duration(timedelta(seconds=seconds)) for seconds in (38.4, 130, 93_600)]
    ['38 s', '2 min 10 s', '1 d 2 h']
    """
    seconds = round(took.total_seconds())
    for (size, unit), (smaller, its_unit) in pairwise(_UNITS):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit} {rest} {its_unit}" if rest else f"{seconds // size} {unit}"
    return f"{seconds} s"


def format_percent(part: float | None) -> str:
    """A share in percent; a decimal distinguishes few from none, and a dash means no share.

    >>> format_percent(0.4149), format_percent(0.004), format_percent(0.998), format_percent(None)
    ('41 %', '0.4 %', '99.8 %', '-')
    """
    if part is None:
        return "-"
    needs_decimal = 0 < part < _FEW or 1 - _FEW < part < 1
    return f"{part * 100:.{int(needs_decimal)}f} %"
