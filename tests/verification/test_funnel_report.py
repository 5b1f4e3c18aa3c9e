"""The funnel report: shares, losses, reasons and durations from the counters."""

import random
from datetime import date, timedelta

import pytest

from verification.attempts import Method, Reason
from verification.support.funnel import (
    STEPS,
    Dimension,
    DurationCount,
    FunnelCount,
    FunnelQuery,
    FunnelStatistics,
    FunnelStep,
    duration_bucket,
)
from verification.support.funnel_report import build_reports, quantile

DAY = date(2026, 11, 23)
COUNTS = [
    FunnelCount("", FunnelStep.OPENED, None, None, 200),
    FunnelCount("", FunnelStep.STARTED, None, None, 100),
    FunnelCount("", FunnelStep.AGREED, None, None, 90),
    FunnelCount("", FunnelStep.CONFIRMED, None, None, 80),
    FunnelCount("", FunnelStep.SHOWN, None, None, 80),
    FunnelCount("", FunnelStep.PHONE, None, None, 20),
    FunnelCount("", FunnelStep.VERIFIED, None, None, 15),
    FunnelCount("", FunnelStep.SHOWN, Method.QQ, None, 30),
    FunnelCount("", FunnelStep.PHONE, Method.QQ, None, 3),
    FunnelCount("", None, Method.QQ, Reason.NO_CARD, 2),
    FunnelCount("", None, Method.FACE, Reason.FACE_COVERED, 7),
]


def test_a_funnel_counts_each_step_and_names_the_greatest_loss() -> None:
    [report] = build_reports(FunnelStatistics(COUNTS, []), FunnelQuery(since=DAY, until=DAY))

    assert [stage.count for stage in report.steps] == [200, 100, 90, 80, 80, 20, 15]
    assert report.steps[0].of_previous is None
    assert report.steps[-1].of_first == 0.075
    assert report.worst is not None
    assert (report.worst.step, report.worst.lost) == (FunnelStep.PHONE, 0.75)
    assert report.reasons == ((Reason.FACE_COVERED, 7), (Reason.NO_CARD, 2))


def test_of_equal_losses_the_first_step_is_the_worst_and_a_gain_is_no_loss() -> None:
    counts = zip(STEPS, (8, 4, 2, 3, 3, 3, 3), strict=True)
    statistics = FunnelStatistics([FunnelCount("", step, None, None, count) for step, count in counts], [])
    [report] = build_reports(statistics, FunnelQuery(since=DAY, until=DAY))

    assert [step.lost for step in report.steps] == [None, 0.5, 0.5, 0, 0, 0, 0]
    assert report.worst is report.steps[1]


def test_reasons_are_summed_over_methods_and_sorted_by_count_then_name() -> None:
    counts = [
        FunnelCount("", None, Method.QQ, Reason.NO_CARD, 6),
        FunnelCount("", None, Method.QQ, Reason.MISMATCH, 3),
        FunnelCount("", None, Method.FACE, Reason.MISMATCH, 2),
        FunnelCount("", None, Method.FACE, Reason.FACE_COVERED, 5),
    ]
    [report] = build_reports(FunnelStatistics(counts, []), FunnelQuery(since=DAY, until=DAY))

    assert report.reasons == ((Reason.NO_CARD, 6), (Reason.FACE_COVERED, 5), (Reason.MISMATCH, 5))


def test_a_group_has_its_own_durations_and_the_median_and_the_90th_percentile_of_each_step() -> None:
    counts = [FunnelCount(group, FunnelStep.STARTED, None, None, 5) for group in ("spring", "autumn")]
    durations = [
        DurationCount(group="spring", step=FunnelStep.STARTED, method=None, bucket=4, count=4),
        DurationCount(group="spring", step=FunnelStep.STARTED, method=None, bucket=6, count=1),
        DurationCount(group="autumn", step=FunnelStep.STARTED, method=None, bucket=9, count=4),
    ]
    query = FunnelQuery(since=DAY, until=DAY, by=Dimension.CAMPAIGN)
    [autumn, spring] = build_reports(FunnelStatistics(counts, durations), query)

    assert (spring.steps[1].median, spring.steps[1].p90) == (quantile({4: 4, 6: 1}, 0.5), quantile({4: 4, 6: 1}, 0.9))
    assert (autumn.steps[1].median, autumn.steps[1].p90) == (quantile({9: 4}, 0.5), quantile({9: 4}, 0.9))
    assert {step.median for step in (*spring.steps[2:], *autumn.steps[2:])} == {None}


def test_a_funnel_of_one_method_starts_at_its_code() -> None:
    [report] = build_reports(FunnelStatistics(COUNTS, []), FunnelQuery(since=DAY, until=DAY, method=Method.QQ))

    assert [(stage.step, stage.count) for stage in report.steps] == [
        (FunnelStep.SHOWN, 30),
        (FunnelStep.PHONE, 3),
        (FunnelStep.VERIFIED, 0),
    ]
    assert report.reasons == ((Reason.NO_CARD, 2),)


def test_a_grouped_funnel_has_a_report_per_group() -> None:
    counts = [FunnelCount(group, FunnelStep.OPENED, None, None, 5) for group in ("spring", "")]

    reports = build_reports(FunnelStatistics(counts, []), FunnelQuery(since=DAY, until=DAY, by=Dimension.CAMPAIGN))

    assert [report.group for report in reports] == ["", "spring"]


def test_grouped_by_method_the_total_is_no_group() -> None:
    counts = [
        FunnelCount("", FunnelStep.SHOWN, None, None, 9),
        FunnelCount("qq", FunnelStep.SHOWN, Method.QQ, None, 4),
        FunnelCount("face", FunnelStep.SHOWN, Method.FACE, None, 5),
    ]

    reports = build_reports(FunnelStatistics(counts, []), FunnelQuery(since=DAY, until=DAY, by=Dimension.METHOD))

    assert [(report.group, report.steps[0].count) for report in reports] == [("face", 5), ("qq", 4)]


def test_an_empty_funnel_is_a_report_of_zeros() -> None:
    [report] = build_reports(FunnelStatistics([], []), FunnelQuery(since=DAY, until=DAY))

    assert {stage.count for stage in report.steps} == {0}
    assert report.worst is None


def test_a_quantile_is_accurate_and_grows_with_the_share() -> None:
    rng = random.Random(1)
    seconds = sorted(rng.lognormvariate(4, 0.9) for _ in range(1000))
    buckets: dict[int, int] = {}
    for each in seconds:
        bucket = duration_bucket(timedelta(seconds=each))
        buckets[bucket] = buckets.get(bucket, 0) + 1

    median, late = quantile(buckets, 0.5), quantile(buckets, 0.9)

    assert median is not None
    assert late is not None
    assert median.total_seconds() == pytest.approx(seconds[500], rel=0.05)
    assert late.total_seconds() == pytest.approx(seconds[900], rel=0.05)
    assert quantile({}, 0.5) is None


def test_durations_belong_to_their_step_and_method() -> None:
    times = [
        DurationCount(group="", step=FunnelStep.PHONE, method=None, bucket=10, count=4),
        DurationCount(group="", step=FunnelStep.PHONE, method=Method.QQ, bucket=20, count=4),
    ]

    [report] = build_reports(FunnelStatistics(COUNTS, times), FunnelQuery(since=DAY, until=DAY))
    [of_qq] = build_reports(FunnelStatistics(COUNTS, times), FunnelQuery(since=DAY, until=DAY, method=Method.QQ))

    slow = next(stage.median for stage in of_qq.steps if stage.step is FunnelStep.PHONE)
    quick = next(stage.median for stage in report.steps if stage.step is FunnelStep.PHONE)
    assert quick is not None
    assert slow is not None
    assert quick < slow


def test_reminders_and_returns_are_told_beside_the_steps() -> None:
    counts = [
        FunnelCount("", FunnelStep.OPENED, None, None, 5),
        FunnelCount("", FunnelStep.REMINDED, None, None, 4),
        FunnelCount("", FunnelStep.RETURNED, None, None, 3),
    ]
    day = date(2026, 11, 23)
    (report,) = build_reports(FunnelStatistics(counts, []), FunnelQuery(since=day, until=day))

    assert (report.reminded, report.returned) == (4, 3)
    assert [step.step for step in report.steps] == list(STEPS)
