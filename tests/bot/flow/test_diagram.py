"""The diagram of the table."""

import re
from pathlib import Path

from bot.flow.diagram import event_label, mermaid
from bot.flow.events import Choice, Command
from tests.bot.flow.samples import EVENT_KINDS, STATE_KINDS

EDGE = re.compile(r"    (\w+) --> (\w+): (/?\w+(?: \w+)*)")
NAMES = {state.__name__ for state in STATE_KINDS}


def test_every_line_is_a_transition_between_two_states_on_an_event() -> None:
    first, start, by_link, *edges, end = mermaid().splitlines()
    found = [EDGE.fullmatch(line) for line in edges]
    labels = {*Choice, *(f"/{command}" for command in Command), *map(event_label, EVENT_KINDS)}

    assert (first, start, end) == ("stateDiagram-v2", "    [*] --> Idle", "    Verified --> [*]")
    assert by_link == "    [*] --> ReadingInvitation"
    assert [line for line, edge in zip(edges, found, strict=True) if edge is None] == []
    assert {name for edge in found if edge for name in edge.group(1, 2)} == NAMES
    assert {edge[3] for edge in found if edge} <= labels
    assert all(edge[1] != edge[2] for edge in found if edge)


def test_no_transition_is_drawn_twice() -> None:
    lines = mermaid().splitlines()

    assert len(set(lines)) == len(lines)


def test_the_architecture_document_shows_this_diagram() -> None:
    document = Path(__file__).parents[3] / "ARCHITECTURE.md"
    drawing = re.search(r"```mermaid\n(stateDiagram.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)

    assert drawing is not None
    assert drawing[1] == mermaid()
