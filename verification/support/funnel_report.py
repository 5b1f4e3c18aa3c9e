"""The funnel report: how many people reached each step, where they left, why attempts failed, how long steps took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from verification.attempts import Method, Reason
from verification.record import Record
from verification.support.funnel import (
    METHOD_STEPS,
    STEPS,
    Dimension,
    DurationCount,
    FunnelCount,
    FunnelQuery,
    FunnelStatistics,
    FunnelStep,
    bucket_range,
)

T = TypeVar("T", FunnelCount, DurationCount)

_MEDIAN = 0.5
_P90 = 0.9


class StepStatistics(Record, kw_only=True):
    """One step: how many reached it, and the median and 90th percentile of its duration.

    Shares are between 0 and 1: of the journeys that reached the first step, and of those that reached the step before.
    """

    step: FunnelStep
    count: int
    of_first: float | None
    of_previous: float | None
    median: timedelta | None = None
    p90: timedelta | None = None

    @property
    def lost(self) -> float | None:
        """The share of the step before that did not reach this one."""
        return None if self.of_previous is None else max(1 - self.of_previous, 0)


class FunnelReport(Record):
    """The funnel of one group; the group is "" when the query has no dimension."""

    group: str
    steps: tuple[StepStatistics, ...]
    reasons: tuple[tuple[Reason, int], ...]
    reminded: int = 0
    """How many reminders were sent to people who stopped."""
    returned: int = 0
    """How many times somebody came back after one."""

    @property
    def worst(self) -> StepStatistics | None:
        """The step with the greatest loss; the first of equals."""
        worst = max(self.steps, key=lambda step: step.lost or 0)
        return worst if worst.lost else None


def build_reports(statistics: FunnelStatistics, query: FunnelQuery) -> Sequence[FunnelReport]:
    """Build one report per group; without a dimension exactly one.

    A report of one method starts at its QR code: before that a person has not chosen a method.
    """
    counts, times = _grouped(statistics.counts), _grouped(statistics.durations)
    groups = [""] if query.by is None else sorted(counts)
    if query.by is Dimension.METHOD:
        groups = [group for group in groups if group]
    return [_report(group, counts[group], times[group], query) for group in groups]


def _report(
    group: str, counts: Sequence[FunnelCount], times: Sequence[DurationCount], query: FunnelQuery
) -> FunnelReport:
    method = Method(group) if query.by is Dimension.METHOD else query.method
    reminders = {each.step: each.count for each in counts if each.method is None}
    return FunnelReport(
        group,
        _step_statistics(counts, times, method),
        _reasons(counts, method),
        reminded=reminders.get(FunnelStep.REMINDED, 0),
        returned=reminders.get(FunnelStep.RETURNED, 0),
    )


def _grouped(counts: Iterable[T]) -> Mapping[str, Sequence[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for count in counts:
        groups[count.group].append(count)
    return groups


def _step_statistics(
    counts: Iterable[FunnelCount], times: Iterable[DurationCount], method: Method | None
) -> tuple[StepStatistics, ...]:
    reached = {each.step: each.count for each in counts if each.method == method and each.reason is None}
    durations: dict[FunnelStep, dict[int, int]] = defaultdict(dict)
    for each in times:
        if each.method == method:
            durations[each.step][each.bucket] = each.count
    steps: list[StepStatistics] = []
    for step in STEPS if method is None else METHOD_STEPS:
        count = reached.get(step, 0)
        first, previous = (steps[0].count, steps[-1].count) if steps else (0, 0)
        steps.append(
            StepStatistics(
                step=step,
                count=count,
                of_first=_ratio(count, of=first),
                of_previous=_ratio(count, of=previous),
                median=quantile(durations[step], _MEDIAN),
                p90=quantile(durations[step], _P90),
            )
        )
    return tuple(steps)


def _reasons(counts: Iterable[FunnelCount], method: Method | None) -> tuple[tuple[Reason, int], ...]:
    failed: dict[Reason, int] = defaultdict(int)
    for each in counts:
        if each.reason is not None and (method is None or each.method == method):
            failed[each.reason] += each.count
    return tuple(sorted(failed.items(), key=lambda each: (-each[1], each[0])))


def quantile(buckets: Mapping[int, int], share: float) -> timedelta | None:
    """The duration within which this share of all finished, interpolated in its bucket; None without durations."""
    target = sum(buckets.values()) * share
    below = 0.0
    for bucket, count in sorted(buckets.items()):
        if below + count >= target > 0:
            low, high = (1 + side.total_seconds() for side in bucket_range(bucket))
            return timedelta(seconds=low * (high / low) ** ((target - below) / count) - 1)
        below += count
    return None


def _ratio(count: int, *, of: int) -> float | None:
    return count / of if of else None
