"""What a person sees when Telegram misbehaves between the bot and the chat."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.engine.messages import Envelope, TurnKind
from bot.flow.events import AttemptPassed
from bot.handlers.incoming import person_of
from playground.phone.browser import Phone
from playground.world.world import ApiCall
from tests.bot.app_fixture import running_bot
from tests.fakes import TELEGRAM
from tests.simulator_fixture import ChatUser, go_to_method_choice, press, scan, simulator
from verification.attempts import AttemptId, Method
from verification.ids import Account

WELCOME, WAITING, DONE = "你要认证哪一类", "等待扫码", "🎉 认证成功"
AGAIN = "再发一次，以这条为准"


def times(guest: ChatUser, sign: str, *kinds: str) -> int:
    """How often the bot put this into the chat: as a message, or also by an edit."""
    return sum(sign in str(event["message"]) for event in guest.events("message", *kinds) if event["from"] == "bot")


def sent_to(guest: ChatUser) -> list[ApiCall]:
    """The messages that the bot tried to send into the chat."""
    log = guest.simulator.playground.world.traffic.recent_calls
    return [call for call in log if call.chat == str(guest.chat) and call.method.startswith("send")]


def raw_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["502", "500", "lost", "drop", "garbage"])
async def test_inv26_a_question_that_may_be_lost_is_asked_again_at_most_twice_and_says_so(
    tmp_path: Path, kind: str
) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await place.inject_fault("sendMessage", kind)
        await guest.says("/start")
        await guest.sees(WELCOME)
        await bot.wait_until_quiet()
        asked, marked = times(guest, WELCOME), times(guest, AGAIN)
        await guest.taps("个人认证")
        await guest.sees("开始之前")
        await bot.wait_until_quiet()

        assert (asked, marked) == (2 if kind == "lost" else 1, 1)
        assert times(guest, AGAIN) == 1
        assert await bot.app.deps.store.pending_replies(TELEGRAM, 10) == []


@pytest.mark.parametrize("kind", ["502", "lost"])
async def test_inv26_a_code_that_may_be_lost_is_sent_again_says_so_and_can_be_scanned(
    tmp_path: Path, kind: str
) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await place.inject_fault("sendPhoto", kind)
        await guest.says("微信")
        await guest.sees(WAITING)
        await bot.wait_until_quiet()
        shown, marked = times(guest, WAITING), times(guest, AGAIN)
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees(DONE)
        await bot.wait_until_quiet()

        assert (shown, marked) == (2 if kind == "lost" else 1, 1)
        assert times(guest, DONE) == 1


@pytest.mark.parametrize("method", ["editMessageText", "editMessageMedia", "editMessageCaption", "deleteMessages"])
async def test_inv26_what_may_be_repeated_without_harm_is_repeated_at_once(tmp_path: Path, method: str) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        await place.inject_fault(method, "lost")
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees(DONE)
        await bot.wait_until_quiet()

        assert times(guest, DONE) == 1
        assert times(guest, AGAIN, "edit") == 0
        assert len(guest.bot_texts()) == 2
        assert [message["from"] for message in guest.messages()].count("user") == 1


async def test_inv26_the_new_question_stands_even_if_the_old_one_cannot_be_taken_away(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await place.inject_fault("deleteMessage", "502", times=3)
        await guest.says("/back")
        await guest.sees("修改身份证号")
        await bot.wait_until_quiet()

        assert (times(guest, "核对资料"), times(guest, "修改身份证号")) == (1, 1)
        assert times(guest, AGAIN) == 0
        assert await bot.app.deps.store.pending_replies(TELEGRAM, 10) == []


async def test_inv26_a_429_is_no_doubt(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await place.inject_fault("sendMessage", "429", times=2)
        await guest.says("/start")
        await guest.sees(WELCOME)
        await bot.wait_until_quiet()

        assert [call.status for call in sent_to(guest)] == [429, 429, 200]
        assert times(guest, AGAIN) == 0


async def test_inv23_telegram_never_has_to_refuse_a_crowd_that_comes_at_once(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path, pace_sending=True) as bot:
        # Twice what the bot sends in a second: on a busy machine, some of its calls arrive late and close together.
        await place.sim("/limits", per_chat=1.0, burst=10, overall=50)
        guests = [await place.new_user() for _ in range(100)]
        for guest in guests:
            await guest.says("/start")
        for guest in guests:
            await guest.sees(WELCOME)
        await bot.wait_until_quiet()
        calls = [call for call in place.playground.world.traffic.recent_calls if call.method.startswith("send")]

    assert {call.status for call in calls} == {200}
    assert len(calls) == 100


async def test_a_chat_that_must_wait_holds_nobody_else_up(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guests = [await place.new_user() for _ in range(3)]
        await place.inject_fault("sendMessage", "429", retry_after=2)
        for guest in guests:
            await guest.says("/start")
        for guest in guests:
            await guest.sees(WELCOME)
        await bot.wait_until_quiet()

    came = sorted(event["at"] for guest in guests for event in guest.events("message") if event["from"] == "bot")
    assert len(came) == 3
    assert came[1] - came[0] < 1.2 <= came[2] - came[0]


async def test_a_429_without_a_number_of_seconds_is_survived(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path):
        guest = await place.new_user()
        await place.inject_fault("sendMessage", "429", retry_after=0)
        await guest.says("/start")

        await guest.sees(WELCOME)


async def test_a_courtesy_that_fails_is_not_missed(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await place.inject_fault("answerCallbackQuery", "429", times=9, retry_after=30)
        await place.inject_fault("sendChatAction", "500", times=9)
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await guest.sees(WAITING)
        await bot.wait_until_quiet()


async def test_inv25_whoever_blocked_the_bot_is_left_in_peace_and_finds_the_result_on_return(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot, Phone() as phone:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await guest.blocks()
        before = len(guest.events("message"))
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await bot.wait_until_quiet()
        silent = len(guest.events("message"))
        await guest.blocks(blocked=False)
        await guest.sees(DONE)
        await bot.wait_until_quiet()

        assert silent == before
        assert len(guest.waiting_messages()) <= 1


async def test_inv25_after_one_refusal_nothing_more_is_sent_to_a_chat(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await bot.wait_until_quiet()
        await guest.blocks()
        for number in range(3):
            news = AttemptPassed(AttemptId("attempt-1"), Account(f"telegram:{guest.id}"), Method.WECHAT)
            await bot.app.engine.runner.handle(
                Envelope(person_of(guest.id), news, f"notice:{number}", kind=TurnKind.NEWS)
            )
            await bot.wait_until_quiet()

        assert len(place.gate.rejected) == 1


async def test_inv25_whoever_blocked_the_bot_in_the_middle_goes_on_where_they_were(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await guest.says("/start")
        await guest.sees(WELCOME)
        await place.inject_fault("*", "403", times=9)
        await guest.taps("个人认证")
        await bot.wait_until_quiet()
        await place.sim("/faults", "DELETE")
        await guest.says("/start")

        await guest.sees("欢迎回来", "开始之前")


async def test_inv10_a_double_tap_is_answered_and_the_live_question_stays_armed(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        code = await guest.sees(WAITING)
        again = next(b["data"] for row in code["buttons"] for b in row if "换个新码" in b["label"])
        await guest.press_raw(code["id"], again)
        await guest.press_raw(code["id"], again)
        await place.wait_until(lambda: guest.toasts())
        await bot.wait_until_quiet()

        assert guest.toasts() == ["这个按钮已经失效，请用最新一条消息里的按钮。"]
        assert len(guest.waiting_messages()) == 1
        assert "换个新码" in "".join(guest.labels())


async def test_inv10_an_old_button_changes_nothing_and_loses_its_keyboard(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await place.inject_fault("sendMessage", "lost")
        await guest.says("/start")
        await place.wait_until(lambda: times(guest, WELCOME) == 2)
        await bot.wait_until_quiet()
        old, new = guest.waiting_messages()
        await guest.taps("个人认证", new["id"])
        await guest.sees("开始之前")
        await bot.wait_until_quiet()
        await guest.taps("个人认证", old["id"])
        await place.wait_until(lambda: guest.toasts())
        await bot.wait_until_quiet()

        assert len(guest.waiting_messages()) == 1
        assert "同意并继续" in "".join(guest.labels())


async def test_a_question_the_person_deleted_comes_again_when_they_write(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await guest.says("/start")
        asked = await guest.sees(WELCOME)
        await bot.wait_until_quiet()
        gone = place.playground.world.message(guest.id, asked["id"])
        assert gone is not None
        place.playground.world.delete_message(gone)
        await guest.says("/status")
        await guest.taps("个人认证")

        await guest.sees("开始之前")


async def test_every_update_delivered_twice_changes_nothing(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        await place.sim("/faults", kind="duplicate", times=99)
        await go_to_method_choice(guest)
        await bot.wait_until_quiet()

        assert [times(guest, sign, "edit") for sign in (WELCOME, "开始之前", "1/4", "2/4", "3/4")] == [1] * 5
        assert guest.toasts() == []


async def test_a_poisoned_message_is_set_aside_sealed_and_the_person_is_told(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path) as bot:
        guest = await place.new_user()
        chat = {"id": guest.id, "type": "private", "first_name": "x"}
        secret = "11010119900307803X"
        poison = {"message_id": 5, "date": "yesterday", "chat": chat, "text": secret}
        await guest.says("/start")
        await guest.sees(WELCOME)
        place.playground.world.updates.add("message", poison, f"chat:{guest.id}")
        await guest.sees("没处理成功")
        await guest.taps("个人认证")
        await guest.sees("开始之前")
        await bot.wait_until_quiet()

    assert b"dead_updates" in raw_files(tmp_path)
    assert secret.encode() not in raw_files(tmp_path)
    with closing(sqlite3.connect(tmp_path / "bot.sqlite3")) as database:
        assert database.execute("SELECT person FROM dead_updates").fetchall() == [(f"telegram:{guest.id}",)]


async def test_the_kind_word_about_a_poisoned_message_speaks_the_person_s_language(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path):
        guest = await place.new_user(language="en")
        chat = {"id": guest.id, "type": "private", "first_name": "x"}
        poison = {"message_id": 5, "date": "yesterday", "chat": chat, "from": {"language_code": "en"}}
        await guest.says("/start")
        await guest.sees("personal real-name verification")
        place.playground.world.updates.add("message", poison, f"chat:{guest.id}")

        await guest.sees("I could not handle your last message")
