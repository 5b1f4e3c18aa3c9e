"""Collects `.chat` scripts as pytest tests, one for each case.

Ini options, both relative to the root folder: `chat_bot` (the bot's program, default run_bot.py) and `chat_texts` (the
folder of its texts, default bot/texts). `--chat-lang all` runs scripts that are written with keys in every language.
The hook `pytest_chat_launch(config)` in a conftest.py returns a `BotLauncher` that starts the bot in another way.

With pytest-asyncio installed, the fixture `chat` offers the steps of scripts to tests in Python.
"""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from pathlib import Path

import pytest

from chatscript.coverage import COVERAGE_VARIABLE, Coverage, format_table, read_coverage
from chatscript.language.bot_texts import BotTextsUnreadable, load_bot_texts
from chatscript.language.parser import ScriptErrors
from chatscript.python_api import Conversation, open_conversation
from chatscript.report.console import failure_report
from chatscript.results import Case
from chatscript.runner.bot_process import BotLauncher, CommandLauncher
from chatscript.runner.case_runner import RunConfig, run_case
from chatscript.suite import cases_of

_RUN_CONFIG = pytest.StashKey[RunConfig]()
_FAILED = pytest.StashKey[bool]()


class ScriptFailed(Exception):
    """A case failed; the message is the report."""


class IgnoredByTelegram(UserWarning):
    """The bot sent a field that Telegram ignores."""


class ChatHookSpecs:
    """The hooks that a conftest.py may implement."""

    @pytest.hookspec(firstresult=True)
    def pytest_chat_launch(self, config: pytest.Config) -> BotLauncher | None:
        """Return what starts the bot, or None for the program of `chat_bot`."""

    @pytest.hookspec
    def pytest_chat_environment(self, config: pytest.Config) -> Mapping[str, str] | None:
        """Return further environment variables for every bot."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks."""
    pluginmanager.add_hookspecs(ChatHookSpecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addini("chat_bot", "the bot that .chat scripts are played against", default="run_bot.py")
    parser.addini("chat_texts", "the folder of the bot's texts", default="bot/texts")
    group = parser.getgroup("chat", "chat scripts")
    group.addoption("--chat-lang", action="append", default=[], help="a language to play scripts in, or all")
    help_text = "fail when the scripts reach less of a kind, in percent: row=100"
    group.addoption(
        "--chat-fail-under", action="append", default=[], metavar="KIND=PERCENT", type=_parse_goal, help=help_text
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a script."""
    return ScriptFile.from_parent(parent, path=file_path) if file_path.suffix == ".chat" else None


class ScriptFile(pytest.File):
    """One script; its tests are its cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """Read and check the script; a mistake fails the collection."""
        try:
            run_config = _run_config(self.config)
            cases = cases_of(self.path, run_config.bot_texts, self.config.getoption("--chat-lang"))
        except (ScriptErrors, BotTextsUnreadable) as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield ScriptCase.from_parent(self, name=case.name, case=case, run_config=run_config)


class ScriptCase(pytest.Item):
    """One case of a script."""

    def __init__(self, *, case: Case, run_config: RunConfig, **known: object) -> None:
        super().__init__(**known)  # type: ignore[arg-type]  # pytest passes its own arguments through
        self._case = case
        self._run_config = run_config

    def runtest(self) -> None:
        """Run the case in an event loop of its own."""
        result = asyncio.run(run_case(self._case, self._run_config))
        for remark in result.remarks:
            self.warn(IgnoredByTelegram(remark))
        self.user_properties.extend((_REFUSED, refusal) for refusal in result.refused)
        if result.failure:
            raise ScriptFailed(failure_report(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Return the report of the failure instead of a traceback."""
        if isinstance(excinfo.value, ScriptFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and the title of the case."""
        return self.path, 0, self.name


def _run_config(config: pytest.Config) -> RunConfig:
    if _RUN_CONFIG not in config.stash:
        bot = config.rootpath / str(config.getini("chat_bot"))
        texts = config.rootpath / str(config.getini("chat_texts"))
        launch: BotLauncher | None = config.hook.pytest_chat_launch(config=config)
        extra = {
            name: value
            for variables in config.hook.pytest_chat_environment(config=config)
            for name, value in variables.items()
        }
        config.stash[_RUN_CONFIG] = RunConfig(
            launch or CommandLauncher.python(bot), load_bot_texts(texts), extra_environment=extra
        )
    return config.stash[_RUN_CONFIG]


if importlib.util.find_spec("pytest_asyncio"):
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def chat(request: pytest.FixtureRequest) -> AsyncIterator[Conversation]:
        """Return a conversation with a new bot; an event that no line mentions fails the test at its end."""
        async with open_conversation(_run_config(request.config), request.node.nodeid) as conversation:
            yield conversation
            if not request.node.stash.get(_FAILED, False):
                await conversation.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, so that its conversation is not checked at its end."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


_COVERAGE_FILE = pytest.StashKey[Path]()
_WORKER_INPUT = "chat_notes"


def pytest_configure(config: pytest.Config) -> None:
    """Create the coverage file for all bots; a worker of pytest-xdist gets its path."""
    if hasattr(config, "workerinput"):
        if path := config.workerinput.get(_WORKER_INPUT):
            config.stash[_COVERAGE_FILE] = Path(path)
    elif config.getoption("--chat-fail-under"):
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        config.add_cleanup(folder.cleanup)
        config.stash[_COVERAGE_FILE] = Path(folder.name) / "coverage"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Send the path of the coverage file to a worker of pytest-xdist."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist has no types
    if _COVERAGE_FILE in config.stash:
        node.workerinput[_WORKER_INPUT] = str(config.stash[_COVERAGE_FILE])  # type: ignore[attr-defined]


def pytest_chat_environment(config: pytest.Config) -> dict[str, str]:
    """Give the path of the coverage file to every bot."""
    return {COVERAGE_VARIABLE: str(config.stash[_COVERAGE_FILE])} if _COVERAGE_FILE in config.stash else {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a passed run whose coverage is too low."""
    if not hasattr(session.config, "workerinput") and list(_missed_goals(session.config)) and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Report the goals that were missed and the calls that were refused: a bot may have swallowed the error."""
    for line in _missed_goals(config):
        terminalreporter.write_line(line, red=True)
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    given = (fact for report in reports if report.when == "call" for fact in report.user_properties)
    for refusal, count in sorted(Counter(value for name, value in given if name == _REFUSED).items()):
        terminalreporter.write_line(f"refused {refusal} ({count} calls)", yellow=True)


_REFUSED = "refused call"


def _missed_goals(config: pytest.Config) -> Iterator[str]:
    coverage = read_coverage(config.stash[_COVERAGE_FILE]) if _COVERAGE_FILE in config.stash else Coverage()
    for kind, percent in config.getoption("--chat-fail-under"):
        names = coverage.kinds.get(kind, {})
        if not names or 100 * sum(names.values()) / len(names) < percent:
            yield f"the chat scripts reach less than {percent:g} % of kind {kind}:"
            yield from format_table(Coverage({kind: names} if names else {}))


def _parse_goal(option: str) -> tuple[str, float]:
    kind, _, percent = option.partition("=")
    return kind, float(percent)
