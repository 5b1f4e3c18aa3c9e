"""What the tests of deaths share: mortal bots, and databases of both kinds for them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.forking import Forking
from tests.crash.mortals import nursery
from tests.crash.sweep import Ground
from tests.postgres import Server


@pytest.fixture(scope="session")
def mortals() -> Iterator[Forking]:
    """Mortal bots, forked for all tests of a process."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    with nursery() as forking:
        yield forking


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request: pytest.FixtureRequest, tmp_path: Path, mortals: Forking) -> Ground:
    """A place for conversations on each kind of database."""

    async def own_file(_: int) -> str:
        return ""

    if request.param == "sqlite":
        return Ground(tmp_path, mortals, own_file)
    server: Server = request.getfixturevalue("server")
    return Ground(tmp_path, mortals, server.new_database)
