"""A funnel to read: shares, losses, reasons and times from what was counted."""

import random
from datetime import date, timedelta

import pytest

from verification.attempts import Method, Reason
from verification.support.funnel import Counted, Dimension, Figures, Step, Took, Wanted, bucket
from verification.support.funnel_report import quantile, reports

DAY = date(2026, 11, 23)
COUNTS = [
    Counted("", Step.OPENED, None, None, 200),
    Counted("", Step.STARTED, None, None, 100),
    Counted("", Step.AGREED, None, None, 90),
    Counted("", Step.CONFIRMED, None, None, 80),
    Counted("", Step.SHOWN, None, None, 80),
    Counted("", Step.PHONE, None, None, 20),
    Counted("", Step.VERIFIED, None, None, 15),
    Counted("", Step.SHOWN, Method.QQ, None, 30),
    Counted("", Step.PHONE, Method.QQ, None, 3),
    Counted("", None, Method.QQ, Reason.NO_CARD, 2),
    Counted("", None, Method.FACE, Reason.FACE_COVERED, 7),
]


def test_a_funnel_says_how_many_came_how_far_and_which_step_loses_most() -> None:
    [report] = reports(Figures(COUNTS, []), Wanted(DAY, DAY))

    assert [stage.count for stage in report.stages] == [200, 100, 90, 80, 80, 20, 15]
    assert report.stages[0].of_former is None
    assert report.stages[-1].of_first == 0.075
    assert report.worst is not None
    assert (report.worst.step, report.worst.lost) == (Step.PHONE, 0.75)
    assert report.reasons == ((Reason.FACE_COVERED, 7), (Reason.NO_CARD, 2))


def test_of_one_way_there_are_the_steps_from_its_code_on() -> None:
    [report] = reports(Figures(COUNTS, []), Wanted(DAY, DAY, method=Method.QQ))

    assert [(stage.step, stage.count) for stage in report.stages] == [
        (Step.SHOWN, 30),
        (Step.PHONE, 3),
        (Step.VERIFIED, 0),
    ]
    assert report.reasons == ((Reason.NO_CARD, 2),)


def test_taken_apart_there_is_a_report_for_each_group() -> None:
    counts = [Counted(group, Step.OPENED, None, None, 5) for group in ("spring", "")]

    found = reports(Figures(counts, []), Wanted(DAY, DAY, by=Dimension.CAMPAIGN))

    assert [report.group for report in found] == ["", "spring"]


def test_by_way_all_ways_together_are_no_group() -> None:
    counts = [
        Counted("", Step.SHOWN, None, None, 9),
        Counted("qq", Step.SHOWN, Method.QQ, None, 4),
        Counted("face", Step.SHOWN, Method.FACE, None, 5),
    ]

    found = reports(Figures(counts, []), Wanted(DAY, DAY, by=Dimension.METHOD))

    assert [(report.group, report.stages[0].count) for report in found] == [("face", 5), ("qq", 4)]


def test_an_empty_funnel_is_a_report_of_zeros() -> None:
    [report] = reports(Figures([], []), Wanted(DAY, DAY))

    assert {stage.count for stage in report.stages} == {0}
    assert report.worst is None


def test_a_median_is_near_the_truth_and_grows_with_the_part() -> None:
    rng = random.Random(1)
    seconds = sorted(rng.lognormvariate(4, 0.9) for _ in range(1000))
    buckets: dict[int, int] = {}
    for each in seconds:
        place = bucket(timedelta(seconds=each))
        buckets[place] = buckets.get(place, 0) + 1

    median, late = quantile(buckets, 0.5), quantile(buckets, 0.9)

    assert median is not None
    assert late is not None
    assert median.total_seconds() == pytest.approx(seconds[500], rel=0.05)
    assert late.total_seconds() == pytest.approx(seconds[900], rel=0.05)
    assert quantile({}, 0.5) is None


def test_times_belong_to_their_step_and_way() -> None:
    times = [Took("", Step.PHONE, None, 10, 4), Took("", Step.PHONE, Method.QQ, 20, 4)]

    [report] = reports(Figures(COUNTS, times), Wanted(DAY, DAY))
    [of_qq] = reports(Figures(COUNTS, times), Wanted(DAY, DAY, method=Method.QQ))

    slow = next(stage.median for stage in of_qq.stages if stage.step is Step.PHONE)
    quick = next(stage.median for stage in report.stages if stage.step is Step.PHONE)
    assert quick is not None
    assert slow is not None
    assert quick < slow
