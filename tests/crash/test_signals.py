"""How the program ends: after a signal, and by itself."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.crash.conversation import CHAT, came
from tests.crash.process import PLAIN_LAUNCHER, ManagedBot, running_bot_process
from tests.simulator_fixture import TOKEN, Simulator, simulator

IN_TIME = 10


async def ends(bot: ManagedBot) -> int:
    """Its exit code, when it ends in time."""
    async with asyncio.timeout(IN_TIME):
        return await bot.ended()


async def asked(bot: ManagedBot, path: str) -> tuple[int, str]:
    async with bot.simulator.http.get(f"{bot.address()}{path}") as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_quietly(tmp_path: Path, number: signal.Signals) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path, PLAIN_LAUNCHER) as bot:
        bot.signal(number)

        assert await ends(bot) == 0
        assert len([line for line in bot.output().splitlines() if "[info" not in line]) == 1


async def test_it_prints_its_address_and_reports_that_it_is_ready(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot:
        alive, ready = await asked(bot, "/healthz"), await asked(bot, "/readyz")
        guest = await telegram.new_user()
        await CHAT[0].do(guest, None)  # type: ignore[arg-type]  # no phone is needed to begin
        await guest.sees(CHAT[0].reply_text)
        await bot.wait_until_shown()
        _, metrics = await asked(bot, "/metrics")

        assert (alive[0], ready[0]) == (200, 200)
        assert 'bot_updates_total{outcome="handled"} 1.0' in metrics
        assert str(guest.id) not in metrics


async def test_inv30_two_signals_in_the_middle_of_an_answer_end_it_in_time_and_lose_nothing(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot:
        guest = await telegram.new_user()
        held = telegram.hold_call("sendMessage", applied=False)
        await guest.says("/start")
        await held.caught.wait()
        bot.signal(signal.SIGTERM)
        bot.signal(signal.SIGTERM)
        code = await ends(bot)
        before = came(guest, CHAT[0].reply_text)
        await bot.start()
        await guest.sees(CHAT[0].reply_text)

        assert (code, before) == (0, 0)


async def test_a_signal_ends_it_in_time_while_telegram_asks_for_a_long_pause(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot:
        await telegram.inject_fault("getUpdates", "429", retry_after=3600)
        await (await telegram.new_user()).says("/start")
        await telegram.wait_until(lambda: not telegram.playground.world.updates.has_waiting_poll)
        bot.signal(signal.SIGTERM)

        assert await ends(bot) == 0


@pytest.mark.parametrize("method", ["getMyCommands", "setMyDescription", "setChatMenuButton"])
async def test_inv30_a_signal_ends_it_in_time_while_telegram_does_not_answer(tmp_path: Path, method: str) -> None:
    async with simulator() as telegram:
        held = telegram.hold_call(method, applied=False)
        async with running_bot_process(telegram, tmp_path) as bot:
            await held.caught.wait()
            bot.signal(signal.SIGTERM)

            assert await ends(bot) == 0


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"method": "getMe", "kind": "401"}, "BOT_TOKEN"),
        ({"method": "getMe", "kind": "502", "times": 9}, "BOT_API_URL"),
        ({"method": "getMe", "kind": "garbage", "times": 9}, "BOT_API_URL"),
        ({"method": "deleteWebhook", "kind": "502", "times": 9}, "BOT_API_URL"),
        ({"method": "getUpdates", "kind": "401", "times": 9}, "BOT_TOKEN"),
    ],
)
async def test_a_fatal_error_is_one_line_without_the_token(tmp_path: Path, fault: Mapping[str, Any], name: str) -> None:
    async with simulator() as telegram:
        await telegram.sim("/faults", **fault)
        code, words = await ended_by_itself(telegram, tmp_path)

    lines = [line for line in words.splitlines() if "is running" not in line and "[info" not in line]
    assert (code, len(lines)) == (1, 1), words
    assert name in lines[0]
    assert TOKEN.partition(":")[2] not in words


async def ended_by_itself(telegram: Simulator, folder: Path) -> tuple[int, str]:
    bot = ManagedBot(telegram, folder)
    await bot.launch()
    try:
        return await ends(bot), bot.output()
    finally:
        await bot.kill()
