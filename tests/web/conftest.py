"""Fixtures: the web application, and the desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.app_fixture import WebFixture
from tests.web.desk_fixture import DeskFixture, desk_fixture


@pytest.fixture
def web_app() -> WebFixture:
    return WebFixture()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DeskFixture]:
    async with desk_fixture(tmp_path) as opened:
        yield opened
