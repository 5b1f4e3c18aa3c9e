"""A funnel to read: how many came how far, where they were lost, for what reasons, and how long each step took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from verification.attempts import Method, Reason
from verification.support.funnel import BY_WAY, STEPS, Counted, Dimension, Figures, Step, Took, Wanted, span

T = TypeVar("T", Counted, Took)

_MEDIAN = 0.5
_LATE = 0.9


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: how many reached it, and how long half and nine in ten of them took for it at most.

    Shares are parts of one: of those who reached the first step, and of those who reached the one before.
    """

    step: Step
    count: int
    of_first: float | None
    of_former: float | None
    median: timedelta | None = None
    p90: timedelta | None = None

    @property
    def lost(self) -> float | None:
        """The part of those before who did not come this far."""
        return None if self.of_former is None else max(1 - self.of_former, 0)


@dataclass(frozen=True, slots=True)
class Report:
    """The funnel of one group; the group is "" where nothing is taken apart."""

    group: str
    stages: tuple[Stage, ...]
    reasons: tuple[tuple[Reason, int], ...]

    @property
    def worst(self) -> Stage | None:
        """The step that loses most of those who reached the one before; the first of equals."""
        return max((stage for stage in self.stages if stage.lost), key=lambda stage: stage.lost or 0, default=None)


def reports(figures: Figures, wanted: Wanted) -> Sequence[Report]:
    """Put figures together, one report a group; without a dimension exactly one.

    Of one way there are only the steps from its code on: nobody has chosen a way before.
    """
    counts, times = _grouped(figures.counts), _grouped(figures.times)
    groups = [""] if wanted.by is None else sorted(counts)
    if wanted.by is Dimension.METHOD:
        groups = [group for group in groups if group]
    return [_report(group, counts[group], times[group], wanted) for group in groups]


def _report(group: str, counts: Sequence[Counted], times: Sequence[Took], wanted: Wanted) -> Report:
    way = Method(group) if wanted.by is Dimension.METHOD else wanted.method
    return Report(group, _stages(counts, times, way), _reasons(counts, way))


def _grouped(figures: Iterable[T]) -> Mapping[str, Sequence[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for figure in figures:
        groups[figure.group].append(figure)
    return groups


def _stages(counts: Iterable[Counted], times: Iterable[Took], way: Method | None) -> tuple[Stage, ...]:
    reached = {each.step: each.count for each in counts if each.method == way and each.reason is None}
    took: dict[Step, dict[int, int]] = defaultdict(dict)
    for each in times:
        if each.method == way:
            took[each.step][each.took] = each.count
    stages: list[Stage] = []
    for step in STEPS if way is None else BY_WAY:
        count = reached.get(step, 0)
        first, former = (stages[0].count, stages[-1].count) if stages else (0, 0)
        quantiles = (quantile(took[step], _MEDIAN), quantile(took[step], _LATE))
        stages.append(Stage(step, count, _part(count, first), _part(count, former), *quantiles))
    return tuple(stages)


def _reasons(counts: Iterable[Counted], way: Method | None) -> tuple[tuple[Reason, int], ...]:
    failed: dict[Reason, int] = defaultdict(int)
    for each in counts:
        if each.reason is not None and (way is None or each.method == way):
            failed[each.reason] += each.count
    return tuple(sorted(failed.items(), key=lambda each: (-each[1], each[0])))


def quantile(buckets: Mapping[int, int], part: float) -> timedelta | None:
    """How long this part of all took at most, spread within its bucket as times are; None where nothing was timed."""
    wanted = sum(buckets.values()) * part
    below = 0.0
    for each, count in sorted(buckets.items()):
        if below + count >= wanted > 0:
            low, high = (1 + side.total_seconds() for side in span(each))
            return timedelta(seconds=low * (high / low) ** ((wanted - below) / count) - 1)
        below += count
    return None


def _part(count: int, whole: int) -> float | None:
    return count / whole if whole else None
