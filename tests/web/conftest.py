"""A house for every test, and a desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.desk_house import DeskHouse, desk_house
from tests.web.house import House


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DeskHouse]:
    async with desk_house(tmp_path) as made:
        yield made
