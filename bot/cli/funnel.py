"""The funnel for an operator: asked for, told as a table, and written as CSV, JSON and a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from string import ascii_uppercase

from rich.table import Table
from rich.text import Text

from bot.cli.report import Say, write
from bot.cli.support_client import ACTOR, open_support_client, read_language, read_option
from bot.cli.tables import columns_left, plain_table, render_table
from bot.images.funnel_chart import format_duration, format_percent, funnel_png, step_number
from bot.settings import BadSetting, Settings
from verification.attempts import Method
from verification.invitations import read_campaign
from verification.support import funnel_export
from verification.support.funnel import Dimension, FunnelQuery, FunnelStep, beijing_day
from verification.support.funnel_report import FunnelReport, StepStatistics, build_reports

_STDOUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelOptions:
    """Which funnel is asked for, as it is typed."""

    campaign: str | None = None
    since: str = ""
    until: str = ""
    days: int = 30
    by: Dimension | None = None
    method: Method | None = None
    language: str = ""

    def read(self, now: datetime) -> FunnelQuery:
        """Read it; raises `BadSetting`."""
        until = read_option("--until", _day, self.until) if self.until else beijing_day(now)
        since = read_option("--since", _day, self.since) if self.since else until - timedelta(days=self.days - 1)
        if since > until:
            raise BadSetting(f"--since: {since} is after {until}")
        if self.by is Dimension.METHOD and self.method is not None:
            raise BadSetting("--method: one way cannot be taken apart by way; leave out --by")
        campaign = None if self.campaign is None else read_option("--campaign", read_campaign, self.campaign)
        language = read_option("--language", read_language, self.language) if self.language else None
        return FunnelQuery(
            since=since, until=until, campaign=campaign, method=self.method, language=language, by=self.by
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelOutput:
    """Where a funnel goes: here, and into files."""

    say: Say
    csv: str = ""
    json: str = ""
    png: Path | None = None
    in_colour: bool = False


async def report_funnel(settings: Settings, asked: FunnelOptions, into: FunnelOutput) -> int:
    """Count, tell and write."""
    if into.csv == into.json == _STDOUT:
        raise BadSetting("--csv, --json: only one of them can be written here")
    async with open_support_client(settings) as desk:
        which = asked.read(desk.clock.now())
        found = build_reports(await desk.support.funnel_statistics(ACTOR, which), which)
    if into.png is not None:
        write(into.png, funnel_png(found, _title(which)))
    texts = ((into.csv, funnel_export.to_csv), (into.json, funnel_export.to_json))
    for place, form in texts:
        if place == _STDOUT:
            into.say(form(found, which).rstrip("\n"))
        elif place:
            write(Path(place), form(found, which).encode())
    if _STDOUT not in (into.csv, into.json):
        _print_funnel(found, which, into)
    return 0


def _print_funnel(found: Sequence[FunnelReport], which: FunnelQuery, into: FunnelOutput) -> None:
    into.say(_title(which))
    into.say(format_funnel_table(found, which, in_colour=into.in_colour))


def _title(which: FunnelQuery) -> str:
    campaign = "all campaigns" if which.campaign is None else which.campaign or "no campaign"
    parts = (campaign, which.method, which.language, which.by and f"by {which.by}", f"{which.since} to {which.until}")
    return ", ".join(filter(None, parts))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("write a day: 2026-11-30") from None


STEP_NAMES = {
    FunnelStep.OPENED: "link opened",
    FunnelStep.STARTED: "started",
    FunnelStep.AGREED: "agreed",
    FunnelStep.CONFIRMED: "data confirmed",
    FunnelStep.SHOWN: "code shown",
    FunnelStep.PHONE: "on the phone",
    FunnelStep.VERIFIED: "verified",
}
_LONGEST, _SHORTEST, _BESIDE = 30, 6, 71
_EIGHTHS = " ▏▎▍▌▋▊▉"
_WARM = "bold yellow"
_WORST = "<"


def format_funnel_table(reports: Sequence[FunnelReport], wanted: FunnelQuery, *, in_colour: bool) -> str:
    """A funnel as text."""
    if wanted.by is None:
        (report,) = reports
        return f"{render_table(_single_table(report), in_colour=in_colour)}\n\n{_reasons(report)}"
    if not reports:
        return "nothing was counted"
    return f"{render_table(_group_table(reports, wanted.by), in_colour=in_colour)}\n\n{_legend(reports[0])}"


def _single_table(report: FunnelReport) -> Table:
    table = plain_table()
    for title in ("step", ""):
        table.add_column(title, no_wrap=True)
    for title in ("count", "share", "lost", "median", "90 % in"):
        table.add_column(title, justify="right", no_wrap=True)
    most = max((stage.count for stage in report.steps), default=0)
    room = min(max(columns_left(_BESIDE), _SHORTEST), _LONGEST)
    for stage in report.steps:
        worst = stage is report.worst
        table.add_row(
            *_cells(stage, most=most, room=room), f"{_WORST} worst" if worst else "", style=_WARM if worst else ""
        )
    return table


def _cells(stage: StepStatistics, *, most: int, room: int) -> tuple[str, ...]:
    return (
        f"{step_number(stage)} {STEP_NAMES[stage.step]}",
        bar(stage.count, most=most, room=room),
        f"{stage.count:,}",
        format_percent(stage.of_first),
        format_percent(stage.lost) if stage.lost else "",
        format_duration(stage.median) if stage.median is not None else "",
        format_duration(stage.p90) if stage.p90 is not None else "",
    )


def bar(count: int, *, most: int, room: int) -> str:
    """A bar, whole for the most; whoever came at all leaves a trace.

    >>> bar(1, most=2, room=30), bar(1, most=1000, room=30), bar(0, most=0, room=30)
    ('███████████████', '▏', '')
    """
    eighths = max(round(count / most * room * 8), 1) if count else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _reasons(report: FunnelReport) -> str:
    if not report.reasons:
        return "no attempt failed"
    whole = sum(count for _, count in report.reasons)
    # By the letters that they have in the picture.
    named = (
        f"{letter} {reason.replace('_', ' ')} {count:,} ({format_percent(count / whole)})"
        for letter, (reason, count) in zip(ascii_uppercase, report.reasons, strict=False)
    )
    return f"failed attempts: {', '.join(named)}"


def _group_table(reports: Sequence[FunnelReport], by: Dimension) -> Table:
    table = plain_table()
    table.add_column(by, no_wrap=True)
    for stage in reports[0].steps:
        table.add_column(str(step_number(stage)), justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    for report in reports:
        counts = (cell for stage in report.steps for cell in _count(stage, report))
        table.add_row(report.group or "-", *counts, format_percent(report.steps[-1].of_first))
    return table


def _count(stage: StepStatistics, report: FunnelReport) -> tuple[Text, Text]:
    worst = stage is report.worst
    style = _WARM if worst else ""
    return Text(f"{stage.count:,}", style), Text(_WORST if worst else "", style)


def _legend(report: FunnelReport) -> str:
    named = (f"{step_number(stage)} {STEP_NAMES[stage.step]}" for stage in report.steps)
    return f"{', '.join(named)}; {_WORST} the worst loss"
