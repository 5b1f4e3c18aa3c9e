"""Plays many scripts: reads and checks all of them first, then plays the cases side by side."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chatscript import coverage
from chatscript.accept import accept
from chatscript.language import parser
from chatscript.language.bot_texts import DEFAULT_LANGUAGE, Catalogue, CatalogueUnreadable, load
from chatscript.language.lexer import Wrong
from chatscript.language.linter import key_mistakes, speaks_any_language
from chatscript.language.parser import Unreadable
from chatscript.language.steps import Language, Script
from chatscript.report import console, junit
from chatscript.report.export import NoCamera, exhibit, why_not
from chatscript.results import Result, Take
from chatscript.runner.bot_process import Launch
from chatscript.runner.case_runner import Company, perform
from chatscript.runner.event_waiter import Timing

ALL_PASSED, SOME_FAILED, NOTHING_RUN = 0, 1, 2
ALL_LANGUAGES = "all"

Out = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Asked:
    """How scripts are to be played; `accept` writes what the bot does now into scripts that fail."""

    jobs: int = 8
    keyword: str | None = None
    languages: Sequence[str] = ()
    junit: Path | None = None
    accept: bool = False
    coverage: bool = False
    fail_under: float = 0
    show: Path | None = None
    timing: Timing = field(default_factory=Timing)


async def play(paths: Iterable[Path], asked: Asked, *, launch: Launch, texts: Path | None, out: Out = print) -> int:
    """Play scripts or folders of them; return 0 when all passed, 1 when some failed, 2 when nothing could run."""
    if asked.show and (why := why_not(asked.show)):
        out(f"--show: {why}")
        return NOTHING_RUN
    try:
        catalogue = load(texts) if texts else Catalogue()
        takes = gather(paths, catalogue, asked.languages)
    except (CatalogueUnreadable, Unplayable) as error:
        out(str(error))
        return NOTHING_RUN
    keyword = asked.keyword
    chosen = [take for take in takes if keyword is None or keyword.casefold() in take.name.casefold()]
    if not chosen:
        out(f"no case has {keyword!r} in its title" if takes else "no script to play")
        return NOTHING_RUN
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        noted = Path(folder) / "coverage"
        extra = {coverage.VARIABLE: str(noted)} if asked.coverage else {}
        company = Company(launch, catalogue, asked.timing, extra, filmed=asked.show is not None)
        status = await _played(chosen, company, asked, out)
        return max(status, _covered(noted, asked, out)) if asked.coverage else status


def _covered(noted: Path, asked: Asked, out: Out) -> int:
    found = coverage.read(noted)
    out("\n" + "\n".join([*coverage.table(found), "", *coverage.diagram(found)]))
    if found.percent >= asked.fail_under:
        return ALL_PASSED
    out(f"coverage is under {asked.fail_under:g} %")
    return SOME_FAILED


async def _played(chosen: Sequence[Take], company: Company, asked: Asked, out: Out) -> int:
    began = time.monotonic()
    results = await _side_by_side(chosen, company, asked.jobs, out)
    if asked.accept:
        results = await accept(results, company, out)
    for result in results:
        if result.failure:
            out("\n" + console.failure_report(result))
    if remarks := console.remarks(results):
        out("\n" + "\n".join(remarks))
    seconds = time.monotonic() - began
    out("\n" + console.summary(results, seconds))
    written = await _written(results, seconds, asked, out)
    return SOME_FAILED if any(result.failure for result in results) else written


async def _written(results: Sequence[Result], seconds: float, asked: Asked, out: Out) -> int:
    option = "--junit"
    try:
        if asked.junit is not None:
            junit.write(asked.junit, results, seconds)
        option = "--show"
        if asked.show is not None:
            await exhibit(asked.show, results)
    except (OSError, NoCamera) as error:
        out(f"{option}: {error}")
        return SOME_FAILED
    return ALL_PASSED


class Unplayable(Exception):
    """Something that must be put right before anything is played; says all of it."""


def gather(paths: Iterable[Path], catalogue: Catalogue, languages: Sequence[str] = ()) -> list[Take]:
    """Read and check every script of the paths, and list what is to be played; raises `Unplayable`."""
    takes: list[Take] = []
    mistakes: list[str] = []
    for path in _files(paths, mistakes):
        try:
            takes.extend(takes_of(path, catalogue, languages))
        except Unreadable as error:
            mistakes.append(str(error))
    if mistakes:
        raise Unplayable("\n".join(mistakes))
    return takes


def takes_of(path: Path, catalogue: Catalogue, languages: Sequence[str] = ()) -> list[Take]:
    """List the cases of one script, in each language that it can be played in; raises `Unreadable`."""
    spoken: list[str] = []

    def check(read: Script) -> list[Wrong]:
        spoken.extend(_languages(read, catalogue, languages))
        return [wrong for language in spoken for wrong in key_mistakes(read, catalogue, language, DEFAULT_LANGUAGE)]

    read = parser.read(path, check)
    many = len(spoken) > 1
    return [
        Take(read, values, language, _name(read.title, values, language if many else ""))
        for language in spoken
        for values in read.cases
    ]


def _languages(read: Script, catalogue: Catalogue, asked: Sequence[str]) -> list[str]:
    if asked and speaks_any_language(read):
        return list(catalogue.languages if ALL_LANGUAGES in asked else asked)
    first = read.steps[0]
    code = first.code if isinstance(first, Language) and first.client else DEFAULT_LANGUAGE
    return [catalogue.name_of(code, DEFAULT_LANGUAGE)]


def _name(title: str, values: Mapping[str, str], language: str) -> str:
    case = " ".join(f"{name}={value}" for name, value in values.items())
    return title + (f" [{case}]" if case else "") + (f" ({language})" if language else "")


def _files(paths: Iterable[Path], mistakes: list[str]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(path.rglob("*.chat")) if path.is_dir() else [path] if path.is_file() else []
        if not found:
            mistakes.append(f"{path}: no script there")
        files.extend(found)
    return list(dict.fromkeys(files))


async def _side_by_side(takes: Sequence[Take], company: Company, jobs: int, out: Out) -> list[Result]:
    places = asyncio.Semaphore(max(jobs, 1))
    done: list[Result] = []

    async def one(take: Take) -> Result:
        async with places:
            result = await perform(take, company)
        done.append(result)
        out(console.progress(len(done), len(takes), result))
        return result

    async with asyncio.TaskGroup() as tasks:
        played = [tasks.create_task(one(take)) for take in takes]
    return [task.result() for task in played]
