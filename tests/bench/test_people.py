from datetime import date

import pytest

from bench.bots import FLOOR, OURS, Bot
from bench.people import id_number
from verification.numbers import check_number


def test_each_conversation_has_a_valid_number_of_its_own_that_belongs_to_nobody() -> None:
    numbers = [id_number(index) for index in range(0, 100_000, 97)]

    assert [check_number(number, date(2026, 1, 1)) for number in numbers] == numbers
    assert len(set(numbers)) == len(numbers)
    assert all(number[6:8] in ("18", "19") and number[6:10] < "1912" for number in numbers)


@pytest.mark.parametrize("bot", [OURS, FLOOR], ids=lambda bot: bot.key)
def test_a_scenario_ends_with_the_result_alone(bot: Bot) -> None:
    steps = bot.load_scenario().steps

    assert [step.is_result for step in steps] == [False] * (len(steps) - 1) + [True]
