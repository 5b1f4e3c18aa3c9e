"""Runs tests in a forked process that imports one module with a fault in it; no file is changed."""

import gc
import importlib
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from enum import Enum
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import Phase, settings

from tests.mutants.mutations import Mutant

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
CPU_SECONDS, SECONDS = 120, 600
"""A mutant that is still running then has made something endless, or the machine is very busy."""


class Fate(Enum):
    """What became of a mutant; an unborn one cannot even be imported, and counts for nothing."""

    KILLED = "killed"
    ENDLESS = "ran too long"
    SURVIVED = "survived"
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


class _Only:
    """Keeps the tests that may see the mutant, group after group, and of each first one case of every function."""

    def __init__(self, groups: Sequence[Collection[str]]) -> None:
        self._groups = [frozenset(group) for group in groups]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        cases = Counter[str]()
        order = list[tuple[int, int, int]]()
        for at, item in enumerate(items):
            # A test by its id, or all of a file.
            names = (item.nodeid, item.nodeid.partition("::")[0])
            group = next((place for place, group in enumerate(self._groups) if not group.isdisjoint(names)), None)
            if group is not None:
                function = item.nodeid.partition("[")[0]
                order.append((group, cases[function], at))
                cases[function] += 1
        items[:] = [items[at] for _, _, at in sorted(order)]


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


def start(mutant: Mutant, groups: Sequence[Collection[str]]) -> int:
    """Begin a trial with these tests, group after group, in a process of its own; gives its id."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    sys.meta_path.insert(0, _Finder(mutant))
    try:
        importlib.import_module(module_name(mutant.path))
        files = sorted({test.partition("::")[0] for group in groups for test in group})
        code: int = pytest.main([*ARGUMENTS, "-x", *files], [_Only(groups)])
    except BaseException:
        code = 99
    os._exit(code)


def run(arguments: Sequence[str]) -> bool:
    """Run tests without any fault; says whether they passed."""
    process = os.fork()
    if not process:
        os._exit(int(pytest.main([*ARGUMENTS, *arguments])))
    return os.waitpid(process, 0)[1] == 0


def fate(status: int) -> Fate:
    """What the end of a trial's process says."""
    match os.waitstatus_to_exitcode(status):
        case 0 | 5:
            return Fate.SURVIVED
        case 99:
            return Fate.UNBORN
        case code if -code in (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL):
            return Fate.ENDLESS
        case _:
            return Fate.KILLED
