"""A database and its bot: another bot is refused, a new token of the same bot is not, and `move-bot` moves."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bot.cli.move_bot import move_bot
from bot.cli.report import CommandFailed
from bot.intake import StartupError
from bot.settings import BadSetting
from tests.bot.app_fixture import running_bot, settings_for
from tests.crash.process import RUN_BOT
from tests.fakes import TELEGRAM
from tests.simulator_fixture import TOKEN, Simulator, simulator

OTHER = "7000000002:a-token-of-another-bot-here"
RENEWED = "7000000001:another-token-of-the-same-bot"
"""Tokens for the simulator only."""


def agree(_: str) -> None:
    """Answer the question with yes."""


def refuse(question: str) -> None:
    raise AssertionError(question)


async def run_program(folder: Path, **settings: str) -> tuple[int | None, str]:
    """Start the program as people do, and wait for its end; gives the exit status and what it said."""
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "PORT": "0", **settings}
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(RUN_BOT), env=env, cwd=folder, stderr=asyncio.subprocess.PIPE
    )
    _, said = await program.communicate()
    return program.returncode, said.decode()


async def wait_for_greeting(telegram: Simulator, folder: Path, token: str) -> None:
    async with running_bot(telegram, folder, bot_token=token) as bot:
        guest = await telegram.new_user()
        await guest.says("/start")
        await guest.taps("个人认证")
        await bot.wait_until_quiet()


async def test_a_new_token_of_the_same_bot_needs_no_move(tmp_path: Path) -> None:
    async with simulator() as telegram:
        await wait_for_greeting(telegram, tmp_path, TOKEN)
    async with simulator(RENEWED) as telegram:
        await wait_for_greeting(telegram, tmp_path, RENEWED)


@pytest.mark.slow("programs")
async def test_after_a_move_the_other_bot_serves_people_whose_updates_have_the_same_ids(tmp_path: Path) -> None:
    said: list[str] = []
    async with simulator() as telegram:
        await wait_for_greeting(telegram, tmp_path, TOKEN)
    async with simulator(OTHER) as telegram:
        settings = settings_for(telegram, tmp_path, bot_token=OTHER)
        status, refusal = await run_program(tmp_path, BOT_TOKEN=OTHER, BOT_API_URL=telegram.url)
        assert await move_bot(settings, agree, said.append) == 0
        assert await move_bot(settings, refuse, said.append) == 0
        await wait_for_greeting(telegram, tmp_path, OTHER)

    assert (status, refusal.count("\n")) == (2, 1)
    assert "the bot 7000000001," in refusal
    assert "the bot 7000000002;" in refusal
    assert "received updates of the former bot: 2 deleted" in said
    assert said[-1] == "the database belongs to the bot 7000000002 already"


async def test_a_token_that_telegram_refuses_takes_no_database(tmp_path: Path) -> None:
    async with simulator() as telegram:
        settings = settings_for(telegram, tmp_path, bot_token=OTHER)
        with pytest.raises(StartupError, match=r"^BOT_TOKEN: Telegram refuses"):
            await wait_for_greeting(telegram, tmp_path, OTHER)
        with pytest.raises(BadSetting, match=r"^BOT_TOKEN: Telegram refuses"):
            await move_bot(settings, agree, print)
        await wait_for_greeting(telegram, tmp_path, TOKEN)


async def test_a_database_is_not_moved_without_a_token_without_telegram_or_while_a_program_uses_it(
    tmp_path: Path,
) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path) as bot:
        ownership = bot.app.deps.store.bot_ownership(TELEGRAM)
        async with simulator(OTHER) as other:
            settings = settings_for(other, tmp_path, bot_token=OTHER)
            with pytest.raises(CommandFailed, match="stop it first"):
                await move_bot(settings, agree, print)
        with pytest.raises(CommandFailed, match=r"^BOT_API_URL: no answer"):
            await move_bot(settings, agree, print)
        with pytest.raises(BadSetting, match=r"^BOT_TOKEN: missing"):
            await move_bot(settings_for(telegram, tmp_path, bot_token=None), agree, print)

        assert await ownership.bot() == 7000000001


async def test_a_database_is_not_moved_while_a_program_serves_its_webhook(tmp_path: Path) -> None:
    async with simulator() as telegram:
        serving = {"webhook_url": "http://127.0.0.1:1", "webhook_secret": "a-secret-of-a-webhook"}
        async with running_bot(telegram, tmp_path, **serving), simulator(OTHER) as other:
            with pytest.raises(CommandFailed, match="stop it first"):
                await move_bot(settings_for(other, tmp_path, bot_token=OTHER), agree, print)
