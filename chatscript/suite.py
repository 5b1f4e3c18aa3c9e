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
from chatscript.language.bot_texts import DEFAULT_LANGUAGE, BotTexts, BotTextsUnreadable, load_bot_texts
from chatscript.language.lexer import SyntaxProblem
from chatscript.language.linter import find_key_problems, is_language_independent
from chatscript.language.parser import ScriptErrors
from chatscript.language.steps import Script, SwitchLanguage
from chatscript.report import console, junit
from chatscript.report.export import BrowserMissing, export, export_problem
from chatscript.results import Case, CaseResult
from chatscript.runner.bot_process import BotLauncher
from chatscript.runner.case_runner import RunConfig, run_case
from chatscript.runner.event_waiter import Timing

ALL_PASSED, SOME_FAILED, NOTHING_RUN = 0, 1, 2
ALL_LANGUAGES = "all"

Output = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class SuiteOptions:
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


async def run_suite(
    paths: Iterable[Path], options: SuiteOptions, *, launcher: BotLauncher, texts: Path | None, out: Output = print
) -> int:
    """Play scripts or folders of them; return 0 when all passed, 1 when some failed, 2 when nothing could run."""
    if options.show and (why := export_problem(options.show)):
        out(f"--show: {why}")
        return NOTHING_RUN
    try:
        catalogue = load_bot_texts(texts) if texts else BotTexts()
        takes = collect_cases(paths, catalogue, options.languages)
    except (BotTextsUnreadable, SuiteErrors) as error:
        out(str(error))
        return NOTHING_RUN
    keyword = options.keyword
    chosen = [take for take in takes if keyword is None or keyword.casefold() in take.name.casefold()]
    if not chosen:
        out(f"no case has {keyword!r} in its title" if takes else "no script to play")
        return NOTHING_RUN
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        noted = Path(folder) / "coverage"
        extra = {coverage.COVERAGE_VARIABLE: str(noted)} if options.coverage else {}
        company = RunConfig(launcher, catalogue, options.timing, extra, with_capture=options.show is not None)
        status = await _run_cases(chosen, company, options, out)
        return max(status, _report_coverage(noted, options, out)) if options.coverage else status


def _report_coverage(noted: Path, options: SuiteOptions, out: Output) -> int:
    found = coverage.read_coverage(noted)
    out("\n" + "\n".join([*coverage.format_table(found), "", *coverage.format_diagram(found)]))
    if found.percent >= options.fail_under:
        return ALL_PASSED
    out(f"coverage is under {options.fail_under:g} %")
    return SOME_FAILED


async def _run_cases(chosen: Sequence[Case], config: RunConfig, options: SuiteOptions, out: Output) -> int:
    began = time.monotonic()
    results = await _run_concurrently(chosen, config, options.jobs, out)
    if options.accept:
        results = await accept(results, config, out)
    for result in results:
        if result.failure:
            out("\n" + console.failure_report(result))
    if remarks := console.remarks(results):
        out("\n" + "\n".join(remarks))
    seconds = time.monotonic() - began
    out("\n" + console.summary(results, seconds))
    written = await _write_reports(results, seconds, options, out)
    return SOME_FAILED if any(result.failure for result in results) else written


async def _write_reports(results: Sequence[CaseResult], seconds: float, options: SuiteOptions, out: Output) -> int:
    option = "--junit"
    try:
        if options.junit is not None:
            junit.write_junit(options.junit, results, seconds)
        option = "--show"
        if options.show is not None:
            await export(options.show, results)
    except (OSError, BrowserMissing) as error:
        out(f"{option}: {error}")
        return SOME_FAILED
    return ALL_PASSED


class SuiteErrors(Exception):
    """Something that must be put right before anything is played; says all of it."""


def collect_cases(paths: Iterable[Path], bot_texts: BotTexts, languages: Sequence[str] = ()) -> list[Case]:
    """Read and check every script of the paths, and list what is to be played; raises `Unplayable`."""
    takes: list[Case] = []
    mistakes: list[str] = []
    for path in _script_files(paths, mistakes):
        try:
            takes.extend(cases_of(path, bot_texts, languages))
        except ScriptErrors as error:
            mistakes.append(str(error))
    if mistakes:
        raise SuiteErrors("\n".join(mistakes))
    return takes


def cases_of(path: Path, bot_texts: BotTexts, languages: Sequence[str] = ()) -> list[Case]:
    """List the cases of one script, in each language that it can be played in; raises `Unreadable`."""
    spoken: list[str] = []

    def check(read: Script) -> list[SyntaxProblem]:
        spoken.extend(_languages(read, bot_texts, languages))
        return [
            wrong for language in spoken for wrong in find_key_problems(read, bot_texts, language, DEFAULT_LANGUAGE)
        ]

    read = parser.parse_file(path, check)
    many = len(spoken) > 1
    return [
        Case(read, values, language, _case_name(read.title, values, language if many else ""))
        for language in spoken
        for values in read.cases
    ]


def _languages(read: Script, bot_texts: BotTexts, asked: Sequence[str]) -> list[str]:
    if asked and is_language_independent(read):
        return list(bot_texts.languages if ALL_LANGUAGES in asked else asked)
    first = read.steps[0]
    code = first.code if isinstance(first, SwitchLanguage) and first.client else DEFAULT_LANGUAGE
    return [bot_texts.language_for(code, DEFAULT_LANGUAGE)]


def _case_name(title: str, values: Mapping[str, str], language: str) -> str:
    case = " ".join(f"{name}={value}" for name, value in values.items())
    return title + (f" [{case}]" if case else "") + (f" ({language})" if language else "")


def _script_files(paths: Iterable[Path], mistakes: list[str]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(path.rglob("*.chat")) if path.is_dir() else [path] if path.is_file() else []
        if not found:
            mistakes.append(f"{path}: no script there")
        files.extend(found)
    return list(dict.fromkeys(files))


async def _run_concurrently(cases: Sequence[Case], config: RunConfig, jobs: int, out: Output) -> list[CaseResult]:
    places = asyncio.Semaphore(max(jobs, 1))
    done: list[CaseResult] = []

    async def one(take: Case) -> CaseResult:
        async with places:
            result = await run_case(take, config)
        done.append(result)
        out(console.progress(len(done), len(cases), result))
        return result

    async with asyncio.TaskGroup() as tasks:
        played = [tasks.create_task(one(take)) for take in cases]
    return [task.result() for task in played]
