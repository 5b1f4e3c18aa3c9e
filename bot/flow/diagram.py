"""The table as a picture: Mermaid text of every way from one state to another."""

from bot.flow.events import Choice, Command
from bot.flow.rows import Row
from bot.flow.table import TABLE


def mermaid() -> str:
    """The machine's diagram; rows that stay where they are, and those of every state, are left out."""
    edges = dict.fromkeys(
        f"    {row.state.__name__} --> {target.__name__}: {_label(row)}"
        for row in TABLE
        if row.state is not None
        for target in row.to
        if target is not row.state
    )
    return "\n".join(["stateDiagram-v2", "    [*] --> Idle", *edges, "    Verified --> [*]"]) + "\n"


def _label(row: Row) -> str:
    match row.trigger:
        case Choice() as choice:
            return str(choice)
        case Command() as command:
            return f"/{command}"
        case event:
            return event.__name__.lower()
