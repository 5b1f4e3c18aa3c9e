"""The private form end to end: nothing typed there passes Telegram; it counts once, for its own chat and question."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bot.private_form import FormLinks
from playground.phone.apps import PhoneApp
from playground.phone.browser import USER_AGENTS
from playground.phone.page_parser import read_page
from tests.bot.app_fixture import RunningBot, running_bot
from tests.bot.test_private_form_user import signed
from tests.simulator_fixture import NAME, NUMBER, TOKEN, ChatUser, simulator
from verification.ids import PersonId

TYPED = {"name": NAME, "number": NUMBER}
PUBLIC_URL = "https://verify.example.org"
LABEL = "在网页上填，不发到聊天里"
MASKED = ("韩*梅", "360426********0071")


@dataclass
class FormFixture:
    """A person at the name step, a running bot, and a client that reaches its pages as a proxy would."""

    bot: RunningBot
    guest: ChatUser
    pages: httpx.AsyncClient

    def url(self, label: str = LABEL) -> str:
        """Where the newest button of the form leads to."""
        shown = [button for message in self.guest.messages() for row in message["buttons"] for button in row]
        return str([button["url"] for button in shown if label in button["label"]][-1])

    def path(self) -> str:
        """The same on our own server."""
        return self.url().removeprefix(PUBLIC_URL)

    async def send(self, path: str, **fields: str) -> httpx.Response:
        return await self.pages.post(path, data={**TYPED, **fields})


@asynccontextmanager
async def bot_with_form(folder: Path, **settings: object) -> AsyncIterator[RunningBot]:
    async with simulator() as telegram, running_bot(telegram, folder, public_url=PUBLIC_URL, **settings) as bot:
        yield bot


@asynccontextmanager
async def at_name_step(bot: RunningBot) -> AsyncIterator[FormFixture]:
    guest = await bot.simulator.new_user("李雷")
    await guest.says("/start")
    await guest.taps("个人认证")
    await guest.taps("同意并继续")
    await guest.sees("1/4")
    transport = httpx.ASGITransport(bot.app.web_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", follow_redirects=True) as pages:
        yield FormFixture(bot, guest, pages)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[FormFixture]:
    async with bot_with_form(tmp_path) as bot, at_name_step(bot) as opened:
        yield opened


async def test_the_address_names_nobody_and_its_page_speaks_the_language_of_the_chat(at: FormFixture) -> None:
    await at.guest.says("/language")
    await at.guest.taps("English")
    await at.bot.simulator.wait_until(lambda: at.guest.find("1/4 · Name"))
    url = at.url("Use a web page")

    page = await at.pages.get(url.removeprefix(PUBLIC_URL))

    deps = at.bot.app.deps
    elsewhere = [
        FormLinks(store=deps.store, public_url=each, now=deps.clock.now).url(PersonId("telegram:1"), "q")
        for each in ("http://127.0.0.1:8080", "http://localhost", "https://bot")
    ]

    assert elsewhere == [None] * 3
    assert str(at.guest.id) not in url
    assert (page.status_code, "Your details" in page.text) == (200, True)


# One whole conversation


def hidden_parts() -> Iterator[str]:
    """Patterns of every part of what is typed that is longer than what a mask shows of it.

    A short part must stand by itself: a random id has 19 digits, and any four of them sooner or later.
    """
    yield from (NAME[:2], NAME[1:])
    yield from (NUMBER[start : start + 7] for start in range(len(NUMBER) - 6))
    yield from (rf"(?<!\d){part}(?!\d)" for part in (NUMBER[6:10], NUMBER[8:14], NUMBER[13:]))


async def pass_on_the_phone(at: FormFixture, link: str) -> None:
    """Go through the pages of the code; the link names the public address, which leads nowhere here."""
    path, headers = urlsplit(link).path, {"User-Agent": USER_AGENTS[PhoneApp.WECHAT]}
    answer = await at.pages.get(path, headers=headers)
    for label in ("前往授权", "授权验证"):
        pressed = next(each for each in read_page(answer.text).controls_of("submit") if label in each.label)
        assert pressed.form is not None
        answer = await at.pages.post(path, data=dict(pressed.form.submitted_fields(pressed)), headers=headers)


async def test_canary_nothing_typed_in_the_form_is_in_any_call_log_or_address_up_to_the_verified_end(
    at: FormFixture, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    traffic = at.bot.simulator.playground.world.traffic
    traffic.keeps_answers, before = True, len(traffic.recent_calls)
    addresses = [at.url()]
    await at.send(at.path())
    await at.guest.sees("3/4", *MASKED)
    for label, sign in (("改姓名", "修改姓名"), ("改号码", "修改身份证号")):
        await at.guest.taps(label)
        await at.guest.sees(sign)
        await at.guest.says("不改了")
        await at.guest.sees("3/4", *MASKED)
    await at.guest.taps("改姓名")
    await at.guest.sees("修改姓名")
    addresses.append(at.url())
    await at.send(at.path())
    await at.guest.sees("3/4", *MASKED)
    await at.guest.taps("微信扫码")
    link = at.guest.scanned_link(await at.guest.sees("等待扫码"))
    await pass_on_the_phone(at, link)
    await at.guest.sees("🎉 认证成功")
    await at.guest.says("/privacy")
    await at.guest.taps("导出我的数据")
    await at.bot.simulator.wait_until(lambda: any(message["document"] for message in at.guest.messages()))
    await at.bot.wait_until_quiet()
    calls = list(traffic.recent_calls)[before:]
    shown = [str((call.fields, call.answer)) for call in calls]
    logged = [record.getMessage() for record in caplog.records]

    assert {"sendMessage", "editMessageMedia", "deleteMessages", "sendDocument"} <= {call.method for call in calls}
    assert any("/f/" in line for line in shown)
    assert logged
    where = [*shown, *logged, *addresses, link]
    assert not [(part, text[:200]) for part in hidden_parts() for text in where if re.search(part, text)]


# Once, for its own chat and question


async def test_it_counts_once_and_a_second_try_is_told_kindly(at: FormFixture) -> None:
    path = at.path()
    first = await at.send(path)
    await at.guest.sees("3/4", *MASKED)
    seen = len(at.guest.everything_said())
    second, shown = await at.send(path, name="李雷"), await at.pages.get(path)
    await at.bot.wait_until_quiet()

    assert [first.status_code, second.status_code, shown.status_code] == [200, 410, 410]
    assert "这个页面不能再用了" in second.text
    assert len(at.guest.everything_said()) == seen


async def test_two_at_once_are_one_answer_and_the_other_is_told_so(at: FormFixture) -> None:
    path = at.path()

    answers = await asyncio.gather(at.send(path), at.send(path, name="李雷"))
    await at.guest.sees("3/4")
    await at.bot.wait_until_quiet()

    assert sorted(answer.status_code for answer in answers) == [200, 410]
    assert sum("3/4" in text for text in at.guest.everything_said()) == 1


async def test_it_is_over_once_the_chat_has_moved_on(at: FormFixture) -> None:
    path = at.path()
    await at.guest.says(NAME)
    await at.guest.sees("2/4")
    late = await at.send(path)
    await at.bot.wait_until_quiet()

    assert late.status_code == 410
    assert at.guest.find("2/4")
    assert (await at.send(at.path())).status_code == 200
    await at.guest.sees("3/4", *MASKED)


async def test_it_is_over_after_a_day_and_the_question_asked_again_opens_another(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    async with bot_with_form(tmp_path, clock_offset_file=clock) as bot, at_name_step(bot) as at:
        old = at.path()
        clock.write_text(str(24 * 3600 + 1), encoding="ascii")
        late = await at.send(old)
        await at.guest.says("/start")
        await bot.simulator.wait_until(lambda: at.path() != old)

        assert late.status_code == 410
        assert (await at.send(at.path())).status_code == 200


async def test_another_address_leads_nowhere(at: FormFixture) -> None:
    forged = at.path().partition("?")[0][:-2] + "AA"

    for path in ("/f/x", f"/f/{'a' * 200}", "/f/%00", "/f/AAAA", "/f/é", forged):
        assert ((await at.pages.get(path)).status_code, (await at.send(path)).status_code) == (404, 404)


async def test_what_telegram_says_must_be_right_and_name_the_same_person(at: FormFixture) -> None:
    path, now = at.path(), datetime.now(UTC)

    def init_data(user: int, token: str = TOKEN) -> str:
        return signed({"user": json.dumps({"id": user}), "auth_date": str(int(now.timestamp()))}, token)

    refused = [
        await at.send(path, init_data=said)
        for said in (init_data(at.guest.id + 1), init_data(at.guest.id, "1:another"), "user=1")
    ]

    assert [answer.status_code for answer in refused] == [403] * 3
    assert (await at.send(path, init_data=init_data(at.guest.id))).status_code == 200


async def test_mistakes_are_said_in_the_words_of_the_chat_and_change_nothing(at: FormFixture) -> None:
    path = at.path()
    digit = await at.send(path, number="360426199101010072")
    permit = await at.send(path, number="810000199408230021")
    asked = await at.send(path, name="高兴")
    await at.bot.wait_until_quiet()

    assert [answer.status_code for answer in (digit, permit, asked)] == [422] * 3
    assert "号码里可能有一位打错了" in digit.text
    assert "https://intl.cloud.tencent.com/" in permit.text
    assert "这是身份证上的姓名吗" in asked.text
    assert at.guest.find("1/4")
    assert (await at.send(path, name="高兴", checked="高兴")).status_code == 200
    await at.guest.sees("3/4", "高*")
