"""Key rotation during conversations: users notice nothing, nothing is lost, and the old key can be removed."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from tests.crash.conversation import CHAT, DONE, STEPS
from tests.crash.process import ManagedBot, running_bot_process
from tests.postgres_server import Server
from tests.simulator_fixture import ChatUser, go_to_method_choice, simulator


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/bot.sqlite3"
    server: Server = request.getfixturevalue("server")
    return await server.new_database()


def keys_of(bot: ManagedBot) -> list[str]:
    kept = json.loads((bot.data / "keys.json").read_text("utf-8"))["ENCRYPTION_KEYS"]
    return [key.partition(":")[0] for key in kept.split(",")]


async def everything_opens(bot: ManagedBot) -> None:
    status, said = await bot.run_command("doctor", "--offline")
    assert status == 0, said
    assert re.search(r"all \d+ can be opened", said), said
    assert "older key" not in said, said


async def test_keys_are_rotated_at_every_step_of_a_conversation_that_goes_on(tmp_path: Path, url: str) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as bot,
        Phone() as phone,
    ):
        guest = await telegram.new_user()
        used = set()
        for step in STEPS:
            await step.do(guest, phone)
            status, said = await bot.run_command("keys", "rotate")
            assert status == 0, said
            await guest.sees(step.reply_text)
            used.update(keys_of(bot))
        await bot.kill()
        await everything_opens(bot)
        await bot.start()
        await guest.says("/status")
        await guest.sees("进度：已完成")

        assert len(used) == len(STEPS)
        assert len(keys_of(bot)) == 1


@pytest.mark.slow("crash")
async def test_keys_are_rotated_while_many_users_are_active(tmp_path: Path, url: str) -> None:
    async def rotate_until(stop: asyncio.Event, bot: ManagedBot) -> int:
        rotations = 0
        while not stop.is_set():
            status, said = await bot.run_command("keys", "rotate")
            assert status == 0, said
            rotations += 1
        return rotations

    async with simulator() as telegram, running_bot_process(telegram, tmp_path, DATABASE_URL=url) as bot:
        stop = asyncio.Event()
        rotating = asyncio.ensure_future(rotate_until(stop, bot))
        guests: list[ChatUser] = [await telegram.new_user() for _ in range(8)]
        await asyncio.gather(*(go_to_method_choice(guest) for guest in guests))
        stop.set()
        rotations = await rotating
        await bot.kill_and_restart()
        await everything_opens(bot)
        for guest in guests:
            await guest.says("/status")
            await guest.sees("📍", "3/4")

        assert rotations >= 1
        assert "could not be handled" not in bot.output()


@pytest.mark.slow("crash")
async def test_a_rotation_that_is_killed_goes_on_at_the_next_call(tmp_path: Path, url: str) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, DATABASE_URL=url) as bot,
        Phone() as phone,
    ):
        guest = await telegram.new_user()
        for step in CHAT:
            await step.do(guest, phone)
            await guest.sees(step.reply_text)
        killed = await bot.start_command("keys", "rotate")
        assert killed.stdout is not None
        assert (await killed.stdout.readline()).startswith(b"new key: ")
        killed.kill()
        await killed.communicate()
        both = keys_of(bot)
        await bot.kill_and_restart()
        for step in STEPS[len(CHAT) :]:
            await step.do(guest, phone)
            await guest.sees(step.reply_text)
        status, said = await bot.run_command("keys", "rotate")

        assert (status, len(both)) == (0, 2), said
        assert "continuing with key" in said
        assert keys_of(bot) == both[:1]
        await guest.sees(DONE)
        await everything_opens(bot)
