"""Collects `.chat` scripts as pytest tests, one per case.

Ini options: `chat_bot` (the bot's program, default run_bot.py) and `chat_texts` (its catalogue, default bot/texts),
both under the root folder. `--chat-lang all` plays scripts that are written with keys in every language. A conftest.py
may start the bot in its own way: `pytest_chat_launch(config)` returns a `Launch`.

Where pytest-asyncio is installed, the fixture `chat` gives the lines of scripts to tests in Python.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from pathlib import Path

import pytest

from playground.catalogue import CatalogueUnreadable, load
from playground.conversing import Conversation, conversing
from playground.launch import Command, Launch
from playground.performing import Company, Take, perform
from playground.player import takes_of
from playground.report import failure_report
from playground.script import Unreadable

pytest_plugins = ["playground.pytest_coverage"]

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
