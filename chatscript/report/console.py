"""Formats results for the console: a line for each case, a report for each failure, a summary."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from chatscript.results import CaseFailure, CaseResult

_CHAT_LINES = 24
_INDENT = "    "


def short_path(file: str) -> str:
    """Return a path inside the current folder relative to it, any other path unchanged."""
    path, folder = Path(file), Path.cwd()
    return str(path.relative_to(folder)) if path.is_absolute() and path.is_relative_to(folder) else file


def progress(number: int, total: int, result: CaseResult) -> str:
    """Return the line for one result."""
    counter = f"[{number:>{len(str(total))}}/{total}]"
    word = "FAIL" if result.failure else "ok  "
    where = f"  {_location(result.failure)}" if result.failure else ""
    return f"{counter} {word} {result.seconds:5.1f} s  {result.case.name}{where}"


def summary(results: Sequence[CaseResult], seconds: float) -> str:
    """Return the line for all results."""
    failed = sum(result.failure is not None for result in results)
    passed = len(results) - failed
    return f"{passed} passed, {failed} failed in {seconds:.1f} s" if failed else f"{passed} passed in {seconds:.1f} s"


def remarks(results: Sequence[CaseResult]) -> list[str]:
    """Return a line for each thing in the bot's calls that Telegram ignores."""
    counted = Counter(remark for result in results for remark in result.remarks)
    return [f"{remark} ({count} of {len(results)} cases)" for remark, count in sorted(counted.items())]


def refusals(results: Sequence[CaseResult]) -> list[str]:
    """Return a line for each kind of refused call: a bot may have swallowed the error."""
    counted = Counter(refusal for result in results for refusal in result.refused)
    cases = Counter(refusal for result in results for refusal in set(result.refused))
    return [
        f"refused {refusal} ({count} calls, {cases[refusal]} of {len(results)} cases)"
        for refusal, count in sorted(counted.items())
    ]


def failure_report(result: CaseResult) -> str:
    """Return the report of a failure: where, expected and got, the chat so far, the bot's log; "" for a pass."""
    failure = result.failure
    return "\n".join(_report(result, failure)) if failure else ""


def annotation(failure: CaseFailure) -> str:
    """Return the command by which GitHub shows the failure beside its line."""
    text = "\n".join([failure.headline, *failure.got, *failure.notes])
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error file={short_path(failure.location.file)},line={failure.location.line}::{text}"


def _report(result: CaseResult, failure: CaseFailure) -> Iterator[str]:
    yield f"FAIL {result.case.name}"
    yield f"{_location(failure)}: {failure.headline}"
    if failure.source:
        yield from _labelled("expected" if failure.got else "the line", failure.source)
    yield from _labelled("got", "\n".join(failure.got)) if failure.got else ()
    for note in failure.notes:
        yield from textwrap.wrap(note, 110, initial_indent="  - ", subsequent_indent=_INDENT) or []
    for refusal, count in Counter(failure.refused).items():
        times = f" ({count} times)" if count > 1 else ""
        yield from textwrap.wrap(f"refused: {refusal}{times}", 110, initial_indent="  - ", subsequent_indent=_INDENT)
    yield f"  the chat so far{_cut(failure.chat)}:"
    yield from (f"{_INDENT}{line}" for line in failure.chat[-_CHAT_LINES:] or ("(nothing yet)",))
    if failure.log:
        yield "  the bot's log of this step:"
        yield from (f"{_INDENT}{line}" for line in failure.log)


def _location(failure: CaseFailure) -> str:
    return f"{short_path(failure.location.file)}:{failure.location.line}"


def _labelled(word: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"  {word + ':':<10}{first}"
    yield from (f"  {'':<10}{line}" for line in rest)


def _cut(chat: Sequence[str]) -> str:
    return f" (the last {_CHAT_LINES} lines of {len(chat)})" if len(chat) > _CHAT_LINES else ""
