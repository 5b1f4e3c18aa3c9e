"""Writes results as JUnit XML, which build servers read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from chatscript.report.console import failure_report, short_path
from chatscript.results import CaseResult

_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, results: Sequence[CaseResult], seconds: float) -> None:
    """Write the file and its folder. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(junit_xml(results, seconds), encoding="utf-8")


def junit_xml(results: Sequence[CaseResult], seconds: float) -> str:
    """Return the results as one test suite; each case is a test whose class is its file."""
    failed = sum(result.failure is not None for result in results)
    facts = f'name="chat scripts" tests="{len(results)}" failures="{failed}" errors="0" time="{seconds:.3f}"'
    cases = "".join(map(_case, results))
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites><testsuite {facts}>\n{cases}</testsuite></testsuites>\n'
    )


def _case(result: CaseResult) -> str:
    file = short_path(result.case.script.file)
    name = f"classname={_quoted(file)} name={_quoted(result.case.name)} file={_quoted(file)}"
    head = f'<testcase {name} time="{result.seconds:.3f}"'
    if result.failure is None:
        return f"{head}/>\n"
    message = _quoted(f"{file}:{result.failure.location.line}: {result.failure.headline}")
    return f"{head}><failure message={message}>{escape(_clean(failure_report(result)))}</failure></testcase>\n"


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
