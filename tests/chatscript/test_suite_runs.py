"""Many scripts at once: exit status, output, and the pytest plugin."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chatscript.runner.bot_process import ClockOffsetFile, base_environment
from chatscript.suite import SuiteOptions, run_suite
from tests.chatscript.bots.playing import FORM_BOT, launcher_for

PASSES = "title: Good {n}\ncases: n=1 | n=2\n> /start\n< 你好...\n".replace(" {n}", "")
FAILS = "title: Bad\n> /start\n< 再见\n"
ROOT = Path(__file__).parents[2]


async def played(folder: Path, keyword: str | None = None, report_to: Path | None = None) -> tuple[int, list[str]]:
    said: list[str] = []
    status = await run_suite(
        [folder],
        SuiteOptions(jobs=2, keyword=keyword, junit=report_to),
        launcher=launcher_for(FORM_BOT),
        texts=folder / "texts",
        out=said.append,
    )
    return status, "\n".join(said).splitlines()


async def test_all_passed_is_zero(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")

    status, said = await played(tmp_path)

    assert status == 0
    assert said[0].startswith("[1/2] ok ")
    assert sorted(line.split("  ")[-1] for line in said[:2]) == ["Good [n=1]", "Good [n=2]"]
    assert said[-1].startswith("2 passed in ")


async def test_one_failure_is_one_and_is_reported_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "bad.chat").write_text(FAILS, encoding="utf-8")

    status, said = await played(tmp_path)

    assert status == 1
    assert f"{tmp_path}/deeper/bad.chat:3: the bot did something different:" in said
    assert said[-1].startswith("2 passed, 1 failed in ")


async def test_junit_xml_has_every_case(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")
    (tmp_path / "bad.chat").write_text('title: <Bad> & "sad"\n> /start\n< 再见\n', encoding="utf-8")

    await played(tmp_path, report_to=tmp_path / "out" / "junit.xml")
    (suite,) = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()  # noqa: S314 - our own
    bad, *good = suite

    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert [case.get("name") for case in good] == ["Good [n=1]", "Good [n=2]"]
    assert bad.get("name") == '<Bad> & "sad"'
    assert bad.get("classname") == f"{tmp_path}/bad.chat"
    assert "expected: < 再见" in "".join(bad.itertext())


async def test_an_unwritable_report_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")

    status, said = await played(tmp_path, report_to=tmp_path)

    assert status == 1
    assert said[-1].startswith("--junit: ")


async def test_a_mistake_in_any_script_is_two_and_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")
    (tmp_path / "typo.chat").write_text("@wiat 1m\n", encoding="utf-8")

    status, said = await played(tmp_path)

    assert status == 2
    assert said == [f"{tmp_path}/typo.chat:1:1: unknown directive @wiat; did you mean @wait?", "    @wiat 1m", "    ^"]


async def test_a_keyword_chooses_cases_by_their_titles(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")
    (tmp_path / "bad.chat").write_text(FAILS, encoding="utf-8")

    status, said = await played(tmp_path, "good [N=2]")

    assert (status, said[-1].split(" in ")[0]) == (0, "1 passed")
    assert await played(tmp_path, "nothing like it") == (2, ["no case has 'nothing like it' in its title"])


async def test_a_folder_without_scripts_is_two(tmp_path: Path) -> None:
    assert await played(tmp_path) == (2, [f"{tmp_path}: no script there"])


def test_the_environment_of_a_bot_is_new() -> None:
    outer = {"PATH": "/bin", "BOT_TOKEN": "secret", "DATABASE_URL": "postgresql://production", "LANG": "C.UTF-8"}

    assert base_environment(outer) == {
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }


def test_the_clock_file_holds_the_seconds_that_passed(tmp_path: Path) -> None:
    clock = ClockOffsetFile(tmp_path / "clock")
    clock.advance(600)
    clock.advance(1.5)

    assert float(clock.path.read_text(encoding="ascii")) == 601.5
    assert [path.name for path in tmp_path.iterdir()] == ["clock"]


def pytest_on(folder: Path, *options: str, bot: Path = FORM_BOT) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text(
        f"[pytest]\nchat_bot = {bot}\nfilterwarnings = error\n"
        "asyncio_default_fixture_loop_scope = function\nasyncio_mode = auto\n",
        encoding="utf-8",
    )
    words = [sys.executable, "-m", "pytest", "-p", "chatscript.pytest_plugin", "-p", "no:cacheprovider", *options]
    env = base_environment({"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)})
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow("programs")
@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
def test_pytest_counts_the_calls_that_were_refused(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "talk.chat").write_text("title: Swallowed\n> 继续\n< 好\n", encoding="utf-8")

    done = pytest_on(tmp_path, *workers, bot=FORM_BOT.with_name("careless_bot.py"))

    assert done.returncode == 0, done.stdout
    assert "refused editMessageText: Bad Request: message to edit not found (1 calls)" in done.stdout


@pytest.mark.slow("programs")
@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_pytest_collects_every_case_as_a_test(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")
    (tmp_path / "bad.chat").write_text(FAILS, encoding="utf-8")
    (tmp_path / "test_other.py").write_text("async def test_other():\n    pass\n", encoding="utf-8")

    done = pytest_on(tmp_path, *workers)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 3 passed" in done.stdout
    assert "bad.chat:3: the bot did something different:\n  expected: < 再见" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.slow("programs")
def test_pytest_chooses_by_title_and_shows_mistakes(tmp_path: Path) -> None:
    (tmp_path / "good.chat").write_text(PASSES, encoding="utf-8")
    (tmp_path / "typo.chat").write_text("@wiat 1m\n", encoding="utf-8")

    (tmp_path / "bad.chat").write_text(FAILS, encoding="utf-8")

    chosen = pytest_on(tmp_path, "good.chat", "bad.chat", "--collect-only", "-q", "-k", "Good")
    wrong = pytest_on(tmp_path, "typo.chat")

    assert "good.chat::Good [n=2]" in chosen.stdout
    assert "Bad" not in chosen.stdout
    assert wrong.returncode == 2
    assert "typo.chat:1:1: unknown directive @wiat; did you mean @wait?" in wrong.stdout
