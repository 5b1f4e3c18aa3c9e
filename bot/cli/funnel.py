"""The funnel for an operator: asked for, told as a table, and written as CSV, JSON and a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from string import ascii_uppercase

from rich.table import Table
from rich.text import Text

from bot.cli.report import Say, write
from bot.cli.support_client import ACTOR, opened_desk, read_language, wanted
from bot.cli.tables import drawn, plain_table, room_beside
from bot.images.funnel_chart import funnel_png, lasting, number, percent
from bot.settings import BadSetting, Settings
from verification.attempts import Method
from verification.invitations import read_campaign
from verification.support import funnel_export
from verification.support.funnel import Dimension, Step, Wanted, day_of
from verification.support.funnel_report import Report, Stage, reports

_HERE = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which funnel is asked for, as it is typed."""

    campaign: str | None = None
    since: str = ""
    until: str = ""
    days: int = 30
    by: Dimension | None = None
    method: Method | None = None
    language: str = ""

    def wanted(self, now: datetime) -> Wanted:
        """Read it; raises `BadSetting`."""
        until = wanted("--until", _day, self.until) if self.until else day_of(now)
        since = wanted("--since", _day, self.since) if self.since else until - timedelta(days=self.days - 1)
        if since > until:
            raise BadSetting(f"--since: {since} is after {until}")
        if self.by is Dimension.METHOD and self.method is not None:
            raise BadSetting("--method: one way cannot be taken apart by way; leave out --by")
        campaign = None if self.campaign is None else wanted("--campaign", read_campaign, self.campaign)
        language = wanted("--language", read_language, self.language) if self.language else None
        return Wanted(since, until, campaign, self.method, language, self.by)


@dataclass(frozen=True, slots=True)
class Into:
    """Where a funnel goes: here, and into files."""

    say: Say
    csv: str = ""
    json: str = ""
    png: Path | None = None
    in_colour: bool = False


async def tell(settings: Settings, asked: Asked, into: Into) -> int:
    """Count, tell and write."""
    if into.csv == into.json == _HERE:
        raise BadSetting("--csv, --json: only one of them can be written here")
    async with opened_desk(settings) as desk:
        which = asked.wanted(desk.clock.now())
        found = reports(await desk.support.figures(ACTOR, which), which)
    if into.png is not None:
        write(into.png, funnel_png(found, _title(which)))
    texts = ((into.csv, funnel_export.as_csv), (into.json, funnel_export.as_json))
    for place, form in texts:
        if place == _HERE:
            into.say(form(found, which).rstrip("\n"))
        elif place:
            write(Path(place), form(found, which).encode())
    if _HERE not in (into.csv, into.json):
        _tell(found, which, into)
    return 0


def _tell(found: Sequence[Report], which: Wanted, into: Into) -> None:
    into.say(_title(which))
    into.say(told(found, which, in_colour=into.in_colour))


def _title(which: Wanted) -> str:
    campaign = "all campaigns" if which.campaign is None else which.campaign or "no campaign"
    parts = (campaign, which.method, which.language, which.by and f"by {which.by}", f"{which.since} to {which.until}")
    return ", ".join(filter(None, parts))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("write a day: 2026-11-30") from None


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
