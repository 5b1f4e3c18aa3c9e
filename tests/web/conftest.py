"""A house for every test."""

import pytest

from tests.web.house import House


@pytest.fixture
def house() -> House:
    return House()
