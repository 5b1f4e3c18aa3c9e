"""kill -9 at any moment of a whole conversation: nothing a person completed is lost, undone or asked again."""

import sqlite3
from contextlib import closing
from pathlib import Path

from playground.phone import Phone
from tests.crash.conversation import ACTS, CHAT, DONE, came, is_clean
from tests.crash.process import Bot, at_work
from tests.town import Guest, town


def verified_accounts(bot: Bot) -> int:
    with closing(sqlite3.connect(bot.data / "bot.sqlite3")) as database:
        [(integrity,)] = database.execute("PRAGMA integrity_check").fetchall()
        [(accounts,)] = database.execute("SELECT count(*) FROM places").fetchall()
    assert integrity == "ok"
    return int(accounts)


async def told_the_truth(guest: Guest, bot: Bot) -> None:
    """After all deaths: the account is verified once, the chat is clean, one question waits at most."""
    await bot.town.until(lambda: is_clean(guest), guest.transcript)
    await bot.shown()
    assert verified_accounts(bot) == 1
    assert came(guest, DONE) in (1, 2)


async def test_inv08_killed_whenever_the_person_has_just_done_something(tmp_path: Path) -> None:
    async with town() as place, at_work(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        for act in ACTS:
            await act.do(guest, phone)
            await bot.crash()
            await guest.sees(act.sign)

        await told_the_truth(guest, bot)
        assert all(came(guest, act.sign) <= 2 for act in CHAT)


async def test_inv08_killed_when_an_answer_reached_the_chat_and_the_bot_has_not_heard_so(tmp_path: Path) -> None:
    async with town() as place, at_work(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        for act in ACTS:
            held = place.hold(act.calls[-1], done=True)
            await act.do(guest, phone)
            await held.caught.wait()
            await bot.crash()
            await guest.sees(act.sign)
            # Or the next call that is held could be one that repeats this act's answer.
            await bot.shown()

        await told_the_truth(guest, bot)
        assert all(came(guest, act.sign) <= 2 for act in CHAT)


async def test_inv08_killed_before_anything_of_an_answer_is_shown_the_person_is_at_the_next_step_all_the_same(
    tmp_path: Path,
) -> None:
    async with town() as place, at_work(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        for act in CHAT:
            held = place.hold(act.calls[0], done=False)
            await act.do(guest, phone)
            await held.caught.wait()
            await bot.crash()
            await guest.says("/status")
            await guest.sees("📍", act.status)

        await place.until(lambda: is_clean(guest), guest.transcript)


async def test_killed_while_nobody_did_anything_nothing_happens(tmp_path: Path) -> None:
    async with town() as place, at_work(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        await CHAT[0].do(guest, phone)
        await guest.sees(CHAT[0].sign)
        await bot.shown()
        before = len(guest.events("message", "edit", "delete"))
        await bot.crash()
        await bot.crash()
        await bot.shown()

        assert len(guest.events("message", "edit", "delete")) == before


async def test_what_people_wrote_while_the_bot_was_down_is_answered_after_the_start_in_order(tmp_path: Path) -> None:
    async with town() as place, at_work(place, tmp_path) as bot:
        await bot.kill()
        one, other = await place.guest(), await place.guest("李雷", "en")
        await one.says("/start")
        await one.says("个人认证")
        await other.says("/start")
        await bot.start()

        await one.sees("开始之前")
        await other.sees("Which type of verification")
        assert [sign in " ".join(one.everything_said()) for sign in (CHAT[0].sign, CHAT[1].sign)] == [True, True]


async def test_a_result_that_came_while_the_bot_was_being_killed_is_told_after_the_start_once(tmp_path: Path) -> None:
    async with town() as place, at_work(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        for act in ACTS[:-1]:
            await act.do(guest, phone)
            await guest.sees(act.sign)
        await bot.shown()
        held = place.hold("editMessageMedia", done=False)
        await ACTS[-1].do(guest, phone)
        await held.caught.wait()
        await bot.kill()
        silent = came(guest, DONE)
        await bot.start()
        await guest.sees(DONE)
        await bot.shown()
        await bot.crash()
        await told_the_truth(guest, bot)

        assert (silent, came(guest, DONE)) == (0, 1)
