"""Puts results into words: a line per case, a page per failure, a summary."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from chatscript.results import Failure, Result

_CHAT_LINES = 24
_INDENT = "    "


def shown_path(file: str) -> str:
    """Shorten a path inside the current folder."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else file


def progress(number: int, total: int, result: Result) -> str:
    """Tell of one result in a line."""
    counter = f"[{number:>{len(str(total))}}/{total}]"
    word = "FAIL" if result.failure else "ok  "
    where = f"  {_where(result.failure)}" if result.failure else ""
    return f"{counter} {word} {result.seconds:5.1f} s  {result.take.name}{where}"


def summary(results: Sequence[Result], seconds: float) -> str:
    """Tell of all results in a line."""
    failed = sum(result.failure is not None for result in results)
    passed = len(results) - failed
    return f"{passed} passed, {failed} failed in {seconds:.1f} s" if failed else f"{passed} passed in {seconds:.1f} s"


def remarks(results: Sequence[Result]) -> list[str]:
    """Tell of what Telegram does with the bot's calls in silence, in a line each."""
    counted = Counter(remark for result in results for remark in result.remarks)
    return [f"{remark} ({count} of {len(results)} cases)" for remark, count in sorted(counted.items())]


def failure_report(result: Result) -> str:
    """Tell everything about a failure: where, expected beside got, the chat so far, the bot's log."""
    failure = result.failure
    return "\n".join(_report(result, failure)) if failure else ""


def _report(result: Result, failure: Failure) -> Iterator[str]:
    yield f"FAIL {result.take.name}"
    yield f"{_where(failure)}: {failure.headline}"
    if failure.source:
        yield from _beside("expected" if failure.got else "the line", failure.source)
    yield from _beside("got", "\n".join(failure.got)) if failure.got else ()
    for note in failure.notes:
        yield from textwrap.wrap(note, 110, initial_indent="  - ", subsequent_indent=_INDENT) or []
    yield f"  the chat so far{_cut(failure.chat)}:"
    yield from (f"{_INDENT}{line}" for line in failure.chat[-_CHAT_LINES:] or ("(nothing yet)",))
    if failure.log:
        yield "  the bot's log of this step:"
        yield from (f"{_INDENT}{line}" for line in failure.log)


def _where(failure: Failure) -> str:
    return f"{shown_path(failure.place.file)}:{failure.place.line}"


def _beside(word: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines() or [""]
    yield f"  {word + ':':<10}{first}"
    yield from (f"  {'':<10}{line}" for line in rest)


def _cut(chat: Sequence[str]) -> str:
    return f" (the last {_CHAT_LINES} lines of {len(chat)})" if len(chat) > _CHAT_LINES else ""
