"""Whole conversations with Alipay: the link that opens it on the same phone, the way back, and a failed check."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from playground.phone.apps import PhoneApp
from playground.phone.browser import Phone
from tests.alipay_server import AlipayServer, alipay_server, key_pair, private_text
from tests.bot.app_fixture import running_bot
from tests.simulator_fixture import (
    NAME,
    NUMBER,
    ChatUser,
    choose_the_face_check,
    follow_to_the_vendor,
    go_to_method_choice,
    press,
    said,
    scan,
    simulator,
)

PRIVATE_KEY = private_text(key_pair("merchant"))


@dataclass
class AlipayChat:
    """A person with a phone in the chat of a running bot, and the platform."""

    platform: AlipayServer
    guest: ChatUser
    phone: Phone

    async def into_alipay(self) -> None:
        """Press on; the phone opens Alipay by its link, with the address inside."""
        await press(self.phone, "前往验证")
        await self.guest.sees("已在手机上打开")
        link = urlsplit(self.phone.current_page().refresh or "")
        assert (link.scheme, link.netloc, link.path) == ("alipays", "platformapi", "/startapp")
        await follow_to_the_vendor(self.phone)


@asynccontextmanager
async def chat(folder: Path) -> AsyncIterator[AlipayChat]:
    async with (
        alipay_server() as platform,
        simulator() as telegram,
        Phone() as phone,
        running_bot(telegram, folder, **{name.lower(): value for name, value in platform.settings.items()}),
    ):
        yield AlipayChat(platform, await telegram.new_user(), phone)


async def test_a_failed_check_one_that_was_left_and_a_pass_with_nothing_personal_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with chat(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await choose_the_face_check(at.guest)
        await scan(at.guest, at.phone, PhoneApp.BROWSER)
        await at.into_alipay()
        await press(at.phone, "不通过")
        assert "正在获取结果" in at.phone.current_page().text
        assert "画面不够清楚" in said(await at.guest.sees("这次没有通过"))
        await at.guest.taps("再试一次")
        await scan(at.guest, at.phone, PhoneApp.BROWSER)
        await at.into_alipay()
        await press(at.phone, "不做就回去")
        await at.phone.open(PhoneApp.BROWSER, at.phone.address.partition("/back")[0])
        await at.into_alipay()
        await press(at.phone, "通过")
        await at.guest.sees("🎉 认证成功")

        assert len(at.platform.cases) == 2
        assert (at.platform.last.name, at.platform.last.number) == (NAME, NUMBER)
    # The program silences Telegram's library, see bot/logs.py.
    logged = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("telegram"))
    secrets = [NAME, NUMBER, PRIVATE_KEY, at.platform.last.certify_id]
    assert not [secret for secret in secrets if secret in logged]
