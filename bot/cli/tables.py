"""Tables and times as operators read them."""

import shutil
from datetime import datetime
from io import StringIO

from rich.console import Console
from rich.table import Table

from verification.support.funnel import BEIJING

_WIDE = 400
"""More columns than any table has: rather a line that wraps than a cell that is cut."""


def plain_table() -> Table:
    """A table without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def render_table(table: Table, *, in_colour: bool) -> str:
    """A table as text."""
    out = StringIO()
    # What stands in a cell is what was typed somewhere: no markup, no emoji by name.
    console = Console(file=out, width=_WIDE, force_terminal=in_colour, highlight=False, markup=False, emoji=False)
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def format_moment(at: datetime) -> str:
    """A moment, where days are counted."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def columns_left(width: int) -> int:
    """How many columns the terminal has beside so many."""
    return shutil.get_terminal_size().columns - width
