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

from chatscript.coverage import VARIABLE, Coverage, read, table
from chatscript.language.bot_texts import CatalogueUnreadable, load
from chatscript.language.parser import Unreadable
from chatscript.python_api import Conversation, conversing
from chatscript.report.console import failure_report
from chatscript.results import Take
from chatscript.runner.bot_process import Command, Launch
from chatscript.runner.case_runner import Company, perform
from chatscript.suite import takes_of

_COMPANY = pytest.StashKey[Company]()
_FAILED = pytest.StashKey[bool]()


class ScriptFailed(Exception):
    """A case that did not come true; its text is the whole report."""


class Ignored(UserWarning):
    """Something in the bot's calls that Telegram ignores."""


class Hooks:
    """What a conftest.py may say."""

    @pytest.hookspec(firstresult=True)
    def pytest_chat_launch(self, config: pytest.Config) -> Launch | None:
        """Return how the bot is started, or None for the program of `chat_bot`."""

    @pytest.hookspec
    def pytest_chat_environment(self, config: pytest.Config) -> Mapping[str, str] | None:
        """Return what more every bot is told by its environment."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addini("chat_bot", "the bot that .chat scripts are played against", default="run_bot.py")
    parser.addini("chat_texts", "the folder of the bot's catalogue", default="bot/texts")
    group = parser.getgroup("chat", "chat scripts")
    group.addoption("--chat-lang", action="append", default=[], help="a language to play scripts in, or all")
    words = "fail when the scripts reach less of a kind, in percent: row=100"
    group.addoption("--chat-fail-under", action="append", default=[], metavar="KIND=PERCENT", type=_goal, help=words)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a script."""
    return ScriptFile.from_parent(parent, path=file_path) if file_path.suffix == ".chat" else None


class ScriptFile(pytest.File):
    """One script; its tests are its cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """Read and check the script; a mistake fails the collection with its place."""
        try:
            company = _company(self.config)
            takes = takes_of(self.path, company.catalogue, self.config.getoption("--chat-lang"))
        except (Unreadable, CatalogueUnreadable) as error:
            raise self.CollectError(str(error)) from None
        for take in takes:
            yield ScriptCase.from_parent(self, name=take.name, take=take, company=company)


class ScriptCase(pytest.Item):
    """One case of a script."""

    def __init__(self, *, take: Take, company: Company, **known: object) -> None:
        super().__init__(**known)  # type: ignore[arg-type]  # pytest passes its own arguments through
        self._take = take
        self._company = company

    def runtest(self) -> None:
        """Play it in an event loop of its own."""
        result = asyncio.run(perform(self._take, self._company))
        for remark in result.remarks:
            self.warn(Ignored(remark))
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


def _company(config: pytest.Config) -> Company:
    if _COMPANY not in config.stash:
        bot = config.rootpath / str(config.getini("chat_bot"))
        texts = config.rootpath / str(config.getini("chat_texts"))
        launch: Launch | None = config.hook.pytest_chat_launch(config=config)
        extra = {
            name: value for told in config.hook.pytest_chat_environment(config=config) for name, value in told.items()
        }
        config.stash[_COMPANY] = Company(launch or Command.python(bot), load(texts), extra=extra)
    return config.stash[_COMPANY]


if importlib.util.find_spec("pytest_asyncio"):
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def chat(request: pytest.FixtureRequest) -> AsyncIterator[Conversation]:
        """A person at a chat with a fresh bot; what no line mentions fails the test at its end."""
        async with conversing(_company(request.config), request.node.nodeid) as conversation:
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


_NOTES = pytest.StashKey[Path]()
_WORKER = "chat_notes"


def pytest_configure(config: pytest.Config) -> None:
    """Make the file that all bots write into; a worker is told of it."""
    if hasattr(config, "workerinput"):
        if told := config.workerinput.get(_WORKER):
            config.stash[_NOTES] = Path(told)
    elif config.getoption("--chat-fail-under"):
        folder = tempfile.TemporaryDirectory(prefix="chat-")
        config.add_cleanup(folder.cleanup)
        config.stash[_NOTES] = Path(folder.name) / "coverage"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist where the file is."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist has no types
    if _NOTES in config.stash:
        node.workerinput[_WORKER] = str(config.stash[_NOTES])  # type: ignore[attr-defined]


def pytest_chat_environment(config: pytest.Config) -> dict[str, str]:
    """Tell the bots where to write down what they reach."""
    return {VARIABLE: str(config.stash[_NOTES])} if _NOTES in config.stash else {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that passed and reached too little."""
    if not hasattr(session.config, "workerinput") and list(_missing(session.config)) and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what was not reached."""
    for line in _missing(config):
        terminalreporter.write_line(line, red=True)


def _missing(config: pytest.Config) -> Iterator[str]:
    found = read(config.stash[_NOTES]) if _NOTES in config.stash else Coverage()
    for kind, percent in config.getoption("--chat-fail-under"):
        names = found.kinds.get(kind, {})
        if not names or 100 * sum(names.values()) / len(names) < percent:
            yield f"the chat scripts reach less than {percent:g} % of kind {kind}:"
            yield from table(Coverage({kind: names} if names else {}))


def _goal(words: str) -> tuple[str, float]:
    kind, _, percent = words.partition("=")
    return kind, float(percent)
