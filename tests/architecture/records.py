"""Finds the records of packages."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from verification.record import Record


def records(*packages: ModuleType) -> Iterator[type[Record]]:
    """Each record that a module of these packages defines."""
    for package in packages:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for each in vars(module).values():
                if isinstance(each, type) and issubclass(each, Record) and each.__module__ == module.__name__:
                    yield each
