"""The report tells why: refused calls, directives in the chat, what differs in a keyboard, all calls with answers."""

import json
from pathlib import Path

import pytest

from chatscript.language.bot_texts import BotTexts
from chatscript.language.patterns import SourceLocation
from chatscript.language.steps import Script
from chatscript.match.transcript import format_events
from chatscript.report import console
from chatscript.report.calls import calls_json, calls_lines, write_calls
from chatscript.results import Case, CaseFailure, CaseResult
from chatscript.runner.bot_process import ClockOffsetFile
from chatscript.runner.case_runner import RunConfig, run_case
from chatscript.runner.environment import last_lines
from chatscript.suite import cases_of
from tests.chatscript.bots.playing import FORM_BOT, TIMING, launcher_for, play_text, report_of

CARELESS_BOT = FORM_BOT.with_name("careless_bot.py")
REFUSAL = "editMessageText: Bad Request: message to edit not found"


async def test_a_failure_names_the_calls_that_were_refused_in_its_step(tmp_path: Path) -> None:
    report = await report_of(tmp_path, "title: Silent\n> 你好\n> 再来\n< 好\n", bot=CARELESS_BOT)

    assert f"  - refused: {REFUSAL}" in report


async def test_a_refused_call_is_counted_though_the_case_passes(tmp_path: Path) -> None:
    results = await play_text(tmp_path, "title: Swallowed\n> 继续\n< 好\n", bot=CARELESS_BOT)

    assert results[0].failure is None
    assert console.refusals(results) == [f"refused {REFUSAL} (1 calls, 1 of 1 cases)"]


async def test_the_chat_so_far_has_the_directives(tmp_path: Path) -> None:
    script = "title: Notes\n> 继续\n< 好\n@crash\n@fail sendPhoto 429\n@block\n@unblock\n@wait 1m\n> 继续\n< 坏\n"

    report = await report_of(tmp_path, script, bot=CARELESS_BOT)

    lines = [line.strip() for line in report.partition("the chat so far:\n")[2].splitlines()]
    assert lines[:7] == ["> 继续", "< 好", "@crash", "@fail sendPhoto 429", "@block", "@unblock", "@wait 1m"]
    assert "its own clock stands still" in report


@pytest.mark.parametrize(
    ("keyboard", "expected"),
    [
        ("[一] / [二] [三]", "the rows of the buttons differ: expected 1 / 2, got 2 / 1"),
        ("[一] [两] / [三]", "the labels of the buttons differ: missing [两], not mentioned [二]"),
        ("[二] [一] / [三]", "the same labels in another order"),
    ],
)
async def test_the_difference_of_a_keyboard_is_named(tmp_path: Path, keyboard: str, expected: str) -> None:
    report = await report_of(tmp_path, f"title: Keys\n> /start\n< 请选   {keyboard}\n", bot=CARELESS_BOT)

    assert expected in report.replace("\n    ", " ")


async def test_a_regex_inside_a_text_gets_a_hint(tmp_path: Path) -> None:
    report = await report_of(tmp_path, "title: Hint\n> 继续\n< 好 /\\d+/ 元\n", bot=CARELESS_BOT)

    assert "a /regex/ works only when it is the whole text" in report.replace("\n    ", " ")


async def test_all_calls_are_listed_with_their_answers(tmp_path: Path) -> None:
    path = tmp_path / "talk.chat"
    path.write_text("title: Calls\n> 继续\n< 好\n", encoding="utf-8")
    (case,) = cases_of(path, BotTexts())

    result = await run_case(case, RunConfig(launcher_for(CARELESS_BOT), BotTexts(), TIMING, with_calls=True))

    (listed,) = json.loads(calls_json([result]))
    calls = {call["method"]: call for call in listed["calls"]}
    assert calls["sendMessage"]["answer"]["result"]["text"] == "好"
    assert calls["editMessageText"]["fields"]["message_id"] == "1"
    lines = list(calls_lines([result]))
    assert lines[0] == f"{path}: Calls"
    assert any(line.endswith("-> 400 Bad Request: message to edit not found") for line in lines)


def result_with(*calls: dict[str, object]) -> CaseResult:
    return CaseResult(Case(Script("a.chat", "A", ({},), (), ()), {}, "zh", "A"), 0.0, None, calls=calls)


def test_calls_are_written_as_json_or_as_lines(tmp_path: Path) -> None:
    cut: dict[str, object] = {"method": "sendPhoto", "fields": {"photo": "x" * 300}, "answer": None, "status": None}
    broken: dict[str, object] = {"method": "getMe", "fields": {}, "answer": None, "status": 502}
    result = result_with(cut, broken)

    write_calls(tmp_path / "out" / "calls.json", [result])
    write_calls(tmp_path / "calls.txt", [result])

    assert json.loads((tmp_path / "out" / "calls.json").read_text(encoding="utf-8"))[0]["calls"][1]["status"] == 502
    assert (tmp_path / "calls.txt").read_text(encoding="utf-8").splitlines() == [
        "a.chat: A",
        f"  sendPhoto photo={'x' * 200}… -> no answer",
        "  getMe -> 502",
    ]


def test_notes_stand_where_they_happened() -> None:
    assert format_events([], {5: "A"}, [(0, 5, "@crash"), (0, 6, "@block")]) == ["@crash", "@user 6", "@block"]


def test_a_repeated_refusal_is_counted() -> None:
    failure = CaseFailure(SourceLocation("a.chat", 1), "< a", "nothing came", refused=("sendPhoto: no",) * 2)
    result = CaseResult(result_with().case, 0.0, failure)

    assert "  - refused: sendPhoto: no (2 times)" in console.failure_report(result).splitlines()


def test_a_traceback_is_not_cut() -> None:
    lines = [f"info {number}" for number in range(30)]
    trace = ["Traceback (most recent call last):", *(f"  line {number}" for number in range(40))]

    assert last_lines([*lines, *trace]) == ["... (30 lines before)", *trace]
    assert last_lines(lines) == ["... (10 lines before)", *lines[10:]]
    assert last_lines(lines[:20]) == lines[:20]
    assert len(last_lines([*trace, *lines * 10])) == 21


def test_an_unread_clock_file_is_noticed(tmp_path: Path) -> None:
    clock = ClockOffsetFile(tmp_path / "clock")
    clock.advance(60)
    unread = clock.seems_unread()
    clock.path.read_text(encoding="ascii")

    assert unread
    assert not clock.seems_unread()
