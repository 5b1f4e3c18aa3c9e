"""A core over the embedded store, with a clock that is set and a provider that only notes."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from storage import open_store
from tests.fakes import Clock, FakeProvider, fixed_sealing, outside
from verification.attempts import Method
from verification.core import Core
from verification.dialogue_store import DialogueStore

# A busy machine is no failure of a property.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DialogueStore]:
    async with open_store(f"sqlite:///{tmp_path}/bot.sqlite3", sealing=fixed_sealing()) as opened:
        yield opened


@pytest.fixture
def core(store: DialogueStore, clock: Clock, provider: FakeProvider) -> Core:
    return Core(store, dict.fromkeys(Method, provider), outside(clock), ttl=timedelta(minutes=10))
