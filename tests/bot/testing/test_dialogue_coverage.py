"""What the bot notes for testers: names of its own parts, and nothing of a person."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.content import catalogue
from bot.flow.diagram import edges
from bot.flow.events import Declined, Refusal, Said, Tapped
from bot.flow.machine import advance
from bot.flow.rows import Moment
from bot.flow.states import AskingName, ChoosingType
from bot.flow.table import TABLE
from bot.testing.dialogue_coverage import _RACES, Notebook, noted
from verification.attempts import AttemptId

MOMENT = Moment(datetime(2026, 11, 23, tzinfo=UTC), "0123456789abcdef")


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path / "notes")


def lines(notebook: Notebook) -> list[list[str]]:
    return [line.split("\t") for line in notebook.path.read_text(encoding="utf-8").splitlines()]


def test_a_pressed_button_is_a_row_a_button_and_a_way(notebook: Notebook) -> None:
    state = ChoosingType(account="telegram:1", mark="m")
    event = Tapped("personal", "m")

    step = notebook.advance(state, event, MOMENT)

    assert step == advance(state, event, MOMENT)
    assert lines(notebook) == [
        ["now", "state", "Agreeing"],
        ["reached", "row", "ChoosingType: personal"],
        ["reached", "button", "ChoosingType: personal"],
        ["reached", "way", "ChoosingType --> Agreeing: personal"],
    ]


def test_nothing_that_a_person_says_is_noted(notebook: Notebook) -> None:
    notebook.advance(AskingName(account="telegram:1", mark="m"), Said("王小明"), MOMENT)

    assert lines(notebook) == [
        ["now", "state", "AskingNumber"],
        ["reached", "row", "AskingName: said"],
        ["reached", "way", "AskingName --> AskingNumber: said"],
    ]


def test_a_dead_button_reaches_nothing(notebook: Notebook) -> None:
    notebook.advance(ChoosingType(account="telegram:1", mark="m"), Tapped("personal", "old"), MOMENT)

    assert lines(notebook) == [["now", "state", "ChoosingType"]]


def test_texts_and_topics_are_noted_once_and_say_what_they_say(notebook: Notebook) -> None:
    plain = catalogue.load(days=30, test=True)
    noting = noted(plain, notebook)

    for _ in range(2):
        assert noting.text("en", "button.faq") == plain.text("en", "button.faq")
        assert noting.entry("en", plain.faq["en"][0].id) == plain.entry("en", plain.faq["en"][0].id)

    assert lines(notebook) == [["reached", "text", "button.faq"], ["reached", "topic", plain.faq["en"][0].id]]


def test_all_there_is_to_reach_is_known_beforehand(notebook: Notebook) -> None:
    notebook.known(catalogue.load(days=30, test=True))
    known = {(kind, name) for _, kind, name in lines(notebook)}

    assert {("way", way) for way in edges()} <= known
    assert {("row", "any state: /help"), ("button", "Failed: try_again"), ("text", "name.ask")} <= known
    assert not any(kind == "text" and name.startswith("page.") for kind, name in known)


def test_rows_that_only_a_race_reaches_are_left_out(notebook: Notebook) -> None:
    notebook.known(catalogue.load(days=30, test=True))
    notebook.advance(AskingName(account="telegram:1", mark="m"), Declined(AttemptId("a"), Refusal.QUOTA), MOMENT)

    rows = {name for _, kind, name in lines(notebook) if kind == "row"}

    assert _RACES.isdisjoint(rows)
    assert len(rows) == len(TABLE) - len(_RACES)
