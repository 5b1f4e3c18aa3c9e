"""Draws the most important figures as bars, in colours that are readable on a light and on a dark page."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from bench.bots import OURS
from bench.matrix import Row
from bench.measuring import Load, Measurement
from bench.report import figure

_WIDTH = 760
_LABELS = 330
_BAR = 18
_ROW = 26
_TITLE = 34
_PANELS = (
    ("cpu", "CPU per conversation, ms (less is better)"),
    ("rate", "Conversations per second (more is better)"),
    ("result p50", "Result after the last press on the phone, p50, ms (less is better)"),
)
_STYLE = """\
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.bar{fill:#9aa4af}.ours{fill:#0969da}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#58a6ff}}"""


def draw(load: Load, rows: Mapping[Row, Sequence[Measurement]]) -> str:
    """The picture of one load, as SVG; the rows that make all calls they know are left out."""
    shown = {row: runs for row, runs in rows.items() if runs and not row.all_calls}
    height = len(_PANELS) * (_TITLE + len(shown) * _ROW) + 40
    body = [f'<text x="0" y="18" class="title">{escape(load.name)}</text>']
    top = 24
    for name, title in _PANELS:
        body.append(f'<text x="0" y="{top + 24}" class="title">{escape(title)}</text>')
        body += _panel({row: figure(runs, name) for row, runs in shown.items()}, top + _TITLE)
        top += _TITLE + len(shown) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img">'
        f"<title>Our bot beside others</title><style>{_STYLE}</style>{''.join(body)}</svg>\n"
    )


def _panel(values: Mapping[Row, float], top: int) -> list[str]:
    present = {row: value for row, value in values.items() if not math.isnan(value)}
    longest = max(present.values(), default=1) or 1
    parts = []
    for index, (row, value) in enumerate(present.items()):
        y = top + index * _ROW
        width = max(value / longest * (_WIDTH - _LABELS - 60), 1)
        kind = "bar ours" if row.bot == OURS else "bar"
        parts.append(f'<text x="0" y="{y + 14}">{escape(row.name.replace("**", ""))}</text>')
        parts.append(f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{width:.0f}" height="{_BAR}" rx="3"/>')
        parts.append(f'<text x="{_LABELS + width + 8:.0f}" y="{y + 14}">{value:,.1f}</text>')
    return parts
