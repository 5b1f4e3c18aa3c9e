"""What the scripts of a pytest run reached: `--chat-fail-under row=100` fails the run when there is less of a kind.

Under pytest-xdist too: every worker's bots write into one file. It looks at the whole run, so it is no option for a run
of some of the scripts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.coverage import VARIABLE, Coverage, read, table

_NOTES = pytest.StashKey[Path]()
_WORKER = "chat_notes"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("chat", "chat scripts")
    words = "fail when the scripts reach less of a kind, in percent: row=100"
    group.addoption("--chat-fail-under", action="append", default=[], metavar="KIND=PERCENT", type=_goal, help=words)


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
