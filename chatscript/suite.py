"""Runs many scripts: reads and checks all of them first, then runs their cases in parallel."""

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
from chatscript.report.calls import write_calls
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
    """The options of a run. `accept` writes what the bot does now into failing scripts.

    `annotate` marks the lines that failed for a reader of GitHub.
    """

    jobs: int = 8
    keyword: str | None = None
    languages: Sequence[str] = ()
    junit: Path | None = None
    accept: bool = False
    coverage: bool = False
    fail_under: float = 0
    show: Path | None = None
    calls: Path | None = None
    timing: Timing = field(default_factory=Timing)
    annotate: bool = False


async def run_suite(
    paths: Iterable[Path], options: SuiteOptions, *, launcher: BotLauncher, texts: Path | None, out: Output = print
) -> int:
    """Run scripts or folders of them. Return 0 when all passed, 1 when some failed, 2 when nothing could run."""
    if options.show and (problem := export_problem(options.show)):
        out(f"--show: {problem}")
        return NOTHING_RUN
    try:
        bot_texts = load_bot_texts(texts) if texts else BotTexts()
        cases = collect_cases(paths, bot_texts, options.languages)
    except (BotTextsUnreadable, SuiteErrors) as error:
        out(str(error))
        return NOTHING_RUN
    keyword = options.keyword
    chosen = [case for case in cases if keyword is None or keyword.casefold() in case.name.casefold()]
    if not chosen:
        out(f"no case has {keyword!r} in its title" if cases else "no script to play")
        return NOTHING_RUN
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        notes = Path(folder) / "coverage"
        extra = {coverage.COVERAGE_VARIABLE: str(notes)} if options.coverage else {}
        wanted = {"with_capture": options.show is not None, "with_calls": options.calls is not None}
        config = RunConfig(launcher, bot_texts, options.timing, extra, **wanted)
        status = await _run_cases(chosen, config, options, out)
        return max(status, _report_coverage(notes, options, out)) if options.coverage else status


def _report_coverage(notes: Path, options: SuiteOptions, out: Output) -> int:
    reached = coverage.read_coverage(notes)
    out("\n" + "\n".join([*coverage.format_table(reached), "", *coverage.format_diagram(reached)]))
    if reached.percent >= options.fail_under:
        return ALL_PASSED
    out(f"coverage is under {options.fail_under:g} %")
    return SOME_FAILED


async def _run_cases(chosen: Sequence[Case], config: RunConfig, options: SuiteOptions, out: Output) -> int:
    started = time.monotonic()
    results = await _run_concurrently(chosen, config, options.jobs, out)
    if options.accept:
        results = await accept(results, config, out)
    for result in results:
        if result.failure:
            out("\n" + console.failure_report(result))
            if options.annotate:
                out(console.annotation(result.failure))
    if remarks := [*console.remarks(results), *console.refusals(results)]:
        out("\n" + "\n".join(remarks))
    seconds = time.monotonic() - started
    out("\n" + console.summary(results, seconds))
    reports_status = await _write_reports(results, seconds, options, out)
    return SOME_FAILED if any(result.failure for result in results) else reports_status


async def _write_reports(results: Sequence[CaseResult], seconds: float, options: SuiteOptions, out: Output) -> int:
    option = "--junit"
    try:
        if options.junit is not None:
            junit.write_junit(options.junit, results, seconds)
        option = "--calls"
        if options.calls is not None:
            write_calls(options.calls, results)
        option = "--show"
        if options.show is not None:
            await export(options.show, results)
    except (OSError, BrowserMissing) as error:
        out(f"{option}: {error}")
        return SOME_FAILED
    return ALL_PASSED


class SuiteErrors(Exception):
    """The problems that prevent a run; the message has all of them."""


def collect_cases(paths: Iterable[Path], bot_texts: BotTexts, languages: Sequence[str] = ()) -> list[Case]:
    """Read and check every script of the paths, and return their cases. Raises `SuiteErrors`."""
    cases: list[Case] = []
    problems: list[str] = []
    for path in _script_files(paths, problems):
        try:
            cases.extend(cases_of(path, bot_texts, languages))
        except ScriptErrors as error:
            problems.append(str(error))
    if problems:
        raise SuiteErrors("\n".join(problems))
    return cases


def cases_of(path: Path, bot_texts: BotTexts, languages: Sequence[str] = ()) -> list[Case]:
    """Return the cases of one script in each language that it can run in. Raises `ScriptErrors`."""
    chosen_languages: list[str] = []

    def check(script: Script) -> list[SyntaxProblem]:
        chosen_languages.extend(_languages(script, bot_texts, languages))
        return [
            problem
            for language in chosen_languages
            for problem in find_key_problems(script, bot_texts, language, DEFAULT_LANGUAGE)
        ]

    script = parser.parse_file(path, check)
    several = len(chosen_languages) > 1
    return [
        Case(script, values, language, _case_name(script.title, values, language if several else ""))
        for language in chosen_languages
        for values in script.cases
    ]


def _languages(script: Script, bot_texts: BotTexts, requested: Sequence[str]) -> list[str]:
    if requested and is_language_independent(script):
        return list(bot_texts.languages if ALL_LANGUAGES in requested else requested)
    first = script.steps[0]
    code = first.code if isinstance(first, SwitchLanguage) and first.client else DEFAULT_LANGUAGE
    return [bot_texts.language_for(code, DEFAULT_LANGUAGE)]


def _case_name(title: str, values: Mapping[str, str], language: str) -> str:
    case = " ".join(f"{name}={value}" for name, value in values.items())
    return title + (f" [{case}]" if case else "") + (f" ({language})" if language else "")


def _script_files(paths: Iterable[Path], problems: list[str]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(path.rglob("*.chat")) if path.is_dir() else [path] if path.is_file() else []
        if not found:
            problems.append(f"{path}: no script there")
        files.extend(found)
    return list(dict.fromkeys(files))


async def _run_concurrently(cases: Sequence[Case], config: RunConfig, jobs: int, out: Output) -> list[CaseResult]:
    slots = asyncio.Semaphore(max(jobs, 1))
    done: list[CaseResult] = []

    async def run(case: Case) -> CaseResult:
        async with slots:
            result = await run_case(case, config)
        done.append(result)
        out(console.progress(len(done), len(cases), result))
        return result

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(run(case)) for case in cases]
    return [task.result() for task in running]
