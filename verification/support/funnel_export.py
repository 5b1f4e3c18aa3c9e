"""A funnel for machines: every figure, in columns and fields that stay."""

import csv
import json
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO

from verification.support.funnel import FunnelQuery
from verification.support.funnel_report import FunnelReport, StepStatistics

COLUMNS = ("group", "kind", "name", "count", "of_first", "of_former", "median_seconds", "p90_seconds")
_DECIMALS = 4


def to_csv(reports: Sequence[FunnelReport], _: FunnelQuery) -> str:
    """A line for every step, and for every reason of failure; what is not known is empty."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for report in reports:
        for stage in report.steps:
            writer.writerow((report.group, "step", stage.step, *_statistics(stage).values()))
        for reason, count in report.reasons:
            writer.writerow((report.group, "reason", reason, count, *[None] * 4))
    return out.getvalue()


def to_json(reports: Sequence[FunnelReport], wanted: FunnelQuery) -> str:
    """One object: what was asked for, and a group each with its steps and reasons."""
    whole = {
        "since": wanted.since.isoformat(),
        "until": wanted.until.isoformat(),
        "campaign": wanted.campaign,
        "method": wanted.method,
        "language": wanted.language,
        "by": wanted.by,
        "groups": [_group(report) for report in reports],
    }
    return json.dumps(whole, indent=2) + "\n"


def _group(report: FunnelReport) -> dict[str, object]:
    return {
        "group": report.group,
        "steps": [{"step": stage.step, **_statistics(stage)} for stage in report.steps],
        "worst": report.worst.step if report.worst else None,
        "reasons": [{"reason": reason, "count": count} for reason, count in report.reasons],
    }


def _statistics(stage: StepStatistics) -> dict[str, float | None]:
    return {
        "count": stage.count,
        "of_first": _rounded(stage.of_first),
        "of_former": _rounded(stage.of_previous),
        "median_seconds": _seconds(stage.median),
        "p90_seconds": _seconds(stage.p90),
    }


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, _DECIMALS)


def _seconds(took: timedelta | None) -> float | None:
    return None if took is None else round(took.total_seconds(), 1)
