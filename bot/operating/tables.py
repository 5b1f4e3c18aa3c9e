"""Tables and times as operators read them."""

import shutil
from datetime import datetime
from io import StringIO

from rich.console import Console
from rich.table import Table

from verification.funnel import BEIJING

_WIDE = 240
"""Columns where nobody looks: a table in a file is not cut."""


def drawn(table: Table, *, in_colour: bool) -> str:
    """A table as text."""
    out = StringIO()
    width = shutil.get_terminal_size().columns if in_colour else _WIDE
    Console(file=out, width=width, force_terminal=in_colour, highlight=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def moment(at: datetime) -> str:
    """A moment, where days are counted."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
