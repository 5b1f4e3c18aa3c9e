"""A funnel as a table in the terminal: of one group step by step, of several a row each."""

from collections.abc import Sequence
from string import ascii_uppercase

from rich.table import Table
from rich.text import Text

from bot.chart import lasting, number, percent
from bot.operating.tables import drawn, plain_table, room_beside
from verification.funnel import Dimension, Step, Wanted
from verification.report import Report, Stage

NAMES = {
    Step.OPENED: "link opened",
    Step.STARTED: "started",
    Step.AGREED: "agreed",
    Step.CONFIRMED: "data confirmed",
    Step.SHOWN: "code shown",
    Step.PHONE: "on the phone",
    Step.VERIFIED: "verified",
}
_LONGEST, _SHORTEST, _BESIDE = 30, 6, 71
_EIGHTHS = " ▏▎▍▌▋▊▉"
_WARM = "bold yellow"
_WORST = "<"


def told(reports: Sequence[Report], wanted: Wanted, *, in_colour: bool) -> str:
    """A funnel as text."""
    if wanted.by is None:
        (report,) = reports
        return f"{drawn(_of_one(report), in_colour=in_colour)}\n\n{_reasons(report)}"
    if not reports:
        return "nothing was counted"
    return f"{drawn(_of_many(reports, wanted.by), in_colour=in_colour)}\n\n{_legend(reports[0])}"


def _of_one(report: Report) -> Table:
    table = plain_table()
    for title in ("step", ""):
        table.add_column(title, no_wrap=True)
    for title in ("count", "share", "lost", "median", "90 % in"):
        table.add_column(title, justify="right", no_wrap=True)
    most = max((stage.count for stage in report.stages), default=0)
    room = min(max(room_beside(_BESIDE), _SHORTEST), _LONGEST)
    for stage in report.stages:
        worst = stage is report.worst
        table.add_row(*_cells(stage, most, room), f"{_WORST} worst" if worst else "", style=_WARM if worst else "")
    return table


def _cells(stage: Stage, most: int, room: int) -> tuple[str, ...]:
    return (
        f"{number(stage)} {NAMES[stage.step]}",
        bar(stage.count, most, room),
        f"{stage.count:,}",
        percent(stage.of_first),
        percent(stage.lost) if stage.lost else "",
        lasting(stage.median) if stage.median is not None else "",
        lasting(stage.p90) if stage.p90 is not None else "",
    )


def bar(count: int, most: int, room: int) -> str:
    """A bar, whole for the most; whoever came at all leaves a trace.

    >>> bar(1, 2, 30), bar(1, 1000, 30), bar(0, 0, 30)
    ('███████████████', '▏', '')
    """
    eighths = max(round(count / most * room * 8), 1) if count else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _reasons(report: Report) -> str:
    if not report.reasons:
        return "no attempt failed"
    whole = sum(count for _, count in report.reasons)
    # By the letters that they have in the picture.
    named = (
        f"{letter} {reason.replace('_', ' ')} {count:,} ({percent(count / whole)})"
        for letter, (reason, count) in zip(ascii_uppercase, report.reasons, strict=False)
    )
    return f"failed attempts: {', '.join(named)}"


def _of_many(reports: Sequence[Report], by: Dimension) -> Table:
    table = plain_table()
    table.add_column(by, no_wrap=True)
    for stage in reports[0].stages:
        table.add_column(str(number(stage)), justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    for report in reports:
        counts = (cell for stage in report.stages for cell in _count(stage, report))
        table.add_row(report.group or "-", *counts, percent(report.stages[-1].of_first))
    return table


def _count(stage: Stage, report: Report) -> tuple[Text, Text]:
    worst = stage is report.worst
    style = _WARM if worst else ""
    return Text(f"{stage.count:,}", style), Text(_WORST if worst else "", style)


def _legend(report: Report) -> str:
    named = (f"{number(stage)} {NAMES[stage.step]}" for stage in report.stages)
    return f"{', '.join(named)}; {_WORST} the worst loss"
