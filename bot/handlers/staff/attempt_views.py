"""Attempts and the funnel as support's people see them: a masked attempt; the words under the chart."""

from collections.abc import Iterator
from datetime import timedelta
from string import ascii_uppercase

from bot.flow.effects import Values, Word
from bot.handlers.staff.replies import Voice
from bot.images.funnel_chart import percent
from verification.attempts import Reason
from verification.identity import mask_account
from verification.invitations import WALK_IN
from verification.support.funnel import Wanted
from verification.support.funnel_report import Report, Stage
from verification.support.store import Glimpse

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LETTERS = ascii_uppercase[:4]


def attempt(voice: Voice, seen: Glimpse) -> str:
    """An attempt, masked."""
    values: Values = {
        "code": seen.code,
        "account": mask_account(seen.account),
        "method": Word(f"method.{seen.method}"),
        "status": Word(f"privacy.status.{seen.status}"),
        "at": seen.created_at,
        "until": seen.expires_at,
    }
    lines = [voice.text("attempt.seen", values)]
    if seen.reason is not None:
        lines.append(voice.text("attempt.reason", {"reason": _reason(seen.reason)}))
    if seen.name:
        lines.append(voice.text("attempt.person", {"name": seen.name, "number": seen.number}))
    if not seen.account.startswith(WALK_IN):
        lines.append(voice.text("attempt.chat", {"chat": mask_account(seen.contact)}))
    return "\n".join(lines)


def funnel(voice: Voice, report: Report, wanted: Wanted) -> str:
    """The words under the chart: its steps by their numbers, and what to look at first."""
    lines = [voice.text("funnel.title", _period(wanted)), ""]
    lines += [_stage(voice, place, stage) for place, stage in enumerate(report.stages, 1)]
    lines += ["", *_findings(voice, report)]
    return "\n".join(lines).strip()


def nothing_counted(voice: Voice, wanted: Wanted) -> str:
    """That nobody came in these days."""
    return voice.text("funnel.nothing", _period(wanted))


def chart_title(wanted: Wanted) -> str:
    """What stands over the chart: no word of any language, for its letters are few."""
    days = f"{wanted.since}" if wanted.since == wanted.until else f"{wanted.since} - {wanted.until}"
    return f"{wanted.campaign or ''} {days}".strip()


def lasting(voice: Voice, time: timedelta) -> str:
    """How long something took, in two words at most."""
    seconds = round(time.total_seconds())
    if seconds < _MINUTE:
        return voice.text("time.seconds", {"s": str(seconds)})
    if seconds < _HOUR:
        return voice.text("time.minutes", {"m": str(seconds // _MINUTE), "s": str(seconds % _MINUTE)})
    if seconds < _DAY:
        return voice.text("time.hours", {"h": str(seconds // _HOUR), "m": str(seconds % _HOUR // _MINUTE)})
    return voice.text("time.days", {"d": str(seconds // _DAY), "h": str(seconds % _DAY // _HOUR)})


def _period(wanted: Wanted) -> Values:
    return {
        "campaign": wanted.campaign or Word("staff.list.all"),
        "since": wanted.since.isoformat(),
        "until": wanted.until.isoformat(),
    }


def _stage(voice: Voice, place: int, stage: Stage) -> str:
    values: Values = {"place": str(place), "step": Word(f"staff.step.{stage.step}"), "count": str(stage.count)}
    parts = [voice.text("funnel.step", values)]
    if stage.lost:
        parts.append(voice.text("funnel.lost", {"part": percent(stage.lost)}))
    if stage.median is not None:
        parts.append(voice.text("funnel.median", {"time": lasting(voice, stage.median)}))
    return " · ".join(parts)


def _findings(voice: Voice, report: Report) -> Iterator[str]:
    worst = report.worst
    if worst is not None:
        before = report.stages[report.stages.index(worst) - 1]
        values: Values = {
            "before": Word(f"staff.step.{before.step}"),
            "step": Word(f"staff.step.{worst.step}"),
            "part": percent(worst.lost or 0),
        }
        yield voice.text("funnel.worst", values)
    if report.reasons:
        # By the letters that the chart knows them by.
        named = [
            f"{letter} {_said(voice, reason)} {n}"
            for letter, (reason, n) in zip(_LETTERS, report.reasons, strict=False)
        ]
        yield voice.text("funnel.reasons", {"reasons": " · ".join(named)})


def _reason(reason: Reason) -> Word:
    return Word(f"staff.reason.{reason}")


def _said(voice: Voice, reason: Reason) -> str:
    return voice.catalogue.text(voice.language, _reason(reason).key)
