"""The funnel as CSV and JSON, for other programs; columns and fields are stable."""

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
    """One line per step and per reason of failure; unknown values are empty."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for report in reports:
        for step in report.steps:
            writer.writerow((report.group, "step", step.step, *_statistics(step).values()))
        for reason, count in report.reasons:
            writer.writerow((report.group, "reason", reason, count, *[None] * 4))
    return out.getvalue()


def to_json(reports: Sequence[FunnelReport], query: FunnelQuery) -> str:
    """One object: the query, and one group per report with its steps and reasons."""
    whole = {
        "since": query.since.isoformat(),
        "until": query.until.isoformat(),
        "campaign": query.campaign,
        "method": query.method,
        "language": query.language,
        "by": query.by,
        "groups": [_group(report) for report in reports],
    }
    return json.dumps(whole, indent=2) + "\n"


def _group(report: FunnelReport) -> dict[str, object]:
    return {
        "group": report.group,
        "steps": [{"step": step.step, **_statistics(step)} for step in report.steps],
        "worst": report.worst.step if report.worst else None,
        "reasons": [{"reason": reason, "count": count} for reason, count in report.reasons],
    }


def _statistics(step: StepStatistics) -> dict[str, float | None]:
    return {
        "count": step.count,
        "of_first": _rounded(step.of_first),
        "of_former": _rounded(step.of_previous),
        "median_seconds": _seconds(step.median),
        "p90_seconds": _seconds(step.p90),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, _DECIMALS)


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else round(duration.total_seconds(), 1)
