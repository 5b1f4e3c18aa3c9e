"""A funnel to read: how many came how far, where they were lost, for what reasons, and how long each step took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from verification.attempts import Method, Reason
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStatistics:
    """One step: how many reached it, and how long half and nine in ten of them took for it at most.

    Shares are parts of one: of those who reached the first step, and of those who reached the one before.
    """

    step: FunnelStep
    count: int
    of_first: float | None
    of_previous: float | None
    median: timedelta | None = None
    p90: timedelta | None = None

    @property
    def lost(self) -> float | None:
        """The part of those before who did not come this far."""
        return None if self.of_previous is None else max(1 - self.of_previous, 0)


@dataclass(frozen=True, slots=True)
class FunnelReport:
    """The funnel of one group; the group is "" where nothing is taken apart."""

    group: str
    steps: tuple[StepStatistics, ...]
    reasons: tuple[tuple[Reason, int], ...]

    @property
    def worst(self) -> StepStatistics | None:
        """The step that loses most of those who reached the one before; the first of equals."""
        return max((stage for stage in self.steps if stage.lost), key=lambda stage: stage.lost or 0, default=None)


def build_reports(statistics: FunnelStatistics, query: FunnelQuery) -> Sequence[FunnelReport]:
    """Put figures together, one report a group; without a dimension exactly one.

    Of one way there are only the steps from its code on: nobody has chosen a way before.
    """
    counts, times = _grouped(statistics.counts), _grouped(statistics.times)
    groups = [""] if query.by is None else sorted(counts)
    if query.by is Dimension.METHOD:
        groups = [group for group in groups if group]
    return [_report(group, counts[group], times[group], query) for group in groups]


def _report(
    group: str, counts: Sequence[FunnelCount], times: Sequence[DurationCount], wanted: FunnelQuery
) -> FunnelReport:
    way = Method(group) if wanted.by is Dimension.METHOD else wanted.method
    return FunnelReport(group, _step_statistics(counts, times, way), _reasons(counts, way))


def _grouped(counts: Iterable[T]) -> Mapping[str, Sequence[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for figure in counts:
        groups[figure.group].append(figure)
    return groups


def _step_statistics(
    counts: Iterable[FunnelCount], times: Iterable[DurationCount], method: Method | None
) -> tuple[StepStatistics, ...]:
    reached = {each.step: each.count for each in counts if each.method == method and each.reason is None}
    took: dict[FunnelStep, dict[int, int]] = defaultdict(dict)
    for each in times:
        if each.method == method:
            took[each.step][each.bucket] = each.count
    stages: list[StepStatistics] = []
    for step in STEPS if method is None else METHOD_STEPS:
        count = reached.get(step, 0)
        first, former = (stages[0].count, stages[-1].count) if stages else (0, 0)
        stages.append(
            StepStatistics(
                step=step,
                count=count,
                of_first=_ratio(count, of=first),
                of_previous=_ratio(count, of=former),
                median=quantile(took[step], _MEDIAN),
                p90=quantile(took[step], _P90),
            )
        )
    return tuple(stages)


def _reasons(counts: Iterable[FunnelCount], method: Method | None) -> tuple[tuple[Reason, int], ...]:
    failed: dict[Reason, int] = defaultdict(int)
    for each in counts:
        if each.reason is not None and (method is None or each.method == method):
            failed[each.reason] += each.count
    return tuple(sorted(failed.items(), key=lambda each: (-each[1], each[0])))


def quantile(buckets: Mapping[int, int], part: float) -> timedelta | None:
    """How long this part of all took at most, spread within its bucket as times are; None where nothing was timed."""
    wanted = sum(buckets.values()) * part
    below = 0.0
    for each, count in sorted(buckets.items()):
        if below + count >= wanted > 0:
            low, high = (1 + side.total_seconds() for side in bucket_range(each))
            return timedelta(seconds=low * (high / low) ** ((wanted - below) / count) - 1)
        below += count
    return None


def _ratio(count: int, *, of: int) -> float | None:
    return count / of if of else None
