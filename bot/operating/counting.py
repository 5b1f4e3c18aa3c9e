"""The funnel for an operator: asked for, told as a table, and written as CSV, JSON and a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from bot.chart import funnel_png
from bot.operating.desk import ACTOR, opened_desk, read_language, wanted
from bot.operating.files import write
from bot.operating.findings import Say
from bot.operating.funnel_table import told
from bot.settings import BadSetting, Settings
from verification import figures
from verification.attempts import Method
from verification.funnel import Dimension, Wanted, day_of
from verification.links import read_campaign
from verification.report import Report, reports

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
    texts = ((into.csv, figures.as_csv), (into.json, figures.as_json))
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
