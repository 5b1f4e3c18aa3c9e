"""What scripts reached: read from the bot's notes, told as a table and as a diagram."""

from pathlib import Path

import pytest

from playground.coverage import diagram, read, table
from playground.launch import Command
from playground.player import Asked, play
from tests.playground.bots.playing import FORM_BOT

NOTES = """known\tway\tA --> B: go
known\tway\tB --> A: back
known\ttext\thello
known\ttext\tbye
reached\tway\tA --> B: go
reached\ttext\thello
reached\ttext\tunheard of
known\ttext\thello
a torn li"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes"
    path.write_text(NOTES, encoding="utf-8")
    return path


def test_the_table_tells_figures_and_what_was_never_reached(notes: Path) -> None:
    assert [line.split() for line in table(read(notes))] == [
        ["ways", "1", "of", "2", "50.0", "%"],
        ["never", "B", "-->", "A:", "back"],
        ["texts", "1", "of", "2", "50.0", "%"],
        ["never", "bye"],
        ["coverage", "50.0", "%"],
    ]


def test_the_diagram_marks_the_ways_that_nobody_went(notes: Path) -> None:
    assert list(diagram(read(notes))) == ["stateDiagram-v2", "    A --> B: go", "    B --> A: back 🚫 never"]


def test_a_hundred_percent_is_never_a_rounded_figure(tmp_path: Path) -> None:
    known = "".join(f"known\ttext\t{number}\n" for number in range(3000))
    reached = "".join(f"reached\ttext\t{number}\n" for number in range(2999))
    (tmp_path / "notes").write_text(known + reached, encoding="utf-8")

    assert list(table(read(tmp_path / "notes")))[-1].split()[1] == "99.9"


async def test_a_bot_that_notes_nothing_has_no_coverage(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text("> /start\n< 你好...\n", encoding="utf-8")
    said: list[str] = []

    status = await play(
        [tmp_path],
        Asked(coverage=True, fail_under=1),
        launch=Command.python(FORM_BOT),
        texts=tmp_path / "texts",
        out=said.append,
    )

    assert status == 1
    assert "coverage: the bot noted nothing" in "\n".join(said)
    assert said[-1] == "coverage is under 1 %"
