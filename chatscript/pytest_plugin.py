"""Collects `.chat` scripts as pytest tests, one per case.

Ini options: `chat_bot` (the bot's program, default run_bot.py) and `chat_texts` (its catalogue, default bot/texts),
both under the root folder. `--chat-lang all` plays scripts that are written with keys in every language. A conftest.py
may start the bot in its own way: `pytest_chat_launch(config)` returns a `Launch`.

Where pytest-asyncio is installed, the fixture `chat` gives the lines of scripts to tests in Python.
"""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
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
    """A case that did not come true; its text is the whole report."""


class IgnoredByTelegram(UserWarning):
    """Something in the bot's calls that Telegram ignores."""


class ChatHookSpecs:
    """What a conftest.py may say."""

    @pytest.hookspec(firstresult=True)
    def pytest_chat_launch(self, config: pytest.Config) -> BotLauncher | None:
        """Return how the bot is started, or None for the program of `chat_bot`."""

    @pytest.hookspec
    def pytest_chat_environment(self, config: pytest.Config) -> Mapping[str, str] | None:
        """Return what more every bot is told by its environment."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks."""
    pluginmanager.add_hookspecs(ChatHookSpecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addini("chat_bot", "the bot that .chat scripts are played against", default="run_bot.py")
    parser.addini("chat_texts", "the folder of the bot's catalogue", default="bot/texts")
    group = parser.getgroup("chat", "chat scripts")
    group.addoption("--chat-lang", action="append", default=[], help="a language to play scripts in, or all")
    words = "fail when the scripts reach less of a kind, in percent: row=100"
    group.addoption(
        "--chat-fail-under", action="append", default=[], metavar="KIND=PERCENT", type=_parse_goal, help=words
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a script."""
    return ScriptFile.from_parent(parent, path=file_path) if file_path.suffix == ".chat" else None


class ScriptFile(pytest.File):
    """One script; its tests are its cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """Read and check the script; a mistake fails the collection with its place."""
        try:
            company = _run_config(self.config)
            takes = cases_of(self.path, company.bot_texts, self.config.getoption("--chat-lang"))
        except (ScriptErrors, BotTextsUnreadable) as error:
            raise self.CollectError(str(error)) from None
        for take in takes:
            yield ScriptCase.from_parent(self, name=take.name, case=take, run_config=company)


class ScriptCase(pytest.Item):
    """One case of a script."""

    def __init__(self, *, case: Case, run_config: RunConfig, **known: object) -> None:
        super().__init__(**known)  # type: ignore[arg-type]  # pytest passes its own arguments through
        self._case = case
        self._run_config = run_config

    def runtest(self) -> None:
        """Play it in an event loop of its own."""
        result = asyncio.run(run_case(self._case, self._run_config))
        for remark in result.remarks:
            self.warn(IgnoredByTelegram(remark))
        if result.failure:
            raise ScriptFailed(failure_report(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Show the player's report instead of a stack."""
        if isinstance(excinfo.value, ScriptFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the file and the title."""
        return self.path, 0, self.name


def _run_config(config: pytest.Config) -> RunConfig:
    if _RUN_CONFIG not in config.stash:
        bot = config.rootpath / str(config.getini("chat_bot"))
        texts = config.rootpath / str(config.getini("chat_texts"))
        launch: BotLauncher | None = config.hook.pytest_chat_launch(config=config)
        extra = {
            name: value for told in config.hook.pytest_chat_environment(config=config) for name, value in told.items()
        }
        config.stash[_RUN_CONFIG] = RunConfig(
            launch or CommandLauncher.python(bot), load_bot_texts(texts), extra_environment=extra
        )
    return config.stash[_RUN_CONFIG]


if importlib.util.find_spec("pytest_asyncio"):
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def chat(request: pytest.FixtureRequest) -> AsyncIterator[Conversation]:
        """A person at a chat with a fresh bot; what no line mentions fails the test at its end."""
        async with open_conversation(_run_config(request.config), request.node.nodeid) as conversation:
            yield conversation
            if not request.node.stash.get(_FAILED, False):
                await conversation.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed: what comes afterwards is no news."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


_COVERAGE_FILE = pytest.StashKey[Path]()
_WORKER = "chat_notes"


def pytest_configure(config: pytest.Config) -> None:
    """Make the file that all bots write into; a worker is told of it."""
    if hasattr(config, "workerinput"):
        if told := config.workerinput.get(_WORKER):
            config.stash[_COVERAGE_FILE] = Path(told)
    elif config.getoption("--chat-fail-under"):
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        config.add_cleanup(folder.cleanup)
        config.stash[_COVERAGE_FILE] = Path(folder.name) / "coverage"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist where the file is."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist has no types
    if _COVERAGE_FILE in config.stash:
        node.workerinput[_WORKER] = str(config.stash[_COVERAGE_FILE])  # type: ignore[attr-defined]


def pytest_chat_environment(config: pytest.Config) -> dict[str, str]:
    """Tell the bots where to write down what they reach."""
    return {COVERAGE_VARIABLE: str(config.stash[_COVERAGE_FILE])} if _COVERAGE_FILE in config.stash else {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that passed and reached too little."""
    if not hasattr(session.config, "workerinput") and list(_goals_missed(session.config)) and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what was not reached."""
    for line in _goals_missed(config):
        terminalreporter.write_line(line, red=True)


def _goals_missed(config: pytest.Config) -> Iterator[str]:
    found = read_coverage(config.stash[_COVERAGE_FILE]) if _COVERAGE_FILE in config.stash else Coverage()
    for kind, percent in config.getoption("--chat-fail-under"):
        names = found.kinds.get(kind, {})
        if not names or 100 * sum(names.values()) / len(names) < percent:
            yield f"the chat scripts reach less than {percent:g} % of kind {kind}:"
            yield from format_table(Coverage({kind: names} if names else {}))


def _parse_goal(words: str) -> tuple[str, float]:
    kind, _, percent = words.partition("=")
    return kind, float(percent)
