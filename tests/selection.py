"""Says which tests a run left out: slow ones without `make test-all`, browser tests without Chromium.

A slow test carries `@pytest.mark.slow(kind)`, with one of the kinds below. `make test` runs with `-m "not slow"`,
`make test-all` with `-m slow`: together they run every test once. Every kind keeps quick tests of the same sort in
`make test`.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest

QUICK, SLOW = "not slow", "slow"
KINDS = {
    "crash": "crash tests at every point",
    "stories": "simulated stories",
    "browser": "long walks in a browser",
    "foreign bots": "bots of other libraries",
    "fuzz": "long random tests",
    "products": "every state with every event",
    "installation": "real installations",
    "programs": "test runs, type checks and other programs that a test starts",
}
"""The kinds of slow tests, and what a person is told of each when it was left out."""

MEASURED = "programs"
"""The kind of slow tests that `make coverage` runs too, by their mark `measured`: no quick test reaches some lines."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The browser's program, if it is installed."""

_NO_BROWSER = "browser tests, because Chromium is not installed"
_COUNTS = pytest.StashKey[Counter[str]]()
_WORKER_COUNTS = "left_out"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run five workers on two processors: most of the time, a test waits for a server to answer or to end."""
    return 2 * (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[_COUNTS] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a slow test of an unknown kind, and leave out browser tests where there is no browser, but never in CI."""
    for item in items:
        for mark in item.iter_markers("slow"):
            if mark.args not in {(kind,) for kind in KINDS}:
                raise pytest.UsageError(f"{item.nodeid}: slow{mark.args}: expected one of {', '.join(KINDS)}")
            if mark.args == (MEASURED,):
                item.add_marker("measured")
    if CHROMIUM is None and os.environ.get("CI") != "true":
        missing = [item for item in items if item.get_closest_marker("browser")]
        items[:] = [item for item in items if item not in missing]
        _counts(config)[_NO_BROWSER] += len(missing)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count slow tests that are left out; quick ones in `make test-all` count as one sort."""
    for item in items:
        mark = item.get_closest_marker("slow")
        _counts(item.config)[KINDS[mark.args[0]] if mark else QUICK] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that reports: only workers collect."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_WORKER_COUNTS] = dict(_counts(session.config))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take a worker's counts: all workers collect the same tests."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist has no types
    counts = Counter[str](getattr(node, "workeroutput", {}).get(_WORKER_COUNTS, {}))
    _counts(config).update(counts - _counts(config))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and which command runs it."""
    for line in left_out_lines(_counts(config), str(config.option.markexpr)):
        terminalreporter.write_line(line, yellow=True)


def left_out_lines(counts: Mapping[str, int], mark_expression: str) -> Iterator[str]:
    """Put into words what a run left out, given the expression behind `-m`."""
    if counts.get(_NO_BROWSER):
        yield f"Skipped {counts[_NO_BROWSER]} {_NO_BROWSER}."
    if mark_expression == QUICK:
        slow = ", ".join(f"{words} ({counts[words]})" for words in KINDS.values() if counts.get(words))
        if slow:
            yield f"Left out, because slow: {slow}. A few of each kind ran. The rest runs with: make test-all"
    elif mark_expression == SLOW and counts.get(QUICK):
        yield f"These were only the slow tests, in addition to make test, which runs the other {counts[QUICK]:,}."


def _counts(config: pytest.Config) -> Counter[str]:
    return config.stash[_COUNTS]
