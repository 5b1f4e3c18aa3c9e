"""The table as a picture: Mermaid text of every way from one state to another."""

import re

from bot.flow.events import Choice, Command, Event
from bot.flow.rows import Row
from bot.flow.states import StateBase
from bot.flow.table import RETURNABLE, TABLE


def mermaid() -> str:
    """The machine's diagram; rows that stay where they are, lead back anywhere, or hold in every state are left out."""
    ways = (f"    {way}" for way in edges())
    return (
        "\n".join(
            ["stateDiagram-v2", "    [*] --> Idle", "    [*] --> ReadingInvitation", *ways, "    Verified --> [*]"]
        )
        + "\n"
    )


def edges() -> list[str]:
    """The ways from one state to another, as the diagram writes them."""
    return list(
        dict.fromkeys(
            edge(row, target)
            for row in TABLE
            if row.state is not None and not set(RETURNABLE) <= set(row.targets)
            for target in row.targets
            if target is not row.state
        )
    )


def edge(row: Row, target: type[StateBase]) -> str:
    """The way of a row to a state."""
    return f"{row.state.__name__ if row.state else '*'} --> {target.__name__}: {label(row)}"


def label(row: Row) -> str:
    """What a row waits for, in a word or two."""
    match row.trigger:
        case Choice() as choice:
            return str(choice)
        case Command() as command:
            return f"/{command}"
        case event:
            return event_label(event)


def event_label(event: type[Event]) -> str:
    """The name of an event's class in words: `AttemptOpened` is "attempt opened"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event.__name__).lower()
