"""What the core exports to front ends is what it lists."""

from types import ModuleType

import verification


def test_every_name_that_is_listed_is_there_and_every_name_that_is_there_is_listed() -> None:
    there = {
        name
        for name, value in vars(verification).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }

    assert set(verification.__all__) == there
