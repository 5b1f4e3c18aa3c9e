"""A house for every test, and a desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.app_fixture import House
from tests.web.desk_fixture import DeskHouse, desk_house


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DeskHouse]:
    async with desk_house(tmp_path) as made:
        yield made
