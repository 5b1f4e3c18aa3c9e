"""Draws the funnel as a picture for a chat, with numbers, bars and durations but no words, which the font may lack.

The steps are the numbers 1 to 7, and the reasons of failure the letters A, B, C in the order of the report. The caption
of the picture gives their names.
"""

from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from bot.images.canvas import Canvas, Colour
from bot.images.funnel_format import format_duration, format_percent, step_number
from verification.support.funnel import STEPS
from verification.support.funnel_report import FunnelReport, StepStatistics

_WIDTH, _HEIGHT = 1200, 900
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 1136, 186, 800
_BARS, _LONGEST, _THICK = 148, 620, 46
_COUNTS, _STRIP = 970, 44
_COLUMNS, _COLUMN, _ROWS, _ROW = 448, 76, 176, 98
_MOST_GROUPS = 14
_NAME = 17


def funnel_png(reports: Sequence[FunnelReport], title: str) -> bytes:
    """Draw one funnel, or a row for each of several in their order; of more than 14 only the largest are drawn."""
    canvas = Canvas(_WIDTH, _HEIGHT)
    canvas.text(_LEFT, 78, title, 42)
    if len(reports) == 1:
        _draw_single(canvas, reports[0])
    else:
        _draw_groups(canvas, reports)
    return canvas.png()


def _entered(report: FunnelReport) -> int:
    return max((step.count for step in report.steps), default=0)


def _draw_single(canvas: Canvas, report: FunnelReport) -> None:
    first, last = report.steps[0], report.steps[-1]
    canvas.text(_LEFT, 130, f"{first.count:,} > {last.count:,}", 30, Colour.QUIET)
    if last.of_first is not None:
        canvas.text(_RIGHT, 100, format_percent(last.of_first), 84, Colour.BAR, "rm")
    longest = _LONGEST / (_entered(report) or 1)
    bottom = _BOTTOM - 60 if report.reasons else _BOTTOM + 40
    pitch = min((bottom - _TOP - _THICK) / (len(report.steps) - 1), 220)
    former = 0
    for index, step in enumerate(report.steps):
        top = _TOP + index * pitch
        worst = step is report.worst
        if index:
            _draw_loss(canvas, step, top - (pitch - _THICK) / 2, worst=worst)
        _draw_step(canvas, step, top, (former * longest, step.count * longest), worst=worst)
        former = step.count
    _draw_reasons(canvas, report)


def _draw_step(canvas: Canvas, step: StepStatistics, top: float, widths: tuple[float, float], *, worst: bool) -> None:
    """Draw the bar of a step over a shade as long as the bar before it, so that the loss is visible."""
    former, width = widths
    middle = top + _THICK / 2
    canvas.disc(_LEFT + 26, middle, 25, Colour.WARM if worst else Colour.INK)
    canvas.text(_LEFT + 26, middle, str(step_number(step)), 28, Colour.PAPER, "mm")
    canvas.bar(_BARS, top, _LONGEST, _THICK, Colour.TRACK)
    if former > width:
        canvas.bar(_BARS, top, former, _THICK, Colour.SOFT_WARM if worst else Colour.SOFT)
    canvas.bar(_BARS, top, width, _THICK, Colour.BAR)
    canvas.text(_COUNTS, middle, f"{step.count:,}", 34, Colour.INK, "rm")
    if step.of_first is not None:
        canvas.text(_RIGHT, middle, format_percent(step.of_first), 34, Colour.QUIET, "rm")


def _draw_loss(canvas: Canvas, step: StepStatistics, middle: float, *, worst: bool) -> None:
    """Write between two bars the share that is lost and the median duration."""
    colour = Colour.WARM if worst else Colour.QUIET
    size = 26 if worst else 22
    right = _BARS + 24.0
    if step.lost:
        canvas.down_arrow(_BARS + 30, middle, colour)
        right = _BARS + 50 + canvas.text(_BARS + 50, middle, format_percent(step.lost), size, colour)
    if step.median is not None:
        canvas.text(max(right + 28, _BARS + 170), middle, format_duration(step.median), 22, Colour.QUIET)


def _draw_reasons(canvas: Canvas, report: FunnelReport) -> None:
    whole = sum(count for _, count in report.reasons)
    left = float(_BARS)
    for letter, colour, count in _segments(report):
        width = (_RIGHT - _BARS) * count / whole
        canvas.block(left, _BOTTOM, max(width - 4, 2), _STRIP, colour)
        label = f"{letter}  {count:,}"
        if width > len(label) * 14 + 24:
            canvas.text(left + 16, _BOTTOM + _STRIP / 2, label, 24, Colour.INK)
        left += width


def _segments(report: FunnelReport) -> Iterator[tuple[str, Colour, int]]:
    for index, (_, count) in enumerate(report.reasons):
        colour = (Colour.SOFT_WARM, Colour.SOFT, Colour.TRACK)[min(index, 2)]
        yield ascii_uppercase[index], colour, count


def _draw_groups(canvas: Canvas, reports: Sequence[FunnelReport]) -> None:
    """Draw a row for each group: its name, a bar per step as high as its count, and the share that was verified."""
    largest = sorted(reports, key=_entered, reverse=True)[:_MOST_GROUPS]
    shown = [report for report in reports if report in largest]
    if len(reports) > len(shown):
        canvas.text(_RIGHT, 78, f"{len(shown)} / {len(reports)}", 30, Colour.QUIET, "rm")
    for step, _ in enumerate(STEPS):
        canvas.text(_COLUMNS + step * _COLUMN + _COLUMN / 2, 148, str(step + 1), 26, Colour.QUIET, "mm")
    pitch = min((_HEIGHT - 40 - _ROWS) / (len(shown) or 1), _ROW)
    for index, report in enumerate(shown):
        _draw_group(canvas, report, _ROWS + index * pitch, pitch * 0.75)


def _draw_group(canvas: Canvas, report: FunnelReport, top: float, height: float) -> None:
    middle, most = top + height / 2, _entered(report)
    canvas.text(_LEFT, middle, _shorten(report.group), 28)
    canvas.text(_COLUMNS - 22, middle, f"{most:,}", 24, Colour.QUIET, "rm")
    canvas.text(_RIGHT, middle, format_percent(report.steps[-1].of_first), 34, Colour.BAR, "rm")
    for step in report.steps:
        left, worst = _COLUMNS + (step_number(step) - 1) * _COLUMN + 5, step is report.worst
        filled = height * step.count / (most or 1)
        canvas.block(left, top, _COLUMN - 10, height, Colour.SOFT_WARM if worst else Colour.TRACK)
        canvas.block(left, top + height - filled, _COLUMN - 10, filled, Colour.WARM if worst else Colour.BAR)


def _shorten(name: str) -> str:
    return f"{name[:_NAME]}.." if len(name) > _NAME + 2 else name or "-"
