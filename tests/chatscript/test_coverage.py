"""Coverage: read from the bot's file, shown as a table and as a diagram."""

from pathlib import Path

import pytest

from chatscript.coverage import append_notes, format_diagram, format_table, last_state, read_coverage
from chatscript.suite import SuiteOptions, run_suite
from tests.chatscript.bots.playing import FORM_BOT, launcher_for
from tests.chatscript.test_suite_runs import pytest_on

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


def test_the_table_has_figures_and_the_names_that_were_never_reached(notes: Path) -> None:
    assert [line.split() for line in format_table(read_coverage(notes))] == [
        ["ways", "1", "of", "2", "50.0", "%"],
        ["never", "B", "-->", "A:", "back"],
        ["texts", "1", "of", "2", "50.0", "%"],
        ["never", "bye"],
        ["coverage", "50.0", "%"],
    ]


def test_the_diagram_marks_the_transitions_that_no_script_took(notes: Path) -> None:
    assert list(format_diagram(read_coverage(notes))) == [
        "stateDiagram-v2",
        "    A --> B: go",
        "    B --> A: back 🚫 never",
    ]


def test_a_hundred_percent_is_never_a_rounded_figure(tmp_path: Path) -> None:
    known = "".join(f"known\ttext\t{number}\n" for number in range(3000))
    reached = "".join(f"reached\ttext\t{number}\n" for number in range(2999))
    (tmp_path / "notes").write_text(known + reached, encoding="utf-8")

    assert list(format_table(read_coverage(tmp_path / "notes")))[-1].split()[1] == "99.9"


async def test_a_bot_that_writes_nothing_has_no_coverage(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text("> /start\n< 你好...\n", encoding="utf-8")
    said: list[str] = []

    status = await run_suite(
        [tmp_path],
        SuiteOptions(coverage=True, fail_under=1),
        launcher=launcher_for(FORM_BOT),
        texts=tmp_path / "texts",
        out=said.append,
    )

    assert status == 1
    assert "coverage: the bot wrote nothing" in "\n".join(said)
    assert said[-1] == "coverage is under 1 %"


NOTING = """from pathlib import Path
from chatscript.runner.bot_process import CommandLauncher

class Noting(CommandLauncher):
    async def start(self, env, log):
        with Path(env["DIALOGUE_COVERAGE_FILE"]).open("a") as notes:
            notes.write("known\\trow\\ta\\nknown\\trow\\tb\\nreached\\trow\\ta\\n")
        return await CommandLauncher.start(self, env, log)

def pytest_chat_launch(config):
    return Noting(CommandLauncher.python(Path({bot!r})).arguments)
"""


@pytest.mark.slow("programs")
@pytest.mark.parametrize(
    ("goal", "status", "expected"),
    [("row=50", 0, []), ("row=51", 1, ["less than 51 % of kind row", "never  b"]), ("way=1", 1, ["wrote nothing"])],
)
def test_a_pytest_run_fails_when_its_scripts_reach_too_little(
    tmp_path: Path, goal: str, status: int, expected: list[str]
) -> None:
    (tmp_path / "good.chat").write_text("> /start\n< 你好...\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(NOTING.format(bot=str(FORM_BOT)), encoding="utf-8")

    workers = ["-n", "2"] if goal == "row=51" else []
    done = pytest_on(tmp_path, "--chat-fail-under", goal, *workers)

    assert done.returncode == status, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert all(words in done.stdout for words in expected)


def test_the_notes_of_each_case_are_joined_and_have_its_last_state(tmp_path: Path) -> None:
    first, second, together = tmp_path / "1", tmp_path / "2", tmp_path / "all"
    first.write_text("known\trow\ta\nnow\tstate\tA\nnow\tstate\tB\n", encoding="utf-8")
    second.write_text("reached\trow\ta\n", encoding="utf-8")

    for notes in (first, second, tmp_path / "none"):
        append_notes(together, notes)

    assert read_coverage(together).percent == 100
    assert [last_state(notes) for notes in (first, second, tmp_path / "none")] == ["B", None, None]
