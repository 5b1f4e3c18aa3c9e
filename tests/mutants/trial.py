"""Runs tests in a forked process that has one module with a fault in it; no file is changed.

A fault inside functions is put into the functions of a process that has imported and collected everything already: such
a trial takes no longer than its tests. What an import runs needs a process that imports the changed module instead.
"""

import ast
import gc
import importlib
import inspect
import json
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from time import process_time
from types import CodeType, FunctionType, ModuleType

import pytest
from hypothesis import Phase, settings

from tests.mutants.mutant import Mutant

_WARM = ("aiosqlite", "cryptography.hazmat.primitives.ciphers.aead", "pydantic", "pytest_asyncio.plugin")
_WARM_TOO = (
    "aiohttp",
    "hypothesis.stateful",
    "starlette.applications",
    "telegram.ext",
    "typer",
    "zxingcpp",
    "PIL.Image",
)
_NO_REWRITE = "-Wignore::pytest.PytestAssertRewriteWarning"
"""Plugins are imported before pytest could rewrite their assertions, which matters to nobody."""
_LEFT_OUT = ("--deselect=tests/bot/flow/test_rows.py", "-k=not postgres", "-m=not slow")
"""mypy, a server and slow tests: a trial must end soon, and the quick tests should notice."""
_PLUGINS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler", _NO_REWRITE)
ARGUMENTS = ("-q", "--hypothesis-profile=mutants", *_PLUGINS, *_LEFT_OUT)
_PHASES = (Phase.explicit, Phase.generate)
CPU_SECONDS, SECONDS = 15, 60
"""A test that is still running then has been made endless, or the machine is very busy."""
Groups = Sequence[Collection[str]]
"""The tests of a trial, or whole files of them, by what is run first."""


class Fate(Enum):
    """What became of a mutant; an unborn one cannot even be imported, and counts for nothing."""

    KILLED = "killed"
    ENDLESS = "ran too long"
    SURVIVED = "survived"
    UNSEEN = "survived: no test runs it"
    UNBORN = "unborn"


class _Loader(SourceFileLoader):
    """Gives one module another source than its file has."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(module_name(mutant.path), str(Path(mutant.path).resolve()))
        self._source = mutant.source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Sends the import of one module to that loader."""

    def __init__(self, mutant: Mutant) -> None:
        self._loader = _Loader(mutant)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        mine = name == self._loader.name
        return spec_from_file_location(name, self._loader.path, loader=self._loader) if mine else None


class _Limits:
    """Ends the process when a test takes too long."""

    def pytest_runtest_logstart(self) -> None:
        _limit_time()


class _Only(_Limits):
    """Keeps the tests of a trial."""

    def __init__(self, groups: Groups, costs: Mapping[str, float]) -> None:
        self._groups, self._costs = groups, costs

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = _chosen(items, self._groups, self._costs)


class _Costs:
    """Notes the CPU seconds of each test."""

    def __init__(self) -> None:
        self.seconds = dict[str, float]()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        begun = process_time()
        result = yield
        self.seconds[item.nodeid] = process_time() - begun
        return result


class _Collected(_Limits):
    """Instead of running the tests that were collected, forks a process for each trial of some of them."""

    def __init__(
        self, trials: Sequence[tuple[Mutant, Groups]], costs: Mapping[str, float], jobs: int, told: int
    ) -> None:
        self._trials, self._costs, self._jobs, self._told = trials, costs, jobs, told

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        functions = _live_functions()
        # What a trial that is ended leaves in its temporary folder goes with this one.
        with tempfile.TemporaryDirectory() as folder:
            tempfile.tempdir = folder
            begin = [partial(self._start, session, functions, *each) for each in self._trials]
            for at, status in side_by_side(begin, self._jobs):
                os.write(self._told, f"{at} {status}\n".encode())
        return True

    def _start(
        self, session: pytest.Session, functions: Mapping[CodeType, list[FunctionType]], mutant: Mutant, groups: Groups
    ) -> int:
        process = os.fork()
        if process:
            return process
        with _exit_code(99):
            _limit_time()
            os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp()
            changed = changed_functions(mutant)
            if changed is None:
                exec(mutant.source, vars(importlib.import_module(module_name(mutant.path))))  # noqa: S102 - our own
            for old, new in changed or ():
                for function in functions[old]:
                    function.__code__ = new
            items = _chosen(session.items, groups, self._costs)
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    break
            shutil.rmtree(os.environ["PYTEST_DEBUG_TEMPROOT"], ignore_errors=True)
            os._exit(int(session.testsfailed > 0))


def _chosen(items: Sequence[pytest.Item], groups: Groups, costs: Mapping[str, float]) -> list[pytest.Item]:
    """The tests that may see the mutant: first one case of every function, and the cheap ones first."""
    kept = [frozenset(group) for group in groups]
    cases = Counter[str]()
    order = list[tuple[int, int, float, int]]()
    for at, item in enumerate(items):
        # A test by its id, or all of a file.
        names = (item.nodeid, item.nodeid.partition("::")[0])
        group = next((place for place, group in enumerate(kept) if not group.isdisjoint(names)), None)
        if group is not None:
            function = item.nodeid.partition("[")[0]
            order.append((group, cases[function], costs.get(item.nodeid, 0), at))
            cases[function] += 1
    return [items[at] for *_, at in sorted(order)]


def _limit_time() -> None:
    signal.alarm(SECONDS)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)


def _live_functions() -> Mapping[CodeType, list[FunctionType]]:
    """Every function there is, by its code."""
    found = defaultdict[CodeType, list[FunctionType]](list)
    gc.unfreeze()
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType):
            found[thing.__code__].append(thing)
    gc.freeze()
    return found


def changed_functions(mutant: Mutant) -> list[tuple[CodeType, CodeType]] | None:
    """The code of each function that the fault changes, and its new code; None if it changes what the import runs."""
    path = Path(mutant.path)
    codes = (compile(source, path, "exec", dont_inherit=True) for source in (path.read_text("utf-8"), mutant.source))
    try:
        return list(_differences(*codes))
    except _RunByImport:
        return None


def changed_names(mutant: Mutant) -> set[str]:
    """The constants of a module that the fault gives another value; nothing is imported for that."""
    before, after = _constants(Path(mutant.path).read_text("utf-8")), _constants(mutant.source)
    changed = {name for name, value in before.items() if ast.dump(value) != ast.dump(after[name])}
    while more := {name for name, value in before.items() if not changed.isdisjoint(_names(value))} - changed:
        changed |= more
    return changed


def _constants(source: str) -> Mapping[str, ast.expr]:
    assigned = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    return {target.id: node.value for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def _names(value: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}


class _RunByImport(Exception):
    """The fault changes a module or the body of a class."""


def _differences(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    inner, other = ([part for part in code.co_consts if isinstance(part, CodeType)] for code in (old, new))
    differs = _without_inner(old) != _without_inner(new) or len(inner) != len(other)
    if (old.co_flags & inspect.CO_OPTIMIZED == 0 and differs) or len(old.co_freevars) != len(new.co_freevars):
        raise _RunByImport
    if old.co_flags & inspect.CO_OPTIMIZED and old != new:
        yield old, new
    for one, another in zip(inner, other, strict=False):
        yield from _differences(one, another)


def _without_inner(code: CodeType) -> CodeType:
    """The code without its place and without that of the functions and classes in it."""
    constants = tuple(None if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_consts=constants, co_firstlineno=1, co_linetable=b"")


def module_name(path: str) -> str:
    """The name a file is imported by."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def warm_up() -> None:
    """Import what the tests need and what is not ours, once for all trials."""
    for name in (*_WARM, *_WARM_TOO):
        importlib.import_module(name)
    # A counterexample is enough: nobody reads the smallest one, and a trial is the same again.
    settings.register_profile("mutants", phases=_PHASES, database=None, derandomize=True, deadline=None)
    gc.freeze()


def start(mutant: Mutant, groups: Groups, costs: Mapping[str, float]) -> int:
    """Begin a trial in a process of its own that imports the changed module; gives its id."""
    if module_name(mutant.path) in sys.modules:
        raise RuntimeError(f"{mutant.path} is imported already, so the fault would not be seen")
    process = os.fork()
    if process:
        return process
    with _exit_code(99):
        _be_silent()
        _limit_time()
        sys.meta_path.insert(0, _Finder(mutant))
        importlib.import_module(module_name(mutant.path))
        files = sorted({test.partition("::")[0] for group in groups for test in group})
        os._exit(pytest.main([*ARGUMENTS, "-x", *files], [_Only(groups, costs)]))


def try_collected(
    trials: Sequence[tuple[Mutant, Groups]], folders: Sequence[str], costs: Mapping[str, float], jobs: int
) -> Iterator[tuple[Mutant, Fate]]:
    """Try faults that are inside functions; the tests of the folders are imported and collected once for all."""
    told, tell = os.pipe()
    process = os.fork()
    if not process:
        with _exit_code(99):
            _be_silent()
            os._exit(pytest.main([*ARGUMENTS, *folders], [_Collected(trials, costs, jobs, tell)]))
    os.close(tell)
    ended = 0
    with os.fdopen(told, encoding="ascii") as lines:
        for line in lines:
            at, status = map(int, line.split())
            ended += 1
            yield trials[at][0], fate(status)
    os.waitpid(process, 0)
    if ended < len(trials):
        raise SystemExit(f"{len(trials) - ended} trials were not run")


def side_by_side(begin: Iterable[Callable[[], int]], jobs: int) -> Iterator[tuple[int, int]]:
    """Run processes, so many at a time: which one of them has ended, and its status."""
    running = dict[int, int]()
    for at, start_one in enumerate(begin):
        if len(running) >= jobs:
            yield _ended(running)
        running[start_one()] = at
    while running:
        yield _ended(running)


def _ended(running: dict[int, int]) -> tuple[int, int]:
    process, status = os.wait()
    return running.pop(process), status


def _be_silent() -> None:
    os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)


@contextmanager
def _exit_code(code: int) -> Iterator[None]:
    """End the process with this code if it has not ended by itself."""
    try:
        yield
    except BaseException:
        os._exit(code)


def run(arguments: Sequence[str], costs: Path) -> bool:
    """Run tests without any fault and note the CPU seconds of each; says whether they passed."""
    process = os.fork()
    if not process:
        noted = _Costs()
        code = pytest.main([*ARGUMENTS, *arguments], [noted])
        costs.write_text(json.dumps(noted.seconds), "utf-8")
        os._exit(int(code))
    return os.waitpid(process, 0)[1] == 0


def fate(status: int) -> Fate:
    """What the end of a trial's process says."""
    match os.waitstatus_to_exitcode(status):
        case 0 | 5:
            return Fate.SURVIVED
        case 99:
            return Fate.UNBORN
        case code if -code in (signal.SIGALRM, signal.SIGPROF, signal.SIGKILL):
            return Fate.ENDLESS
        case _:
            return Fate.KILLED
