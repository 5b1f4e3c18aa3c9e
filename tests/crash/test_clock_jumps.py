"""The clock of a real process leaps forward and back: what has expired stays so, and nobody is stuck."""

from pathlib import Path

import pytest

from playground.phone.apps import PhoneApp
from playground.phone.browser import Phone
from tests.crash.conversation import CHAT, DONE, STEPS, came
from tests.crash.process import running_bot_process
from tests.reliability import Proof
from tests.simulator_fixture import press, scan, simulator

EXPIRED = "二维码过期了"
CODE_LIVES = 11 * 60
"""Seconds; one minute more than QR_TTL."""


@pytest.mark.slow("crash")
@pytest.mark.parametrize("killed", [False, True])
async def test_inv29_a_code_that_expired_stays_expired_when_the_clock_of_the_process_goes_back(
    tmp_path: Path, killed: bool, proof: Proof
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0", encoding="ascii")
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, CLOCK_OFFSET_FILE=str(clock)) as bot,
        Phone() as phone,
    ):
        guest = await telegram.new_user()
        for step in CHAT:
            await step.do(guest, phone)
            code = await guest.sees(step.reply_text)
        link = guest.scanned_link(code)
        clock.write_text(str(CODE_LIVES), encoding="ascii")
        await guest.sees(EXPIRED)
        clock.write_text("-3600", encoding="ascii")
        if killed:
            await bot.kill_and_restart()
        await phone.open(PhoneApp.WECHAT, link)

        assert phone.page is not None
        assert "过期" in phone.page.text
        assert came(guest, DONE) == 0
        await guest.taps("换个新码")
        await guest.sees(STEPS[5].reply_text)
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees(DONE)
        assert came(guest, DONE) == 1
    proof(cases=1, faults=2 + killed)
