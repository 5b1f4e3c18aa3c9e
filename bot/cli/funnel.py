"""The command `funnel`: reads its options, prints a table, and writes CSV, JSON and a picture."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from string import ascii_uppercase

from rich.table import Table
from rich.text import Text

from bot.cli.report import STDOUT, Say, check_outputs, write
from bot.cli.support_client import ACTOR, open_support_client, read_language, read_option
from bot.cli.tables import columns_left, plain_table, render_table
from bot.images.funnel_chart import funnel_png
from bot.images.funnel_format import format_duration, format_percent, step_number
from bot.settings import BadSetting, Settings
from verification.attempts import Method
from verification.invitations import read_campaign
from verification.record import Record
from verification.support import funnel_export
from verification.support.funnel import Dimension, FunnelQuery, FunnelStep, beijing_day
from verification.support.funnel_report import FunnelReport, StepStatistics, build_reports


class FunnelOptions(Record, kw_only=True):
    """The options of the funnel, as typed."""

    campaign: str | None = None
    since: str = ""
    until: str = ""
    days: int = 30
    by: Dimension | None = None
    method: Method | None = None
    language: str = ""

    def read(self, now: datetime) -> FunnelQuery:
        """Read the options; raises `BadSetting`."""
        until = read_option("--until", _day, self.until) if self.until else beijing_day(now)
        since = read_option("--since", _day, self.since) if self.since else until - timedelta(days=self.days - 1)
        if since > until:
            raise BadSetting(f"--since: {since} is after {until}")
        if self.by is Dimension.METHOD and self.method is not None:
            raise BadSetting("--method: one method cannot be grouped by method; leave out --by")
        campaign = None if self.campaign is None else read_option("--campaign", read_campaign, self.campaign)
        language = read_option("--language", read_language, self.language) if self.language else None
        return FunnelQuery(
            since=since, until=until, campaign=campaign, method=self.method, language=language, by=self.by
        )


class FunnelOutput(Record, kw_only=True):
    """Where the funnel is written: to standard output and to files; `-` is standard output."""

    say: Say
    csv: Path | None = None
    json: Path | None = None
    png: Path | None = None
    in_colour: bool = False


async def report_funnel(settings: Settings, options: FunnelOptions, output: FunnelOutput) -> int:
    """Compute the funnel and write it in every form that was asked for."""
    check_outputs(csv=output.csv, json=output.json, png=output.png)
    async with open_support_client(settings) as client:
        query = options.read(client.clock.now())
        reports = build_reports(await client.support.funnel_statistics(ACTOR, query), query)
    if output.png is not None:
        write(output.png, funnel_png(reports, _title(query)))
    if output.csv is not None:
        write(output.csv, funnel_export.to_csv(reports, query).encode())
    if output.json is not None:
        write(output.json, funnel_export.to_json(reports, query).encode())
    if STDOUT not in (output.csv, output.json, output.png):
        _print_funnel(reports, query, output)
    return 0


def _print_funnel(reports: Sequence[FunnelReport], query: FunnelQuery, output: FunnelOutput) -> None:
    output.say(_title(query))
    output.say(format_funnel_table(reports, query, in_colour=output.in_colour))


def _title(query: FunnelQuery) -> str:
    campaign = "all campaigns" if query.campaign is None else query.campaign or "no campaign"
    parts = (campaign, query.method, query.language, query.by and f"by {query.by}", f"{query.since} to {query.until}")
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
_LONGEST, _SHORTEST, _OTHER_COLUMNS = 30, 6, 71
_EIGHTHS = " ▏▎▍▌▋▊▉"
_WARM = "bold yellow"
_WORST = "<"


def format_funnel_table(reports: Sequence[FunnelReport], query: FunnelQuery, *, in_colour: bool) -> str:
    """The funnel as a table in text."""
    if query.by is None:
        (report,) = reports
        lines = (render_table(_single_table(report), in_colour=in_colour), "", _reasons(report), *_reminders(report))
        return "\n".join(lines)
    if not reports:
        return "nothing was counted"
    return f"{render_table(_group_table(reports, query.by), in_colour=in_colour)}\n\n{_legend(reports[0])}"


def _single_table(report: FunnelReport) -> Table:
    table = plain_table()
    for title in ("step", ""):
        table.add_column(title, no_wrap=True)
    for title in ("count", "share", "lost", "median", "90 % in"):
        table.add_column(title, justify="right", no_wrap=True)
    most = max((step.count for step in report.steps), default=0)
    length = min(max(columns_left(_OTHER_COLUMNS), _SHORTEST), _LONGEST)
    for step in report.steps:
        worst = step is report.worst
        table.add_row(
            *_cells(step, most=most, length=length), f"{_WORST} worst" if worst else "", style=_WARM if worst else ""
        )
    return table


def _cells(step: StepStatistics, *, most: int, length: int) -> tuple[str, ...]:
    return (
        f"{step_number(step)} {STEP_NAMES[step.step]}",
        bar(step.count, most=most, length=length),
        f"{step.count:,}",
        format_percent(step.of_first),
        format_percent(step.lost) if step.lost else "",
        format_duration(step.median) if step.median is not None else "",
        format_duration(step.p90) if step.p90 is not None else "",
    )


def bar(count: int, *, most: int, length: int) -> str:
    """A bar of at most `length` characters, full for the largest count; a count above zero is always visible.

    >>> bar(1, most=2, length=30), bar(1, most=1000, length=30), bar(0, most=0, length=30)
    ('███████████████', '▏', '')
    """
    eighths = max(round(count / most * length * 8), 1) if count else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _reminders(report: FunnelReport) -> tuple[str, ...]:
    return (f"reminders: {report.reminded:,} sent, {report.returned:,} came back",) if report.reminded else ()


def _reasons(report: FunnelReport) -> str:
    if not report.reasons:
        return "no attempt failed"
    whole = sum(count for _, count in report.reasons)
    # The chart shows the reasons by the same letters.
    named = (
        f"{letter} {reason.replace('_', ' ')} {count:,} ({format_percent(count / whole)})"
        for letter, (reason, count) in zip(ascii_uppercase, report.reasons, strict=False)
    )
    return f"failed attempts: {', '.join(named)}"


def _group_table(reports: Sequence[FunnelReport], by: Dimension) -> Table:
    table = plain_table()
    table.add_column(by, no_wrap=True)
    for step in reports[0].steps:
        table.add_column(str(step_number(step)), justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    for report in reports:
        counts = (cell for step in report.steps for cell in _count(step, report))
        table.add_row(report.group or "-", *counts, format_percent(report.steps[-1].of_first))
    return table


def _count(step: StepStatistics, report: FunnelReport) -> tuple[Text, Text]:
    worst = step is report.worst
    style = _WARM if worst else ""
    return Text(f"{step.count:,}", style), Text(_WORST if worst else "", style)


def _legend(report: FunnelReport) -> str:
    named = (f"{step_number(step)} {STEP_NAMES[step.step]}" for step in report.steps)
    return f"{', '.join(named)}; {_WORST} the worst loss"
