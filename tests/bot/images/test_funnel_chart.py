"""The picture of a funnel shows its numbers, and no report makes it fail."""

import doctest
from datetime import timedelta
from io import BytesIO
from types import ModuleType

import pytest
from PIL import Image

from bot.cli import funnel
from bot.images import funnel_format
from bot.images.canvas import Colour
from bot.images.funnel_chart import funnel_png
from bot.images.funnel_format import format_duration, format_percent
from verification.attempts import Reason
from verification.support.funnel import METHOD_STEPS, STEPS, FunnelStep
from verification.support.funnel_report import FunnelReport, StepStatistics

FULL = (1284, 1203, 1011, 702, 688, 512, 455)
REASONS = ((Reason.MISMATCH, 41), (Reason.NO_CARD, 30), (Reason.BUSY, 1))


def a_report(
    counts: tuple[int, ...] = FULL,
    *,
    group: str = "",
    steps: tuple[FunnelStep, ...] = STEPS,
    reasons: tuple[tuple[Reason, int], ...] = REASONS,
) -> FunnelReport:
    formers = (0, *counts)
    stages = tuple(
        StepStatistics(
            step=step,
            count=count,
            of_first=count / counts[0] if counts[0] else None,
            of_previous=count / former if former else None,
            median=timedelta(seconds=former),
        )
        for step, count, former in zip(steps, counts, formers, strict=False)
    )
    return FunnelReport(group, stages, reasons)


def colours(png: bytes) -> dict[str, int]:
    """How many pixels of a picture have each colour."""
    with Image.open(BytesIO(png)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 900))
        counted = picture.convert("RGB").getcolors(1_000_000)
        assert counted is not None
        return {f"#{red:02x}{green:02x}{blue:02x}": count for count, (red, green, blue) in counted}  # type: ignore[misc]


def test_only_the_worst_step_is_warm() -> None:
    drawn = colours(funnel_png([a_report()], "spring"))
    nobody_lost = colours(funnel_png([a_report((9,) * 7, reasons=())], "spring"))

    assert drawn[Colour.WARM] > 1000
    assert drawn[Colour.SOFT_WARM] > 1000
    assert Colour.WARM not in nobody_lost


def test_bars_are_proportional_to_the_counts() -> None:
    half, whole = (colours(funnel_png([a_report((100,) + (count,) * 6)], ""))[Colour.BAR] for count in (50, 100))

    assert 6.8 / 4 < whole / half < 7.2 / 4


def test_each_group_has_a_row_and_of_too_many_only_the_largest() -> None:
    few = colours(funnel_png([a_report(group="a"), a_report(group="b")], "two"))
    many = colours(funnel_png([a_report(group=f"2026-11-{day:02}") for day in range(1, 31)], "days"))

    assert few[Colour.WARM] > 1000
    assert many[Colour.WARM] > 1000


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [a_report((0,) * 7, reasons=())],
        [a_report((1, 1, 0, 0, 0, 0, 0))],
        [a_report((0, 7, 6, 5, 4, 3, 2))],
        [a_report((10**9,) * 7)],
        [a_report((30, 20, 10), steps=METHOD_STEPS)],
        [
            a_report((30, 20, 10), steps=METHOD_STEPS, group="wechat"),
            a_report((0, 0, 0), steps=METHOD_STEPS, group="qq"),
        ],
        [a_report(group="x" * 500), a_report(group="")],
        [a_report(reasons=tuple((reason, 1) for reason in Reason))],
    ],
)
def test_any_report_can_be_drawn(reports: list[FunnelReport]) -> None:
    assert colours(funnel_png(reports, "春天 spring\n\x00"))[Colour.PAPER] > 1000


def test_characters_missing_from_the_font_are_left_out() -> None:
    assert funnel_png([a_report()], "春天") == funnel_png([a_report()], "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.6, "1 min"), (130, "2 min 10 s"), (3600, "1 h"), (3720, "1 h 2 min"), (93600, "1 d 2 h")],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize("module", [funnel_format, funnel])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    results = doctest.testmod(module)

    assert (results.failed, results.attempted > 0) == (0, True)


@pytest.mark.parametrize(("part", "words"), [(0, "0 %"), (0.004, "0.4 %"), (0.5, "50 %"), (1, "100 %"), (None, "-")])
def test_a_small_share_differs_from_none(part: float | None, words: str) -> None:
    assert format_percent(part) == words
