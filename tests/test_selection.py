"""A run says what it left out, and every slow test is of a known kind."""

import subprocess
import sys
from pathlib import Path

import pytest

from chatscript.runner.bot_process import base_environment
from tests.selection import KINDS, QUICK, SLOW, left_out_lines

ROOT = Path(__file__).parents[1]
INI = "[pytest]\nmarkers =\n    slow(kind): slow\n    browser: browser\nasyncio_default_fixture_loop_scope = function\n"
TESTS = """
import pytest

@pytest.mark.slow("crash")
@pytest.mark.parametrize("point", range(3))
def test_slow(point): pass

def test_quick(): pass

@pytest.mark.browser
def test_in_browser(): pass
"""


def test_make_test_names_what_it_left_out_and_the_command() -> None:
    counts = {KINDS["crash"]: 3, KINDS["stories"]: 40}

    [line] = left_out_lines(counts, QUICK)

    assert "crash tests at every point (3), simulated stories (40)" in line
    assert line.endswith("make test-all")


def test_make_test_all_says_that_it_adds_to_make_test() -> None:
    [line] = left_out_lines({QUICK: 7300}, SLOW)

    assert "in addition to make test, which runs the other 7,300" in line


def test_a_run_of_everything_says_nothing() -> None:
    assert list(left_out_lines({}, "")) == []


@pytest.mark.slow("programs")
def test_a_run_without_a_browser_counts_what_it_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(INI, encoding="utf-8")
    arguments = (sys.executable, "-m", "pytest", "-p", "tests.selection", "-p", "no:cacheprovider", "-m", QUICK)

    ended = subprocess.run(
        arguments,
        cwd=tmp_path,
        env=base_environment({"PATH": "", "PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr
    assert "Skipped 1 browser tests, because Chromium is not installed." in ended.stdout
    assert "crash tests at every point (3)." in ended.stdout
