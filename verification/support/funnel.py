"""How many people come how far: the steps, and what is counted of them. It knows no person.

A journey is counted once a step, under the day, campaign and language it began with. From the code on it is counted
once a way as well. How long a step took is kept in buckets of equal ratio, so times can be added up without being kept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from verification.attempts import Method, Reason

BEIJING = timezone(timedelta(hours=8))
"""Days are counted where the cloud accounts are."""

_RATIO = 1.5


class FunnelStep(StrEnum):
    """The steps of a journey, in their order."""

    OPENED = "opened"
    STARTED = "started"
    AGREED = "agreed"
    CONFIRMED = "confirmed"
    SHOWN = "shown"
    PHONE = "phone"
    VERIFIED = "verified"


STEPS = tuple(FunnelStep)
METHOD_STEPS = (FunnelStep.SHOWN, FunnelStep.PHONE, FunnelStep.VERIFIED)
"""The steps that are counted for each way too."""


class Dimension(StrEnum):
    """What a funnel can be taken apart by."""

    CAMPAIGN = "campaign"
    METHOD = "method"
    LANGUAGE = "language"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """What a journey is counted under: when, why and in which language it began."""

    day: date
    campaign: str
    language: str


@dataclass(frozen=True, slots=True)
class FunnelIncrement:
    """One fact to count: a step reached, or with a `reason` an attempt that failed.

    Without a `method` it counts for all ways together; `took` is the bucket of the time since the step before, where
    that was measured.
    """

    cohort: Cohort
    step: FunnelStep | None
    method: Method | None = None
    reason: Reason | None = None
    bucket: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelQuery:
    """Which journeys a funnel is about, days included; `campaign` "" are people whom no campaign brought."""

    since: date
    until: date
    campaign: str | None = None
    method: Method | None = None
    language: str | None = None
    by: Dimension | None = None


@dataclass(frozen=True, slots=True)
class FunnelCount:
    """How many journeys of a group reached a step, or how many attempts failed for a reason."""

    group: str
    step: FunnelStep | None
    method: Method | None
    reason: Reason | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationCount:
    """How many journeys of a group took so long for a step."""

    group: str
    step: FunnelStep
    method: Method | None
    bucket: int
    count: int


@dataclass(frozen=True, slots=True)
class FunnelStatistics:
    """What was counted, as the store has it."""

    counts: Sequence[FunnelCount]
    times: Sequence[DurationCount]


def beijing_day(moment: datetime) -> date:
    """The day a moment is counted under."""
    return moment.astimezone(BEIJING).date()


def duration_bucket(took: timedelta) -> int:
    """The bucket of a time; each is half as long again as the one before."""
    return round(math.log1p(max(took.total_seconds(), 0)) / math.log(_RATIO))


def bucket_range(bucket: int) -> tuple[timedelta, timedelta]:
    """From where to where a bucket goes."""
    below, above = (_RATIO ** (bucket + side) - 1 for side in (-0.5, 0.5))
    return timedelta(seconds=max(below, 0)), timedelta(seconds=above)
