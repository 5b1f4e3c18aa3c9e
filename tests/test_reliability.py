"""docs/operators/reliability.md has a row for every invariant, and each of its commands runs a test."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.invariants import IN_CHINESE, INVARIANTS

ROOT = Path(__file__).parents[1]
ROW = re.compile(
    r"^\| (\d+) \| (.+?) \| (\d+) \| [\d,]+ \| [\d,]+ \| (\S+) \| `\.venv/bin/pytest -k inv(\d\d)` \|$", re.M
)


def rows(file: str = "reliability.md") -> list[tuple[str, ...]]:
    return ROW.findall((ROOT / "docs" / "operators" / file).read_text(encoding="utf-8"))


def numbered_tests() -> set[int]:
    found = set[int]()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.update(int(number) for number in re.findall(r"^test_inv(\d\d)_", node.name))
    return found


@pytest.mark.parametrize(("file", "invariants"), [("reliability.md", INVARIANTS), ("reliability.zh.md", IN_CHINESE)])
def test_the_table_has_a_row_for_every_invariant_in_its_words(file: str, invariants: Mapping[int, str]) -> None:
    assert [(int(number), words) for number, words, *_ in rows(file)] == list(invariants.items())


def test_both_languages_give_the_same_figures() -> None:
    assert [row[2:] for row in rows()] == [row[2:] for row in rows("reliability.zh.md")]


def test_every_row_was_proven_without_a_loss() -> None:
    assert [number for number, _, tests, losses, _ in rows() if int(tests) == 0 or losses != "0"] == []


@pytest.mark.slow("programs")
def test_every_command_of_the_table_runs_a_test() -> None:
    proven = numbered_tests()

    assert [number for *_, number in rows() if int(number) not in proven] == []
