"""The implementations every promise of a store is tested on."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from storage import Store, open_store
from tests import postgres
from tests.fakes import fixed_sealing

Another = Callable[[], AbstractAsyncContextManager[Store]]


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    server: postgres.Server = request.getfixturevalue("server")
    return await server.new_database()


@pytest.fixture
def another(url: str) -> Another:
    """Open one more store on the same database, as another program would."""
    return lambda: open_store(url, sealing=fixed_sealing())


@pytest.fixture
async def store(another: Another) -> AsyncIterator[Store]:
    async with another() as opened:
        yield opened
