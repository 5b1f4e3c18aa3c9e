import doctest
import importlib
import pkgutil

import pytest

import verification

MODULES = ["verification", *(module.name for module in pkgutil.walk_packages(verification.__path__, "verification."))]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))

    assert results.failed == 0


@pytest.mark.parametrize(
    "name", ["verification.identity", *(f"verification.numbers.{n}" for n in ("resident", "permit"))]
)
def test_every_document_has_an_example(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).attempted > 0
