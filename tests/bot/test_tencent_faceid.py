"""Whole conversations with Tencent FaceID: its page after ours, the way back, its reasons and its outages."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from tests.bot.app_fixture import RunningBot, running_bot
from tests.faceid_server import SECRET_ID, SECRET_KEY, FaceIdFault, FaceIdServer, faceid_server
from tests.simulator_fixture import (
    NAME,
    NUMBER,
    ChatUser,
    choose_the_face_check,
    go_to_method_choice,
    press,
    said,
    scan,
    simulator,
)

DONE = "🎉 认证成功"


@dataclass
class FaceIdFixture:
    """A person with a phone, a running bot, and the vendor."""

    bot: RunningBot
    vendor: FaceIdServer
    guest: ChatUser
    phone: Phone

    async def on_the_vendors_page(self) -> None:
        """Scan the code, and press on to the vendor's page."""
        await scan(self.guest, self.phone)
        await press(self.phone, "前往验证")
        await self.guest.sees("已在手机上打开")
        await self.phone.reload()


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[FaceIdFixture]:
    async with (
        faceid_server(lambda: datetime.now(UTC)) as vendor,
        simulator() as telegram,
        Phone() as phone,
        running_bot(telegram, folder, **{name.lower(): value for name, value in vendor.settings.items()}) as bot,
    ):
        yield FaceIdFixture(bot, vendor, await telegram.new_user(), phone)


async def test_from_the_welcome_to_the_result_with_nothing_personal_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await choose_the_face_check(at.guest)
        await at.on_the_vendors_page()
        await press(at.phone, "通过")
        await at.guest.sees(DONE)

        assert (at.vendor.last.name, at.vendor.last.number) == (NAME, NUMBER)
        assert at.bot.app.deps.providers.counts.billed == 1
        secrets = [NAME, NUMBER, SECRET_ID, SECRET_KEY, at.vendor.last.token]
    # The program silences Telegram's library, see bot/logs.py.
    logged = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("telegram"))
    assert not [secret for secret in secrets if secret in logged]


async def test_a_failure_gives_its_reason_and_the_next_try_is_another_flow(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await choose_the_face_check(at.guest)
        await at.on_the_vendors_page()
        await press(at.phone, "2016")
        assert "正在获取结果" in at.phone.current_page().text
        assert "差别较大" in said(await at.guest.sees("这次没有通过"))
        await at.guest.taps("再试一次")
        await at.on_the_vendors_page()
        await press(at.phone, "通过")
        await at.guest.sees(DONE)

        assert len(at.vendor.flows) == 2


async def test_a_limit_of_the_vendor_is_told_with_its_time(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await choose_the_face_check(at.guest)
        await at.on_the_vendors_page()
        await press(at.phone, "2018")

        assert "00:00" in said(await at.guest.sees("今天先到这里"))


async def test_a_vendor_that_is_away_is_told_and_the_person_can_continue(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.vendor.faults = [FaceIdFault.BROKEN] * 3
        await go_to_method_choice(at.guest)
        await choose_the_face_check(at.guest)
        assert "暂时没有响应" in said(await at.guest.sees("这次没有通过"))
        await at.guest.taps("再试一次")
        await at.on_the_vendors_page()
        await press(at.phone, "通过")

        await at.guest.sees(DONE)
