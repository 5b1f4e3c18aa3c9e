"""The bot is killed at every point of a form that is sent; the person presses again, and the data count once."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.crash.crash_points import NOWHERE
from tests.crash.crashing_bots import CrashingBot
from tests.crash.process import fork_client
from tests.reliability import Proof
from tests.simulator_fixture import NAME, NUMBER, PATIENCE, ChatUser, said, simulator

PUBLIC_URL = "https://verify.example.org"
CHECK = "3/4"


async def open_form(guest: ChatUser) -> str:
    """Go to the name step; returns where the button of the form leads to on our own server."""
    await guest.says("/start")
    await guest.taps("个人认证")
    await guest.taps("同意并继续")
    question = await guest.sees("1/4")
    [url] = [button["url"] for row in question["buttons"] for button in row if "url" in button]
    return str(url).removeprefix(PUBLIC_URL)


async def send(client: httpx.AsyncClient, path: str) -> int:
    """Send the form as a person does: again, until the page answers."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return (await client.post(path, data={"name": NAME, "number": NUMBER})).status_code
            except httpx.TransportError:
                await asyncio.sleep(0.02)


@pytest.mark.slow("crash")
async def test_a_killed_bot_takes_a_form_once_and_goes_on_by_itself(tmp_path: Path, proof: Proof) -> None:
    async with simulator() as telegram:
        bot = CrashingBot(telegram, tmp_path, fork_client(), PUBLIC_URL=PUBLIC_URL)
        async with (
            bot.running(),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{bot.env['PORT']}") as client,
        ):
            points, tried = [NOWHERE], list[tuple[str, int]]()
            for number, point in enumerate(points):
                guest = await telegram.new_user("李雷")
                path = await open_form(guest)
                await bot.wait_until_quiet()
                crashes = len(bot.crashes)
                bot.target.take(point)
                status = await send(client, path)
                shown = await guest.sees(CHECK)
                await bot.wait_until_settled(crashes)
                tried.append((point, status))
                assert "韩*梅" in said(shown), point
                assert not [text for text in guest.everything_said() if NAME in text], point
                assert sum(CHECK in text for text in guest.everything_said()) <= 2, point
                if number == 0:
                    points += bot.target.passed()

    assert tried[0] == (NOWHERE, 200)
    # Where the answer of the page was lost with the process, the second press learns that the step is done.
    assert {status for _, status in tried} == {200, 410}
    assert [list(report.broken) for report in bot.crashes] == [[]] * (len(points) - 1)
    assert len(points) > 10
    proof(cases=len(points), faults=len(bot.crashes))
