"""By webhook: the bot's own door, the secret before it, and Telegram's patience behind it."""

import io
from pathlib import Path
from typing import Any

import pytest

from playground.phone.browser import Phone
from tests.bot.app_fixture import running_bot
from tests.crash.process import free_port, running_bot_process
from tests.simulator_fixture import Simulator, go_to_method_choice, press, scan, simulator

SECRET = "a-secret-of-the-webhook"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def by_webhook(port: int) -> dict[str, Any]:
    return {"port": port, "webhook_url": f"http://127.0.0.1:{port}", "webhook_secret": SECRET}


async def sent(place: Simulator, port: int, body: bytes, secret: str | None = SECRET) -> int:
    headers = {HEADER: secret} if secret is not None else {}
    async with place.http.post(f"http://127.0.0.1:{port}/telegram", data=io.BytesIO(body), headers=headers) as answer:
        return answer.status


async def test_a_whole_conversation_works_by_webhook(tmp_path: Path) -> None:
    async with simulator() as place, running_bot(place, tmp_path, **by_webhook(free_port())) as bot, Phone() as phone:
        guest = await place.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees("🎉 认证成功")
        await bot.wait_until_quiet()

        assert not place.playground.world.updates.has_waiting_poll


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1]])
async def test_whoever_does_not_know_the_secret_is_sent_away(tmp_path: Path, secret: str | None) -> None:
    port = free_port()
    async with simulator() as place, running_bot(place, tmp_path, **by_webhook(port)):
        assert await sent(place, port, b"{}", secret) == 403


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
async def test_inv06_garbage_with_the_right_secret_is_swallowed(tmp_path: Path, body: bytes) -> None:
    port = free_port()
    async with simulator() as place, running_bot(place, tmp_path, **by_webhook(port)):
        assert await sent(place, port, body) == 200


async def test_inv06_a_body_of_more_than_a_mebibyte_is_counted_and_never_asked_for_again(tmp_path: Path) -> None:
    port = free_port()
    async with simulator() as place, running_bot(place, tmp_path, **by_webhook(port)):
        status = await sent(place, port, b"x" * (1024 * 1024 + 1))
        async with place.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            counted = await answer.text()

    assert status == 200
    assert 'bot_updates_total{outcome="unreadable"} 1.0' in counted


async def test_from_polling_to_webhook_and_back_nothing_is_lost(tmp_path: Path) -> None:
    async with simulator() as place:
        guest = await place.new_user()
        async with running_bot(place, tmp_path):
            await guest.says("/start")
            await guest.sees("你要认证哪一类")
        await guest.says("个人认证")
        async with running_bot(place, tmp_path, **by_webhook(free_port())):
            await guest.sees("开始之前")
        await guest.says("同意")
        async with running_bot(place, tmp_path):
            await guest.sees("第 1 步")


async def test_killed_in_the_middle_of_an_update_telegram_brings_it_again(tmp_path: Path) -> None:
    port = free_port()
    settings = {"WEBHOOK_URL": f"http://127.0.0.1:{port}", "WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    async with simulator() as place, running_bot_process(place, tmp_path, **settings) as bot:
        guest = await place.new_user()
        for text, sign in (("/start", "你要认证哪一类"), ("个人认证", "开始之前"), ("同意", "第 1 步")):
            await guest.says(text)
            await bot.kill_and_restart()
            await guest.sees(sign)


async def test_an_update_that_comes_before_the_bot_is_ready_is_neither_lost_nor_set_aside(tmp_path: Path) -> None:
    port = free_port()
    settings = {"WEBHOOK_URL": f"http://127.0.0.1:{port}", "WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    async with simulator() as place, running_bot_process(place, tmp_path, **settings) as bot:
        guest = await place.new_user()
        await guest.says("/start")
        await guest.sees("你要认证哪一类")
        await bot.kill()
        await guest.says("个人认证")
        await place.inject_fault("getMe", "slow", seconds=1)
        await bot.launch()
        await guest.sees("开始之前")

        assert not guest.find("没处理成功")
