"""Formats tables and times for operators."""

import shutil
from datetime import datetime
from io import StringIO

from rich.console import Console
from rich.table import Table

from verification.support.funnel import BEIJING

_WIDE = 400
"""More columns than any table needs, because a line that wraps is better than a cell that is cut."""


def plain_table() -> Table:
    """A table without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def render_table(table: Table, *, in_colour: bool) -> str:
    """A table as text."""
    out = StringIO()
    # Cells hold text that people typed: it must not become markup or emoji.
    console = Console(file=out, width=_WIDE, force_terminal=in_colour, highlight=False, markup=False, emoji=False)
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def format_moment(at: datetime) -> str:
    """A time in Beijing, to the minute."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def columns_left(width: int) -> int:
    """The columns of the terminal that remain when `width` of them are used."""
    return shutil.get_terminal_size().columns - width
