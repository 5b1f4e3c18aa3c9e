"""Draws the table of transitions as Mermaid text."""

import re

from bot.flow.events import Choice, Command, Event
from bot.flow.rows import Row
from bot.flow.states import StateBase
from bot.flow.table import RETURNABLE, TABLE


def mermaid() -> str:
    """The machine's diagram.

    It leaves out transitions that stay in their state, return to any former state, or hold in every state.
    """
    lines = (f"    {line}" for line in edges())
    return (
        "\n".join(
            ["stateDiagram-v2", "    [*] --> Idle", "    [*] --> ReadingInvitation", *lines, "    Verified --> [*]"]
        )
        + "\n"
    )


def edges() -> list[str]:
    """The transitions between two states as lines of the diagram, each once, in the order of the table."""
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
    """The line of the diagram from a transition's state to one of its targets."""
    return f"{row.state.__name__ if row.state else '*'} --> {target.__name__}: {label(row)}"


def label(row: Row) -> str:
    """A transition's trigger in a word or two."""
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
