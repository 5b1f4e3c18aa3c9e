"""A funnel for machines: each column and field of it, and the days and buckets behind it."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest

from tests.each_case import each_case
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
    beijing_day,
    bucket_range,
    duration_bucket,
    next_beijing_day,
)
from verification.support.funnel_export import to_csv, to_json
from verification.support.funnel_report import build_reports, quantile

SINCE, UNTIL = date(2026, 11, 1), date(2026, 11, 23)
QUERY = FunnelQuery(since=SINCE, until=UNTIL, campaign="spring", method=Method.QQ, language="en", by=Dimension.CAMPAIGN)
STATISTICS = FunnelStatistics(
    [
        FunnelCount("spring", FunnelStep.SHOWN, Method.QQ, None, 9),
        FunnelCount("spring", FunnelStep.PHONE, Method.QQ, None, 3),
        FunnelCount("spring", FunnelStep.VERIFIED, Method.QQ, None, 2),
        FunnelCount("spring", None, Method.QQ, Reason.NO_CARD, 1),
        FunnelCount("spring", None, Method.QQ, Reason.MISMATCH, 1),
        FunnelCount("spring", None, Method.FACE, Reason.FACE_COVERED, 5),
    ],
    [DurationCount(group="spring", step=FunnelStep.PHONE, method=Method.QQ, bucket=6, count=3)],
)


def test_a_line_for_every_step_and_every_reason() -> None:
    [header, *lines] = csv.reader(StringIO(to_csv(build_reports(STATISTICS, QUERY), QUERY)))

    assert header == ["group", "kind", "name", "count", "of_first", "of_former", "median_seconds", "p90_seconds"]
    assert lines == [
        ["spring", "step", "shown", "9", "", "", "", ""],
        ["spring", "step", "phone", "3", "0.3333", "0.3333", "10.4", "12.4"],
        ["spring", "step", "verified", "2", "0.2222", "0.6667", "", ""],
        ["spring", "reason", "mismatch", "1", "", "", "", ""],
        ["spring", "reason", "no_card", "1", "", "", "", ""],
    ]


def test_one_object_with_what_was_asked_for_and_its_groups() -> None:
    whole = to_json(build_reports(STATISTICS, QUERY), QUERY)

    assert whole.startswith('{\n  "since": ')
    assert whole.endswith("}\n")
    assert json.loads(whole) == {
        "since": "2026-11-01",
        "until": "2026-11-23",
        "campaign": "spring",
        "method": "qq",
        "language": "en",
        "by": "campaign",
        "groups": [
            {
                "group": "spring",
                "steps": [
                    {"step": "shown", "count": 9}
                    | dict.fromkeys(("of_first", "of_former", "median_seconds", "p90_seconds")),
                    {
                        "step": "phone",
                        "count": 3,
                        "of_first": 0.3333,
                        "of_former": 0.3333,
                        "median_seconds": 10.4,
                        "p90_seconds": 12.4,
                    },
                    {"step": "verified", "count": 2, "of_first": 0.2222, "of_former": 0.6667}
                    | dict.fromkeys(("median_seconds", "p90_seconds")),
                ],
                "worst": "phone",
                "reasons": [{"reason": "mismatch", "count": 1}, {"reason": "no_card", "count": 1}],
            }
        ],
    }


def test_an_empty_funnel_has_no_worst_step() -> None:
    query = FunnelQuery(since=SINCE, until=UNTIL)
    [group] = json.loads(to_json(build_reports(FunnelStatistics([], []), query), query))["groups"]

    assert (group["group"], group["worst"], group["reasons"]) == ("", None, [])


def test_the_steps_of_a_method_are_the_last_of_all_steps() -> None:
    assert [step.value for step in STEPS] == [
        "opened",
        "started",
        "agreed",
        "confirmed",
        "shown",
        "phone",
        "verified",
    ]
    assert STEPS[4:] == METHOD_STEPS


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), date(2026, 11, 24)),
    ],
)
def test_a_day_begins_at_midnight_in_beijing(moment: datetime, day: date) -> None:
    assert beijing_day(moment) == day


@each_case("bucket", range(40))
def test_buckets_stand_edge_to_edge_each_half_as_long_again(bucket: int) -> None:
    low, high = bucket_range(bucket)

    assert bucket_range(bucket + 1)[0] == high
    assert duration_bucket((low + high) / 2) == bucket
    assert (1 + high.total_seconds()) == pytest.approx(1.5 ** (bucket + 0.5), rel=1e-5)
    assert duration_bucket(high - timedelta(milliseconds=1)) == bucket
    assert duration_bucket(high + timedelta(milliseconds=1)) == bucket + 1


def test_a_time_that_ran_backwards_is_none() -> None:
    assert duration_bucket(timedelta(seconds=-5)) == duration_bucket(timedelta()) == 0
    assert bucket_range(0)[0] == timedelta()


@pytest.mark.parametrize(
    ("buckets", "part", "bucket", "share"),
    [
        ({6: 1}, 0.5, 6, 0.5),
        ({6: 4}, 0.5, 6, 0.5),
        ({6: 4}, 1.0, 6, 1.0),
        ({6: 2, 8: 2}, 0.5, 6, 1.0),
        ({8: 2, 6: 2}, 0.75, 8, 0.5),
        ({6: 1, 8: 1}, 0.9, 8, 0.8),
    ],
)
def test_a_quantile_lies_in_its_bucket_by_its_share_of_it(
    buckets: dict[int, int], part: float, bucket: int, share: float
) -> None:
    low, high = (1 + side.total_seconds() for side in bucket_range(bucket))
    found = quantile(buckets, part)

    assert found is not None
    assert found.total_seconds() == pytest.approx(low * (high / low) ** share - 1, abs=1e-3)


def test_where_nothing_was_timed_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({6: 0}, 0.5) is None


@pytest.mark.parametrize(
    ("moment", "begins"),
    [
        (datetime(2026, 11, 23, 15, 59, 59, 999999, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)),
        (datetime(2026, 11, 23, 16, tzinfo=UTC), datetime(2026, 11, 24, 16, tzinfo=UTC)),
    ],
)
def test_the_next_day_begins_at_midnight_in_beijing(moment: datetime, begins: datetime) -> None:
    assert next_beijing_day(moment) == begins
