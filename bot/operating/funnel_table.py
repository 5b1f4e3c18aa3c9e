"""A funnel as a table in the terminal: of one group step by step, of several a row each."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bot.chart import lasting, number, percent
from bot.operating.tables import drawn
from verification.funnel import Dimension, Step, Wanted
from verification.report import Report, Stage

NAMES = {
    Step.OPENED: "link opened",
    Step.STARTED: "started",
    Step.AGREED: "agreed",
    Step.CONFIRMED: "data confirmed",
    Step.SHOWN: "code shown",
    Step.PHONE: "opened on the phone",
    Step.VERIFIED: "verified",
}
_BAR = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"
_WARM = "bold yellow"


def told(reports: Sequence[Report], wanted: Wanted, *, in_colour: bool) -> str:
    """A funnel as text."""
    if wanted.by is None:
        (report,) = reports
        return "\n".join((drawn(_of_one(report), in_colour=in_colour), "", _reasons(report)))
    if not reports:
        return "nothing was counted"
    return drawn(_of_many(reports, wanted.by), in_colour=in_colour)


def _of_one(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("step", no_wrap=True)
    table.add_column("", no_wrap=True)
    for title in ("count", "of first", "lost", "median", "90 % within"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    most = max((stage.count for stage in report.stages), default=0)
    for stage in report.stages:
        worst = stage is report.worst
        table.add_row(*_cells(stage, most), "< most are lost here" if worst else "", style=_WARM if worst else "")
    return table


def _cells(stage: Stage, most: int) -> tuple[str, ...]:
    return (
        f"{number(stage)} {NAMES[stage.step]}",
        bar(stage.count, most),
        f"{stage.count:,}",
        percent(stage.of_first),
        percent(stage.lost) if stage.lost else "",
        lasting(stage.median) if stage.median is not None else "",
        lasting(stage.p90) if stage.p90 is not None else "",
    )


def bar(count: int, most: int) -> str:
    """A bar, whole for the most; whoever came at all leaves a trace.

    >>> bar(1, 2), bar(1, 1000), bar(0, 0)
    ('███████████████', '▏', '')
    """
    eighths = max(round(count / most * _BAR * 8), 1) if count else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _reasons(report: Report) -> str:
    if not report.reasons:
        return "no attempt failed"
    whole = sum(count for _, count in report.reasons)
    named = (f"{_words(reason)} {count:,} ({percent(count / whole)})" for reason, count in report.reasons)
    return f"failed attempts: {', '.join(named)}"


def _of_many(reports: Sequence[Report], by: Dimension) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(by, no_wrap=True)
    for stage in reports[0].stages:
        table.add_column(NAMES[stage.step].replace(" ", "\n", 1), justify="right")
    table.add_column("of first", justify="right", no_wrap=True)
    table.add_column("most are lost at", no_wrap=True)
    for report in reports:
        counts = (_count(stage, report) for stage in report.stages)
        worst = NAMES[report.worst.step] if report.worst else ""
        table.add_row(report.group or "-", *counts, percent(report.stages[-1].of_first), worst)
    return table


def _count(stage: Stage, report: Report) -> Text:
    return Text(f"{stage.count:,}", style=_WARM if stage is report.worst else "")


def _words(reason: str) -> str:
    return reason.replace("_", " ")
