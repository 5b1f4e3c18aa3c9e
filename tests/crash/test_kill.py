"""kill -9 at any moment of a whole conversation: nothing a person completed is lost, undone or asked again."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from tests.crash.conversation import CHAT, DONE, STEPS, came, is_clean
from tests.crash.process import ManagedBot, running_bot_process
from tests.simulator_fixture import ChatUser, simulator


def verified_accounts(bot: ManagedBot) -> int:
    with closing(sqlite3.connect(bot.data / "bot.sqlite3")) as database:
        [(integrity,)] = database.execute("PRAGMA integrity_check").fetchall()
        [(accounts,)] = database.execute("SELECT count(*) FROM places").fetchall()
    assert integrity == "ok"
    return int(accounts)


async def check_final_state(guest: ChatUser, bot: ManagedBot) -> None:
    """After all crashes: the account is verified once, the chat is clean, at most one question is open."""
    await bot.simulator.wait_until(lambda: is_clean(guest), guest.transcript)
    await bot.wait_until_shown()
    assert verified_accounts(bot) == 1
    assert came(guest, DONE) in (1, 2)


@pytest.mark.slow("crash")
async def test_inv08_killed_after_each_action_of_the_user(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot, Phone() as phone:
        guest = await telegram.new_user()
        for step in STEPS:
            await step.do(guest, phone)
            await bot.kill_and_restart()
            await guest.sees(step.reply_text)

        await check_final_state(guest, bot)
        assert all(came(guest, step.reply_text) <= 2 for step in CHAT)


@pytest.mark.slow("crash")
async def test_inv08_killed_after_an_answer_reached_the_chat_and_before_the_bot_knows(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot, Phone() as phone:
        guest = await telegram.new_user()
        for step in STEPS:
            held = telegram.hold_call(step.calls[-1], applied=True)
            await step.do(guest, phone)
            await held.caught.wait()
            await bot.kill_and_restart()
            await guest.sees(step.reply_text)
            # Otherwise the next held call could be one that repeats this step's answer.
            await bot.wait_until_shown()

        await check_final_state(guest, bot)
        assert all(came(guest, step.reply_text) <= 2 for step in CHAT)


async def test_inv08_killed_before_anything_of_an_answer_is_shown_the_user_is_at_the_next_step(
    tmp_path: Path,
) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot, Phone() as phone:
        guest = await telegram.new_user()
        for step in CHAT:
            held = telegram.hold_call(step.calls[0], applied=False)
            await step.do(guest, phone)
            await held.caught.wait()
            await bot.kill_and_restart()
            await guest.says("/status")
            await guest.sees("📍", step.status)

        await telegram.wait_until(lambda: is_clean(guest), guest.transcript)


async def test_killed_while_idle_nothing_happens(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot, Phone() as phone:
        guest = await telegram.new_user()
        await CHAT[0].do(guest, phone)
        await guest.sees(CHAT[0].reply_text)
        await bot.wait_until_shown()
        before = len(guest.events("message", "edit", "delete"))
        await bot.kill_and_restart()
        await bot.kill_and_restart()
        await bot.wait_until_shown()

        assert len(guest.events("message", "edit", "delete")) == before


async def test_what_people_wrote_while_the_bot_was_down_is_answered_after_the_start_in_order(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot:
        await bot.kill()
        one, other = await telegram.new_user(), await telegram.new_user("李雷", "en")
        await one.says("/start")
        await one.says("个人认证")
        await other.says("/start")
        await bot.start()

        await one.sees("开始之前")
        await other.sees("Which type of verification")
        assert [sign in " ".join(one.everything_said()) for sign in (CHAT[0].reply_text, CHAT[1].reply_text)] == [
            True,
            True,
        ]


async def test_a_result_that_came_while_the_bot_was_killed_is_sent_once_after_the_start(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot, Phone() as phone:
        guest = await telegram.new_user()
        for step in STEPS[:-1]:
            await step.do(guest, phone)
            await guest.sees(step.reply_text)
        await bot.wait_until_shown()
        held = telegram.hold_call("sendMessage", applied=False)
        await STEPS[-1].do(guest, phone)
        await held.caught.wait()
        await bot.kill()
        silent = came(guest, DONE)
        await bot.start()
        await guest.sees(DONE)
        await bot.wait_until_shown()
        await bot.kill_and_restart()
        await check_final_state(guest, bot)

        assert (silent, came(guest, DONE)) == (0, 1)
