"""A core over the embedded store, with a clock that is set and a provider that records its calls."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from storage import open_store
from tests.fakes import FakeClock, FakeProvider, make_deps, make_sealing
from tests.sqlite_file import sqlite_url
from verification.attempts import Method
from verification.core import Core
from verification.dialogue_store import DialogueStore


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DialogueStore]:
    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as opened:
        yield opened


@pytest.fixture
def core(store: DialogueStore, clock: FakeClock, provider: FakeProvider) -> Core:
    return Core(store, dict.fromkeys(Method, provider), make_deps(clock), ttl=timedelta(minutes=10))
