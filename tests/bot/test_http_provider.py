"""Whole conversations with an HTTP provider: its page after ours, its callbacks, its outages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from playground.phone.browser import Phone
from tests.bot.app_fixture import RunningBot, running_bot
from tests.provider_server import SECRET, FakeProviderServer, ProviderFault, provider
from tests.reliability import Proof
from tests.simulator_fixture import NAME, NUMBER, ChatUser, Simulator, go_to_method_choice, press, said, scan, simulator
from verification.attempts import Method
from verification.breaker import FAILURES

DONE = "🎉 认证成功"


@dataclass
class HttpProviderFixture:
    """A person with a phone, a running bot, and the provider of WeChat."""

    simulator: Simulator
    bot: RunningBot
    provider: FakeProviderServer
    guest: ChatUser
    phone: Phone

    async def leave(self) -> None:
        """Go from our page to the provider's page."""
        await press(self.phone, "前往验证")
        await self.guest.sees("已在手机上打开")
        await self.phone.reload()


@asynccontextmanager
async def scene(folder: Path, **facts: Any) -> AsyncIterator[HttpProviderFixture]:
    async with provider() as server, simulator() as telegram, Phone() as phone:
        settings = {"provider_wechat": "http", "provider_url": server.base, "provider_secret": SECRET} | facts
        settings |= {"allow_simulated": True}
        async with running_bot(telegram, folder, **settings) as bot:
            yield HttpProviderFixture(telegram, bot, server, await telegram.new_user(), phone)


async def at_the_code(at: HttpProviderFixture) -> None:
    """Choose WeChat, and scan."""
    await go_to_method_choice(at.guest)
    await at.guest.taps("微信扫码")
    await scan(at.guest, at.phone)


async def test_from_the_welcome_to_the_result_reported_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at_the_code(at)
        assert "waiting" not in at.provider.states
        await at.leave()
        await press(at.phone, "通过")
        await at.guest.sees(DONE)
        await at.bot.wait_until_quiet()

        [session] = at.provider.sessions.values()
        assert (session["name"], session["number"], session["method"]) == (NAME, NUMBER, "wechat")
        assert len([text for text in at.guest.everything_said() if DONE in text]) == 1
        assert not [text for text in at.guest.everything_said() if NUMBER in text]
        assert not [message for message in at.guest.messages() if NAME in said(message)]


async def test_a_failure_gives_its_reason_and_the_next_try_is_another_session(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at_the_code(at)
        await at.leave()
        await press(at.phone, "不通过")
        assert "不一致" in said(await at.guest.sees("这次没有通过"))
        await at.guest.taps("再试一次")
        await scan(at.guest, at.phone)
        await at.leave()
        await press(at.phone, "通过")
        await at.guest.sees(DONE)

        assert len(at.provider.sessions) == 2


async def test_inv21_a_result_whose_callback_is_lost_is_still_reported(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.provider.callbacks_sent = False
        await at_the_code(at)
        await at.leave()
        await press(at.phone, "通过")

        await at.guest.sees(DONE)


async def test_inv20_a_result_with_many_callbacks_and_polls_is_reported_once(tmp_path: Path, proof: Proof) -> None:
    async with scene(tmp_path) as at:
        await at_the_code(at)
        await at.leave()
        [session] = at.provider.sessions
        at.provider.gate = asyncio.Event()
        at.provider.states[session] = {"state": "passed"}
        await asyncio.gather(*(at.provider.send_callback(session) for _ in range(20)))
        at.provider.gate.set()
        await at.guest.sees(DONE)
        assert await at.provider.send_callback(session) == 202
        await at.bot.wait_until_quiet()

        assert len([text for text in at.guest.everything_said() if DONE in text]) == 1
        proof(cases=21)


@pytest.mark.parametrize(
    "fault", [ProviderFault.BROKEN, ProviderFault.NO_JSON, ProviderFault.HUGE, ProviderFault.REDIRECT]
)
async def test_inv21_a_provider_failure_is_reported_and_the_person_can_continue(
    tmp_path: Path, fault: ProviderFault, proof: Proof
) -> None:
    async with scene(tmp_path) as at:
        at.provider.troubles = [fault] * 3
        await go_to_method_choice(at.guest)
        await at.guest.taps("微信扫码")
        assert "暂时没有响应" in said(await at.guest.sees("这次没有通过"))
        at.provider.troubles = []
        await at.guest.taps("再试一次")
        await scan(at.guest, at.phone)
        await at.leave()
        await press(at.phone, "通过")

        await at.guest.sees(DONE)
        proof(cases=1, faults=3)


async def test_inv21_while_a_provider_hangs_others_are_served(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.provider.gate = asyncio.Event()
        await go_to_method_choice(at.guest)
        await at.guest.taps("微信扫码")
        await at.provider.came.wait()
        other = await at.simulator.new_user("李雷")
        await other.says("/start")
        await other.sees("你要认证哪一类")
        at.provider.gate.set()

        await at.guest.sees("等待扫码")


async def test_inv21_while_a_provider_hangs_the_person_is_told_and_answered_and_gets_the_code(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.provider.gate = asyncio.Event()
        await go_to_method_choice(at.guest)
        await at.guest.taps("微信扫码")
        await at.guest.sees("响应有点慢")
        await at.guest.says("/status")
        await at.guest.sees("正在准备二维码")
        at.provider.gate.set()
        await scan(at.guest, at.phone)
        await at.leave()
        await press(at.phone, "通过")

        await at.guest.sees(DONE)
        assert len(at.provider.sessions) == 1


async def test_inv21_a_provider_that_keeps_failing_rests_and_the_buttons_say_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        providers = at.bot.app.deps.providers
        for _ in range(FAILURES):
            providers.breakers[Method.WECHAT].failed()
        await go_to_method_choice(at.guest)
        labels = at.guest.labels()
        await at.guest.taps("暂不可用")
        refused = said(await at.guest.sees("这次没有通过"))

        assert providers.resting == {Method.WECHAT}
        assert "QQ 扫码" in "".join(labels)
        assert "暂时没有响应" in refused
        assert not at.provider.asked


async def test_other_methods_stay_simulated(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await at.guest.taps("QQ 扫码")
        await scan(at.guest, at.phone)
        await press(at.phone, "确认认证")

        await at.guest.sees(DONE)
        assert not at.provider.asked
