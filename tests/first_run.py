"""Shares the first run's work among its workers: each rewrites the assertions of a part of the modules.

Pytest compiles every test module anew where no compiled file is. Several workers collect the same modules in the same
order: each of them would compile all. Here a worker begins with modules of its own, and finds the others compiled.
"""

from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import this worker's part of the modules, when it is about to collect all of them."""
    config = session.config
    worker: dict[str, str] | None = getattr(config, "workerinput", None)
    if worker is None or config.args != config.getini("testpaths"):
        return
    number, count = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
    modules = sorted(path for folder in config.args for path in Path(folder).rglob("test_*.py"))
    for path in modules[number::count]:
        # What cannot be imported, pytest reports when it collects it.
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(path.with_suffix("").parts))
