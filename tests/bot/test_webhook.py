"""Updates by webhook: the secret, malformed bodies, and updates that Telegram sends again."""

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


async def post(telegram: Simulator, port: int, body: bytes, secret: str | None = SECRET) -> int:
    headers = {HEADER: secret} if secret is not None else {}
    async with telegram.http.post(
        f"http://127.0.0.1:{port}/telegram", data=io.BytesIO(body), headers=headers
    ) as answer:
        return answer.status


async def test_a_whole_conversation_works_by_webhook(tmp_path: Path) -> None:
    async with (
        simulator() as telegram,
        running_bot(telegram, tmp_path, **by_webhook(free_port())) as bot,
        Phone() as phone,
    ):
        guest = await telegram.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees("🎉 认证成功")
        await bot.wait_until_quiet()

        assert not telegram.playground.world.updates.has_waiting_poll


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1]])
async def test_a_request_without_the_secret_is_refused(tmp_path: Path, secret: str | None) -> None:
    port = free_port()
    async with simulator() as telegram, running_bot(telegram, tmp_path, **by_webhook(port)):
        assert await post(telegram, port, b"{}", secret) == 403


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
async def test_inv06_a_malformed_body_with_the_right_secret_is_confirmed(tmp_path: Path, body: bytes) -> None:
    port = free_port()
    async with simulator() as telegram, running_bot(telegram, tmp_path, **by_webhook(port)):
        assert await post(telegram, port, body) == 200


async def test_inv06_a_body_of_more_than_a_mebibyte_is_counted_and_confirmed(tmp_path: Path) -> None:
    port = free_port()
    async with simulator() as telegram, running_bot(telegram, tmp_path, **by_webhook(port)):
        status = await post(telegram, port, b"x" * (1024 * 1024 + 1))
        async with telegram.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            counted = await answer.text()

    assert status == 200
    assert 'bot_updates_total{outcome="unreadable"} 1.0' in counted


async def test_no_update_is_lost_between_polling_and_webhook(tmp_path: Path) -> None:
    async with simulator() as telegram:
        guest = await telegram.new_user()
        async with running_bot(telegram, tmp_path):
            await guest.says("/start")
            await guest.sees("你要认证哪一类")
        await guest.says("个人认证")
        async with running_bot(telegram, tmp_path, **by_webhook(free_port())):
            await guest.sees("开始之前")
        await guest.says("同意")
        async with running_bot(telegram, tmp_path):
            await guest.sees("1/4")


@pytest.mark.slow("programs")
async def test_an_update_interrupted_by_a_kill_is_delivered_again(tmp_path: Path) -> None:
    port = free_port()
    settings = {"WEBHOOK_URL": f"http://127.0.0.1:{port}", "WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    async with simulator() as telegram, running_bot_process(telegram, tmp_path, **settings) as bot:
        guest = await telegram.new_user()
        for text, sign in (("/start", "你要认证哪一类"), ("个人认证", "开始之前"), ("同意", "1/4")):
            await guest.says(text)
            await bot.kill_and_restart()
            await guest.sees(sign)


async def test_an_update_before_the_bot_is_ready_is_neither_lost_nor_a_dead_letter(tmp_path: Path) -> None:
    port = free_port()
    settings = {"WEBHOOK_URL": f"http://127.0.0.1:{port}", "WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    async with simulator() as telegram, running_bot_process(telegram, tmp_path, **settings) as bot:
        guest = await telegram.new_user()
        await guest.says("/start")
        await guest.sees("你要认证哪一类")
        await bot.kill()
        await guest.says("个人认证")
        await telegram.inject_fault("getMe", "slow", seconds=1)
        await bot.launch()
        await guest.sees("开始之前")

        assert not guest.find("没处理成功")
