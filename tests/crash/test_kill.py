"""kill -9 at any moment of a whole conversation: nothing a person completed is lost, undone or asked again."""

import sqlite3
from contextlib import closing
from pathlib import Path

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


async def told_the_truth(guest: ChatUser, bot: ManagedBot) -> None:
    """After all deaths: the account is verified once, the chat is clean, one question waits at most."""
    await bot.town.wait_until(lambda: is_clean(guest), guest.transcript)
    await bot.wait_until_shown()
    assert verified_accounts(bot) == 1
    assert came(guest, DONE) in (1, 2)


async def test_inv08_killed_whenever_the_person_has_just_done_something(tmp_path: Path) -> None:
    async with simulator() as place, running_bot_process(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        for act in STEPS:
            await act.do(guest, phone)
            await bot.kill_and_restart()
            await guest.sees(act.reply_text)

        await told_the_truth(guest, bot)
        assert all(came(guest, act.reply_text) <= 2 for act in CHAT)


async def test_inv08_killed_when_an_answer_reached_the_chat_and_the_bot_has_not_heard_so(tmp_path: Path) -> None:
    async with simulator() as place, running_bot_process(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        for act in STEPS:
            held = place.hold_call(act.calls[-1], applied=True)
            await act.do(guest, phone)
            await held.caught.wait()
            await bot.kill_and_restart()
            await guest.sees(act.reply_text)
            # Or the next call that is held could be one that repeats this act's answer.
            await bot.wait_until_shown()

        await told_the_truth(guest, bot)
        assert all(came(guest, act.reply_text) <= 2 for act in CHAT)


async def test_inv08_killed_before_anything_of_an_answer_is_shown_the_person_is_at_the_next_step_all_the_same(
    tmp_path: Path,
) -> None:
    async with simulator() as place, running_bot_process(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        for act in CHAT:
            held = place.hold_call(act.calls[0], applied=False)
            await act.do(guest, phone)
            await held.caught.wait()
            await bot.kill_and_restart()
            await guest.says("/status")
            await guest.sees("📍", act.status)

        await place.wait_until(lambda: is_clean(guest), guest.transcript)


async def test_killed_while_nobody_did_anything_nothing_happens(tmp_path: Path) -> None:
    async with simulator() as place, running_bot_process(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        await CHAT[0].do(guest, phone)
        await guest.sees(CHAT[0].reply_text)
        await bot.wait_until_shown()
        before = len(guest.events("message", "edit", "delete"))
        await bot.kill_and_restart()
        await bot.kill_and_restart()
        await bot.wait_until_shown()

        assert len(guest.events("message", "edit", "delete")) == before


async def test_what_people_wrote_while_the_bot_was_down_is_answered_after_the_start_in_order(tmp_path: Path) -> None:
    async with simulator() as place, running_bot_process(place, tmp_path) as bot:
        await bot.kill()
        one, other = await place.new_user(), await place.new_user("李雷", "en")
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


async def test_a_result_that_came_while_the_bot_was_being_killed_is_told_after_the_start_once(tmp_path: Path) -> None:
    async with simulator() as place, running_bot_process(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        for act in STEPS[:-1]:
            await act.do(guest, phone)
            await guest.sees(act.reply_text)
        await bot.wait_until_shown()
        held = place.hold_call("editMessageMedia", applied=False)
        await STEPS[-1].do(guest, phone)
        await held.caught.wait()
        await bot.kill()
        silent = came(guest, DONE)
        await bot.start()
        await guest.sees(DONE)
        await bot.wait_until_shown()
        await bot.kill_and_restart()
        await told_the_truth(guest, bot)

        assert (silent, came(guest, DONE)) == (0, 1)
