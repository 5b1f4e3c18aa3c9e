"""Writes every call of the bot with its answer: as JSON for programs, or as lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from chatscript.report.console import short_path
from chatscript.results import CaseResult
from playground.world.records import Json

_LONGEST = 200


def write_calls(path: Path, results: Sequence[CaseResult]) -> None:
    """Write the calls of all cases to a file: JSON when its name ends in .json. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = calls_json(results) if path.suffix == ".json" else "\n".join(calls_lines(results)) + "\n"
    path.write_text(text, encoding="utf-8")


def calls_json(results: Sequence[CaseResult]) -> str:
    """Return the calls as a list of cases. A call that was cut has no answer."""
    cases = [
        {
            "file": short_path(result.case.script.file),
            "case": result.case.name,
            "passed": result.failure is None,
            "calls": list(result.calls),
        }
        for result in results
    ]
    return json.dumps(cases, ensure_ascii=False, indent=1)


def calls_lines(results: Sequence[CaseResult]) -> Iterator[str]:
    """Return one line for each call, and a heading for each case."""
    for result in results:
        yield f"{short_path(result.case.script.file)}: {result.case.name}"
        yield from (f"  {_line(call)}" for call in result.calls)


def _line(call: Json) -> str:
    given = " ".join(f"{name}={_short(value)}" for name, value in call["fields"].items())
    return f"{call['method']} {given}".rstrip() + f" -> {_answer(call)}"


def _answer(call: Json) -> str:
    answer = call["answer"]
    if answer is None:
        return str(call["status"]) if call["status"] else "no answer"
    if answer["ok"]:
        return _short(json.dumps(answer["result"], ensure_ascii=False))
    return f"{answer['error_code']} {answer['description']}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
