"""Funnel counters: how many people reach which step. They hold no person.

A journey counts once per step, under the day, campaign and language of its start. From the QR code on it also counts
once per method. The duration of a step is counted in buckets of equal ratio, so that durations can be summed up without
storing them.
"""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

from verification.attempts import Method, Reason
from verification.record import Record

BEIJING = timezone(timedelta(hours=8))
"""Days are counted in the time zone of the cloud accounts."""

_RATIO = 1.5


class FunnelStep(StrEnum):
    """The steps of a journey, in order; and what is counted beside them of people who stopped."""

    OPENED = "opened"
    STARTED = "started"
    AGREED = "agreed"
    CONFIRMED = "confirmed"
    SHOWN = "shown"
    PHONE = "phone"
    VERIFIED = "verified"
    REMINDED = "reminded"
    RETURNED = "returned"


STEPS = tuple(step for step in FunnelStep if step not in (FunnelStep.REMINDED, FunnelStep.RETURNED))
METHOD_STEPS = (FunnelStep.SHOWN, FunnelStep.PHONE, FunnelStep.VERIFIED)
"""The steps that are counted per method too."""


class Dimension(StrEnum):
    """What a funnel can be grouped by."""

    CAMPAIGN = "campaign"
    METHOD = "method"
    LANGUAGE = "language"
    DAY = "day"


class Cohort(Record, kw_only=True):
    """What a journey is counted under: the day, campaign and language of its start."""

    day: date
    campaign: str
    language: str


class FunnelIncrement(Record):
    """One fact to count: a step reached, or with a `reason` a failed attempt.

    Without a `method` it counts for all methods together; `bucket` is that of the time since the step before, where
    that was measured.
    """

    cohort: Cohort
    step: FunnelStep | None
    method: Method | None = None
    reason: Reason | None = None
    bucket: int | None = None


class FunnelQuery(Record, kw_only=True):
    """Which journeys a funnel counts, both days included; campaign "" selects people without a campaign."""

    since: date
    until: date
    campaign: str | None = None
    method: Method | None = None
    language: str | None = None
    by: Dimension | None = None


class FunnelCount(Record):
    """How many journeys of a group reached a step, or how many attempts failed for a reason."""

    group: str
    step: FunnelStep | None
    method: Method | None
    reason: Reason | None
    count: int


class DurationCount(Record, kw_only=True):
    """How many journeys of a group took this long for a step."""

    group: str
    step: FunnelStep
    method: Method | None
    bucket: int
    count: int


class FunnelStatistics(Record):
    """The counters as the store returns them."""

    counts: Sequence[FunnelCount]
    durations: Sequence[DurationCount]


def beijing_day(moment: datetime) -> date:
    """The day that a moment counts under."""
    return moment.astimezone(BEIJING).date()


def next_beijing_day(moment: datetime) -> datetime:
    """When the day in Beijing after that of a moment begins, in UTC."""
    midnight = moment.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1)).astimezone(UTC)


def duration_bucket(duration: timedelta) -> int:
    """The bucket of a duration; each is half as long again as the one before."""
    return round(math.log1p(max(duration.total_seconds(), 0)) / math.log(_RATIO))


def bucket_range(bucket: int) -> tuple[timedelta, timedelta]:
    """The shortest and the longest duration of a bucket."""
    shortest, longest = (_RATIO ** (bucket + side) - 1 for side in (-0.5, 0.5))
    return timedelta(seconds=max(shortest, 0)), timedelta(seconds=longest)
