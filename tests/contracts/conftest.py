"""Fixtures of the contract tests: every store contract runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from storage import SqlStore, open_store
from tests import postgres_server
from tests.fakes import make_sealing
from tests.sqlite_file import sqlite_url

Another = Callable[[], AbstractAsyncContextManager[SqlStore]]


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with the present schema and no rows."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server: postgres_server.Server = request.getfixturevalue("server")
    return await server.empty_database()


@pytest.fixture
def another(url: str) -> Another:
    """Opens another store on the same database, as another program would."""
    return lambda: open_store(url, sealing=make_sealing())


@pytest.fixture
async def store(another: Another) -> AsyncIterator[SqlStore]:
    async with another() as opened:
        yield opened
