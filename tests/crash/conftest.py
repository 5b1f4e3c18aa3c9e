"""What the tests of deaths share: mortal bots, and databases of both kinds for them."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.testing.fork_client import ForkClient
from tests.crash.process import fork_client
from tests.crash.sweep import SweepEnvironment, own_file
from tests.postgres_server import Server

EVERY = 12
"""In a run of all tests a twelfth of the points is tried, another one the next day; `make crash` tries them all."""


@pytest.fixture(scope="session")
def mortals() -> ForkClient:
    """Mortal bots, forked for all tests of a process."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    return fork_client()


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request: pytest.FixtureRequest, tmp_path: Path, mortals: ForkClient) -> SweepEnvironment:
    """A place for conversations on each kind of database; CRASH_EVERY says which share of the points is tried today."""
    every, today = int(os.environ.get("CRASH_EVERY", EVERY)), datetime.now(UTC).toordinal()

    if request.param == "sqlite":
        return SweepEnvironment(tmp_path, mortals, own_file, every, today)
    server: Server = request.getfixturevalue("server")
    return SweepEnvironment(tmp_path, mortals, server.new_database, every, today)
