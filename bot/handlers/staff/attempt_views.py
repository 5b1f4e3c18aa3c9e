"""Formats attempts and the funnel for support staff: an attempt, masked, and the text under the chart."""

from collections.abc import Iterator
from datetime import timedelta
from string import ascii_uppercase

from bot.flow.effects import TextKey, Values
from bot.handlers.staff.replies import StaffTexts
from bot.images.funnel_format import format_percent
from verification.attempts import Reason
from verification.identity import mask_account
from verification.invitations import CHAT_ACCOUNT_PREFIX
from verification.support.funnel import FunnelQuery
from verification.support.funnel_report import FunnelReport, StepStatistics
from verification.support.store import AttemptSummary, Dispute

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LETTERS = ascii_uppercase[:4]


def format_attempt(texts: StaffTexts, attempt: AttemptSummary) -> str:
    """An attempt, with account, name and number masked."""
    values: Values = {
        "code": attempt.code,
        "account": mask_account(attempt.account),
        "method": TextKey(f"method.{attempt.method}"),
        "status": TextKey(f"privacy.status.{attempt.status}"),
        "at": attempt.created_at,
        "until": attempt.expires_at,
    }
    lines = [texts.text("attempt.seen", values)]
    if attempt.reason is not None:
        lines.append(texts.text("attempt.reason", {"reason": _reason(attempt.reason)}))
    if attempt.name:
        lines.append(texts.text("attempt.person", {"name": attempt.name, "number": attempt.number}))
    if not attempt.account.startswith(CHAT_ACCOUNT_PREFIX):
        lines.append(texts.text("attempt.chat", {"chat": mask_account(attempt.contact)}))
    return "\n".join(lines)


def format_dispute(texts: StaffTexts, dispute: Dispute) -> str:
    """What a person says is wrong, by its case number."""
    about = "dispute.quota" if dispute.method is None else f"method.{dispute.method}"
    values: Values = {
        "code": dispute.code,
        "about": TextKey(about),
        "reason": _reason(dispute.reason),
        "at": dispute.at,
    }
    return texts.text("attempt.disputed", values)


def format_funnel(texts: StaffTexts, report: FunnelReport, query: FunnelQuery) -> str:
    """The text under the chart: its steps by their numbers, the worst loss, and the reasons of failure."""
    lines = [texts.text("funnel.title", _period(query)), ""]
    lines += [_step(texts, number, step) for number, step in enumerate(report.steps, 1)]
    lines += ["", *_findings(texts, report)]
    return "\n".join(lines).strip()


def format_empty_funnel(texts: StaffTexts, query: FunnelQuery) -> str:
    """The text when no person came in the period."""
    return texts.text("funnel.nothing", _period(query))


def chart_title(query: FunnelQuery) -> str:
    """The chart's title: campaign and dates, because the chart's font has only ASCII letters."""
    days = f"{query.since}" if query.since == query.until else f"{query.since} - {query.until}"
    return f"{query.campaign or ''} {days}".strip()


def format_time(texts: StaffTexts, time: timedelta) -> str:
    """A duration in two units at most."""
    seconds = round(time.total_seconds())
    if seconds < _MINUTE:
        return texts.text("time.seconds", {"s": str(seconds)})
    if seconds < _HOUR:
        return texts.text("time.minutes", {"m": str(seconds // _MINUTE), "s": str(seconds % _MINUTE)})
    if seconds < _DAY:
        return texts.text("time.hours", {"h": str(seconds // _HOUR), "m": str(seconds % _HOUR // _MINUTE)})
    return texts.text("time.days", {"d": str(seconds // _DAY), "h": str(seconds % _DAY // _HOUR)})


def _period(query: FunnelQuery) -> Values:
    return {
        "campaign": query.campaign or TextKey("staff.list.all"),
        "since": query.since.isoformat(),
        "until": query.until.isoformat(),
    }


def _step(texts: StaffTexts, number: int, step: StepStatistics) -> str:
    values: Values = {"place": str(number), "step": TextKey(f"staff.step.{step.step}"), "count": str(step.count)}
    parts = [texts.text("funnel.step", values)]
    if step.lost:
        parts.append(texts.text("funnel.lost", {"part": format_percent(step.lost)}))
    if step.median is not None:
        parts.append(texts.text("funnel.median", {"time": format_time(texts, step.median)}))
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
        # The chart shows the reasons by the same letters.
        named = [
            f"{letter} {_reason_text(texts, reason)} {n}"
            for letter, (reason, n) in zip(_LETTERS, report.reasons, strict=False)
        ]
        yield texts.text("funnel.reasons", {"reasons": " · ".join(named)})


def _reason(reason: Reason) -> TextKey:
    return TextKey(f"staff.reason.{reason}")


def _reason_text(texts: StaffTexts, reason: Reason) -> str:
    return texts.catalogue.text(texts.language, _reason(reason).key)
