"""The benchmark of scripts plays what the bot does today."""

import pytest

from bench import scripts
from command_line import bot_launcher


@pytest.mark.slow("stories")
async def test_ten_minutes_of_time_travel_end_with_an_expired_code() -> None:
    with bot_launcher() as launcher:
        assert await scripts.travel_time(launcher) < 5  # 0.4 s on a quiet machine


@pytest.mark.slow("stories")
def test_the_script_of_ten_steps_passes() -> None:
    with bot_launcher() as launcher:
        scripts.play(launcher, 1, 1)
