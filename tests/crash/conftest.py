"""What the crash tests share: bots that can be killed at any point, and databases of both kinds for them."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from bot.testing.fork_client import ForkClient
from tests.crash.process import fork_client
from tests.crash.sweep import Share, SweepEnvironment, UndisturbedRuns, own_file
from tests.postgres_server import Server

SAMPLE = 48
"""`make test` tries one point in so many, other ones each day; `make test-all` tries every point."""
PARTS = 4
"""All points of a test are tried in so many parts, so that several processes can share the work."""


def shares() -> list[ParameterSet]:
    """Which points are tried, for each kind of database."""
    today = Share(SAMPLE, datetime.now(UTC).toordinal())
    parts = [Share(PARTS, part) for part in range(PARTS)]
    return [
        made
        for kind in ("sqlite", "postgres")
        for made in (
            pytest.param((kind, today), id=f"{kind}-sample"),
            *(
                pytest.param(
                    (kind, part), id=f"{kind}-part {part.turn + 1} of {PARTS}", marks=pytest.mark.slow("crash")
                )
                for part in parts
            ),
        )
    ]


@pytest.fixture(scope="session")
def bot_forks() -> ForkClient:
    """A fork server for bots with crash points, for all tests of a process."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    return fork_client()


@pytest.fixture(scope="session")
def undisturbed_runs() -> UndisturbedRuns:
    """Conversations without a crash, one for each story and kind of database."""
    return {}


@pytest.fixture(params=shares())
def environment(
    request: pytest.FixtureRequest, tmp_path: Path, bot_forks: ForkClient, undisturbed_runs: UndisturbedRuns
) -> SweepEnvironment:
    """Where sweeps run: each kind of database, with a sample of the points or a part of all of them."""
    kind, share = request.param
    if kind == "sqlite":
        return SweepEnvironment(tmp_path, bot_forks, own_file, share, kind, undisturbed_runs)
    server: Server = request.getfixturevalue("server")
    return SweepEnvironment(tmp_path, bot_forks, server.new_database, share, kind, undisturbed_runs)
