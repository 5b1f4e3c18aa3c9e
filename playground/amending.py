"""Writes accepted changes into script files, touching nothing else: comments, header and the person's lines stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from playground import report
from playground.accepting import Accepting, Changes
from playground.performing import Company, Result, perform
from playground.steps import Script


class CasesDiffer(Exception):
    """The cases of one script want different lines in the same place."""


def merged(found: Sequence[Changes]) -> Changes:
    """Put the changes of all cases together; raises `CasesDiffer`."""
    first, *others = found
    if any(other != first for other in others):
        raise CasesDiffer("its cases, or its languages, want different lines; change it by hand, or play one with -k")
    return first


def amended(source: str, script: Script, changes: Changes) -> str:
    """Write the changes into the text of a script; all that they do not touch stays, comments too."""
    lines = source.split("\n")
    starts = {number: step.place.line - 1 for number, step in enumerate(script.steps)}
    for number in sorted({*changes.instead, *changes.before}, reverse=True):
        start = starts.get(number, _end(lines))
        if number in changes.instead:
            stop = _stop(lines, start)
            comments = [line for line in lines[start:stop] if line.lstrip().startswith("#")]
            lines[start:stop] = [*comments, *changes.instead[number]]
        lines[start:start] = changes.before.get(number, ())
    return "\n".join(lines)


def _end(lines: Sequence[str]) -> int:
    return max(number for number, line in enumerate(lines, 1) if line.strip())


def _stop(lines: Sequence[str], start: int) -> int:
    """Find the end of a step: behind the last indented line that belongs to it."""
    stop = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#"):
            if not line[0].isspace():
                break
            stop = number + 1
    return stop


async def accept(results: Sequence[Result], company: Company, out: Callable[[str], object]) -> list[Result]:
    """Play the cases of every script that failed once more, and write what they do into it; gives the new results."""
    answered: list[Result] = []
    for file, group in groupby(results, key=lambda result: result.take.script.file):
        cases = list(group)
        answered.extend(await _accept(Path(file), cases, company, out) if any(it.failure for it in cases) else cases)
    return answered


async def _accept(path: Path, cases: list[Result], company: Company, out: Callable[[str], object]) -> list[Result]:
    script = cases[0].take.script
    played, found = [], []
    for case in cases:
        reader = Accepting(script)
        played.append(await perform(case.take, company, reader))
        found.append(reader.changes)
    if any(result.failure for result in played):
        return played
    try:
        changes = merged(found)
    except CasesDiffer as error:
        out(f"not accepted: {report.shown_path(str(path))}: {error}")
        return cases
    with path.open(encoding="utf-8-sig", newline="") as file:
        source = file.read()
    ending = "\r\n" if "\r\n" in source else "\n"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(amended(source.replace("\r\n", "\n"), script, changes).replace("\n", ending))
    out(f"accepted: {report.shown_path(str(path))}, {len({*changes.instead, *changes.before})} places changed")
    return played
