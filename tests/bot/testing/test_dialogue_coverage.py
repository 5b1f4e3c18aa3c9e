"""What the bot notes for testers: names of its own parts, and nothing of a person."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.content import catalogue
from bot.flow.diagram import edges
from bot.flow.events import AttemptRefusal, AttemptRefused, Said, Tapped
from bot.flow.machine import advance
from bot.flow.rows import RuleContext
from bot.flow.states import AskingName, ChoosingType
from bot.flow.table import TABLE
from bot.testing.dialogue_coverage import _UNREACHABLE_ROWS, CoverageFile, with_coverage
from verification.attempts import AttemptId
from verification.ids import Account

MOMENT = RuleContext(datetime(2026, 11, 23, tzinfo=UTC), "0123456789abcdef")


@pytest.fixture
def notebook(tmp_path: Path) -> CoverageFile:
    return CoverageFile(tmp_path / "notes")


def lines(notebook: CoverageFile) -> list[list[str]]:
    return [line.split("\t") for line in notebook.path.read_text(encoding="utf-8").splitlines()]


def test_a_pressed_button_is_a_row_a_button_and_a_way(notebook: CoverageFile) -> None:
    state = ChoosingType(account=Account("telegram:1"), question_id="m")
    event = Tapped(choice="personal", question_id="m")

    step = notebook.advance(state, event, MOMENT)

    assert step == advance(state, event, MOMENT)
    assert lines(notebook) == [
        ["now", "state", "Agreeing"],
        ["reached", "row", "ChoosingType: personal"],
        ["reached", "button", "ChoosingType: personal"],
        ["reached", "way", "ChoosingType --> Agreeing: personal"],
    ]


def test_nothing_that_a_person_says_is_noted(notebook: CoverageFile) -> None:
    notebook.advance(AskingName(account=Account("telegram:1"), question_id="m"), Said("王小明"), MOMENT)

    assert lines(notebook) == [
        ["now", "state", "AskingNumber"],
        ["reached", "row", "AskingName: said"],
        ["reached", "way", "AskingName --> AskingNumber: said"],
    ]


def test_a_dead_button_reaches_nothing(notebook: CoverageFile) -> None:
    notebook.advance(
        ChoosingType(account=Account("telegram:1"), question_id="m"),
        Tapped(choice="personal", question_id="old"),
        MOMENT,
    )

    assert lines(notebook) == [["now", "state", "ChoosingType"]]


def test_texts_and_topics_are_noted_once_and_say_what_they_say(notebook: CoverageFile) -> None:
    plain = catalogue.load(days=30, test=True)
    noting = with_coverage(plain, notebook)

    for _ in range(2):
        assert noting.text("en", "button.faq") == plain.text("en", "button.faq")
        assert noting.entry("en", plain.faq["en"][0].id) == plain.entry("en", plain.faq["en"][0].id)

    assert lines(notebook) == [["reached", "text", "button.faq"], ["reached", "topic", plain.faq["en"][0].id]]


def test_all_there_is_to_reach_is_known_beforehand(notebook: CoverageFile) -> None:
    notebook.write_known(catalogue.load(days=30, test=True))
    known = {(kind, name) for _, kind, name in lines(notebook)}

    assert {("way", way) for way in edges()} <= known
    assert {("row", "any state: /help"), ("button", "Failed: try_again"), ("text", "name.ask")} <= known
    assert not any(kind == "text" and name.startswith("page.") for kind, name in known)


def test_rows_that_only_a_race_reaches_are_left_out(notebook: CoverageFile) -> None:
    notebook.write_known(catalogue.load(days=30, test=True))
    notebook.advance(
        AskingName(account=Account("telegram:1"), question_id="m"),
        AttemptRefused(AttemptId("a"), AttemptRefusal.QUOTA),
        MOMENT,
    )

    rows = {name for _, kind, name in lines(notebook) if kind == "row"}

    assert _UNREACHABLE_ROWS.isdisjoint(rows)
    assert len(rows) == len(TABLE) - len(_UNREACHABLE_ROWS)
