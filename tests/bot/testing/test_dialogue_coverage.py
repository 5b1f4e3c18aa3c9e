"""The coverage file holds names of the bot's own parts, and nothing about a person."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.content import catalogue
from bot.flow.diagram import edges
from bot.flow.events import AttemptRefusal, AttemptRefused, Event, QuotaChecked, Said, Tapped
from bot.flow.machine import advance
from bot.flow.rows import RuleContext
from bot.flow.states import AgreeingFace, AskingName, ChoosingType, Confirming
from bot.flow.table import TABLE
from bot.testing.dialogue_coverage import _UNREACHABLE_EDGES, _UNREACHABLE_ROWS, CoverageFile, with_coverage
from tests.bot.flow.samples import ONE_OF_EACH, quota_full
from verification.attempts import AttemptId, Method
from verification.ids import Account

CONTEXT = RuleContext(datetime(2026, 11, 23, tzinfo=UTC), "0123456789abcdef")


@pytest.fixture
def coverage(tmp_path: Path) -> CoverageFile:
    return CoverageFile(tmp_path / "notes")


def lines(coverage: CoverageFile) -> list[list[str]]:
    return [line.split("\t") for line in coverage.path.read_text(encoding="utf-8").splitlines()]


def test_a_pressed_button_reaches_a_row_a_button_and_a_transition(coverage: CoverageFile) -> None:
    state = ChoosingType(account=Account("telegram:1"), question_id="m")
    event = Tapped(choice="personal", question_id="m")

    step = coverage.advance(state, event, CONTEXT)

    assert step == advance(state, event, CONTEXT)
    assert lines(coverage) == [
        ["now", "state", "Agreeing"],
        ["reached", "row", "ChoosingType: personal"],
        ["reached", "button", "ChoosingType: personal"],
        ["reached", "way", "ChoosingType --> Agreeing: personal"],
    ]


def test_nothing_that_a_person_says_is_recorded(coverage: CoverageFile) -> None:
    coverage.advance(AskingName(account=Account("telegram:1"), question_id="m"), Said("王小明"), CONTEXT)

    assert lines(coverage) == [
        ["now", "state", "AskingNumber"],
        ["reached", "row", "AskingName: said"],
        ["reached", "way", "AskingName --> AskingNumber: said"],
    ]


def test_an_old_button_reaches_nothing(coverage: CoverageFile) -> None:
    coverage.advance(
        ChoosingType(account=Account("telegram:1"), question_id="m"),
        Tapped(choice="personal", question_id="old"),
        CONTEXT,
    )

    assert lines(coverage) == [["now", "state", "ChoosingType"]]


OF_KIND = {type(state): state for state in ONE_OF_EACH}
WITHOUT_WECHAT = replace(CONTEXT, methods=(Method.QQ, Method.FACE))


@pytest.mark.parametrize(
    ("event", "context", "rows"),
    [
        (Said("2"), CONTEXT, ["Confirming: qq"]),
        (Said("2"), WITHOUT_WECHAT, ["Confirming: face"]),
        (Said("微信"), WITHOUT_WECHAT, []),
        (Tapped(choice="wechat", question_id="m-current"), WITHOUT_WECHAT, []),
    ],
)
def test_what_is_reached_depends_on_the_methods_that_are_on(
    coverage: CoverageFile, event: Event, context: RuleContext, rows: list[str]
) -> None:
    coverage.advance(OF_KIND[Confirming], event, context)

    assert [name for _, kind, name in lines(coverage) if kind == "row"] == rows


def test_a_consent_to_a_method_that_is_off_is_the_choice_of_a_method(coverage: CoverageFile) -> None:
    coverage.advance(OF_KIND[AgreeingFace], Said("2"), replace(CONTEXT, methods=(Method.WECHAT, Method.QQ)))

    assert [name for _, kind, name in lines(coverage) if kind == "row"] == ["Confirming: qq"]


def test_texts_and_topics_are_recorded_once_and_unchanged(coverage: CoverageFile) -> None:
    plain = catalogue.load(days=30, simulated=tuple(Method))
    recording = with_coverage(plain, coverage)

    for _ in range(2):
        assert recording.text("en", "button.faq") == plain.text("en", "button.faq")
        assert recording.entry("en", plain.faq["en"][0].id) == plain.entry("en", plain.faq["en"][0].id)

    assert lines(coverage) == [["reached", "text", "button.faq"], ["reached", "topic", plain.faq["en"][0].id]]


def test_everything_that_can_be_reached_is_written_first(coverage: CoverageFile) -> None:
    coverage.write_known(catalogue.load(days=30, simulated=tuple(Method)))
    known = {(kind, name) for _, kind, name in lines(coverage)}

    assert set(edges()) - {line for kind, line in known if kind == "way"} == _UNREACHABLE_EDGES
    assert {("row", "any state: /help"), ("button", "Failed: try_again"), ("text", "name.ask")} <= known
    assert not any(kind == "text" and name.startswith("page.") for kind, name in known)


def test_transitions_that_only_a_race_reaches_are_left_out(coverage: CoverageFile) -> None:
    coverage.write_known(catalogue.load(days=30, simulated=tuple(Method)))
    coverage.advance(
        AskingName(account=Account("telegram:1"), question_id="m"),
        AttemptRefused(AttemptId("a"), AttemptRefusal.QUOTA),
        CONTEXT,
    )

    rows = {name for _, kind, name in lines(coverage) if kind == "row"}

    assert _UNREACHABLE_ROWS.isdisjoint(rows)
    assert len(rows) == len(TABLE) - len(_UNREACHABLE_ROWS)


def test_a_way_that_no_conversation_can_go_is_left_out(coverage: CoverageFile) -> None:
    coverage.advance(quota_full(), QuotaChecked(is_full=False), CONTEXT)

    assert [name for _, kind, name in lines(coverage) if kind == "way"] == []
