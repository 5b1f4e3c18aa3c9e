"""Attempts and the funnel as support's people see them: a masked attempt; the words under the chart."""

from collections.abc import Iterator
from datetime import timedelta
from string import ascii_uppercase

from bot.flow.effects import TextKey, Values
from bot.handlers.staff.replies import StaffTexts
from bot.images.funnel_chart import format_percent
from verification.attempts import Reason
from verification.identity import mask_account
from verification.invitations import CHAT_ACCOUNT_PREFIX
from verification.support.funnel import FunnelQuery
from verification.support.funnel_report import FunnelReport, StepStatistics
from verification.support.store import AttemptSummary

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LETTERS = ascii_uppercase[:4]


def format_attempt(texts: StaffTexts, seen: AttemptSummary) -> str:
    """An attempt, masked."""
    values: Values = {
        "code": seen.code,
        "account": mask_account(seen.account),
        "method": TextKey(f"method.{seen.method}"),
        "status": TextKey(f"privacy.status.{seen.status}"),
        "at": seen.created_at,
        "until": seen.expires_at,
    }
    lines = [texts.text("attempt.seen", values)]
    if seen.reason is not None:
        lines.append(texts.text("attempt.reason", {"reason": _reason(seen.reason)}))
    if seen.name:
        lines.append(texts.text("attempt.person", {"name": seen.name, "number": seen.number}))
    if not seen.account.startswith(CHAT_ACCOUNT_PREFIX):
        lines.append(texts.text("attempt.chat", {"chat": mask_account(seen.contact)}))
    return "\n".join(lines)


def format_funnel(texts: StaffTexts, report: FunnelReport, wanted: FunnelQuery) -> str:
    """The words under the chart: its steps by their numbers, and what to look at first."""
    lines = [texts.text("funnel.title", _period(wanted)), ""]
    lines += [_stage(texts, place, stage) for place, stage in enumerate(report.steps, 1)]
    lines += ["", *_findings(texts, report)]
    return "\n".join(lines).strip()


def format_empty_funnel(texts: StaffTexts, wanted: FunnelQuery) -> str:
    """That nobody came in these days."""
    return texts.text("funnel.nothing", _period(wanted))


def chart_title(wanted: FunnelQuery) -> str:
    """What stands over the chart: no word of any language, for its letters are few."""
    days = f"{wanted.since}" if wanted.since == wanted.until else f"{wanted.since} - {wanted.until}"
    return f"{wanted.campaign or ''} {days}".strip()


def format_time(texts: StaffTexts, time: timedelta) -> str:
    """How long something took, in two words at most."""
    seconds = round(time.total_seconds())
    if seconds < _MINUTE:
        return texts.text("time.seconds", {"s": str(seconds)})
    if seconds < _HOUR:
        return texts.text("time.minutes", {"m": str(seconds // _MINUTE), "s": str(seconds % _MINUTE)})
    if seconds < _DAY:
        return texts.text("time.hours", {"h": str(seconds // _HOUR), "m": str(seconds % _HOUR // _MINUTE)})
    return texts.text("time.days", {"d": str(seconds // _DAY), "h": str(seconds % _DAY // _HOUR)})


def _period(wanted: FunnelQuery) -> Values:
    return {
        "campaign": wanted.campaign or TextKey("staff.list.all"),
        "since": wanted.since.isoformat(),
        "until": wanted.until.isoformat(),
    }


def _stage(texts: StaffTexts, place: int, stage: StepStatistics) -> str:
    values: Values = {"place": str(place), "step": TextKey(f"staff.step.{stage.step}"), "count": str(stage.count)}
    parts = [texts.text("funnel.step", values)]
    if stage.lost:
        parts.append(texts.text("funnel.lost", {"part": format_percent(stage.lost)}))
    if stage.median is not None:
        parts.append(texts.text("funnel.median", {"time": format_time(texts, stage.median)}))
    return " · ".join(parts)


def _findings(texts: StaffTexts, report: FunnelReport) -> Iterator[str]:
    worst = report.worst
    if worst is not None:
        before = report.steps[report.steps.index(worst) - 1]
        values: Values = {
            "before": TextKey(f"staff.step.{before.step}"),
            "step": TextKey(f"staff.step.{worst.step}"),
            "part": format_percent(worst.lost or 0),
        }
        yield texts.text("funnel.worst", values)
    if report.reasons:
        # By the letters that the chart knows them by.
        named = [
            f"{letter} {_reason_text(texts, reason)} {n}"
            for letter, (reason, n) in zip(_LETTERS, report.reasons, strict=False)
        ]
        yield texts.text("funnel.reasons", {"reasons": " · ".join(named)})


def _reason(reason: Reason) -> TextKey:
    return TextKey(f"staff.reason.{reason}")


def _reason_text(texts: StaffTexts, reason: Reason) -> str:
    return texts.catalogue.text(texts.language, _reason(reason).key)
