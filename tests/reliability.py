"""Counts the test evidence for each invariant, and writes docs/operators/reliability.md (and .zh.md) from the run.

A test that proves an invariant carries its number: `test_inv07_…`. The `proof` fixture counts what it tried; a test
that counts nothing is one case. Figures come from the run alone, on one process or on many.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from tests.invariants import IN_CHINESE, INVARIANTS

_NUMBERED = re.compile(r"test_inv(\d\d)_")
_FIGURES = ("cases", "faults", "losses")
_HEAD = """# Reliability: guarantees and test evidence · [中文](reliability.zh.md)

Each row is a guarantee (an invariant) with what the tests tried. To repeat one row, run its command. To renew
the table, run `make reliability`: it writes this page from a run of the whole test suite.

- **Cases**: how many inputs, runs or schedules the tests of this row tried.
- **Faults**: how many faults they injected: a killed process, a refused call, a lost answer, a failed write.
- **Losses**: how often something was lost, repeated or sent to the wrong person.

| # | Guarantee | Tests | Cases | Faults | Losses | Command |
|---|---|---|---|---|---|---|
"""
_HEAD_IN_CHINESE = """# 可靠性：承诺与测试依据 · [English](reliability.md)

每一行是一项承诺（不变量），以及测试对它做过的尝试。运行该行的命令可以重做。\
要更新整个表格，请运行 `make reliability`：它运行全部测试，并据此写出本页。

- **用例**：这一行的测试尝试了多少种输入、运行或时序。
- **故障**：测试注入了多少次故障：结束进程、拒绝调用、丢失应答、写入失败。
- **损失**：有多少次丢失、重复或发错了人。

| # | 承诺 | 测试 | 用例 | 故障 | 损失 | 命令 |
|---|---|---|---|---|---|---|
"""


class Proof(Protocol):
    """Notes what a test tried."""

    def __call__(self, *, cases: int = 0, faults: int = 0, losses: int = 0) -> None:
        """Add to this test's figures."""


@dataclass(slots=True)
class InvariantCounts:
    """What one invariant's tests came to."""

    tests: set[str] = field(default_factory=set)
    cases: int = 0
    faults: int = 0
    losses: int = 0
    failed: int = 0

    def add(self, report: pytest.TestReport) -> None:
        """Count one test."""
        figures = {name: sum(int(str(n)) for key, n in report.user_properties if key == name) for name in _FIGURES}
        self.tests.add(report.nodeid.partition("[")[0])
        self.cases += figures["cases"] or 1
        self.faults += figures["faults"]
        self.losses += figures["losses"]
        self.failed += report.failed


@dataclass(slots=True, eq=False)
class ReliabilityReport:
    """All invariants of a run."""

    file: Path
    tallies: dict[int, InvariantCounts] = field(
        default_factory=lambda: {number: InvariantCounts() for number in INVARIANTS}
    )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what a test was, once it ran or failed to."""
        numbered = _NUMBERED.search(report.nodeid)
        if numbered and (report.when == "call" or report.failed):
            self.tallies[int(numbered[1])].add(report)

    def pytest_sessionfinish(self) -> None:
        """Write the table in both languages."""
        for file, head, words in (
            (self.file, _HEAD, INVARIANTS),
            (self.file.with_suffix(".zh.md"), _HEAD_IN_CHINESE, IN_CHINESE),
        ):
            rows = "".join(_row(number, words[number], tally) for number, tally in self.tallies.items())
            file.write_text(head + rows, encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the table."""
    parser.addoption("--reliability", type=Path, metavar="FILE", help="write the table of invariants with its evidence")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the ledger, in the process that hears of every test."""
    file = config.getoption("reliability")
    if file is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ReliabilityReport(file), "reliability-ledger")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Refuse a number that no invariant has: its proof would count for nothing."""
    for item in items:
        numbered = _NUMBERED.search(item.name)
        if numbered and int(numbered[1]) not in INVARIANTS:
            raise pytest.UsageError(f"{item.nodeid}: no invariant has the number {numbered[1]}")


@pytest.fixture
def proof(record_property: Callable[[str, object], None]) -> Proof:
    """Note what this test tried: `proof(cases=…, faults=…, losses=…)`."""

    def note(*, cases: int = 0, faults: int = 0, losses: int = 0) -> None:
        for name, value in zip(_FIGURES, (cases, faults, losses), strict=True):
            record_property(name, value)

    return note


def _row(number: int, words: str, tally: InvariantCounts) -> str:
    losses = f"{tally.losses}" if not tally.failed else f"{tally.losses}, {tally.failed} failed"
    figures = f"{len(tally.tests)} | {tally.cases:,} | {tally.faults:,} | {losses}"
    return f"| {number} | {words} | {figures} | `.venv/bin/pytest -k inv{number:02d}` |\n"
