"""A link from support's desk to the result in the chat, with the real bot."""

import re
from pathlib import Path

import httpx

from playground.phone.browser import Phone
from tests.bot.app_fixture import RunningBot, running_bot
from tests.simulator_fixture import NAME, NUMBER, ChatUser, press, scan, simulator
from tests.web.desk_fixture import KEY, URL, DeskBrowser

ACCOUNT, MASKED = "200056789", "20*****89"


def desk_browser(bot: RunningBot) -> DeskBrowser:
    return DeskBrowser(
        transport=httpx.ASGITransport(bot.app.web_app), base_url="http://127.0.0.1", follow_redirects=True
    )


async def goes_on_to_the_code(guest: ChatUser) -> None:
    await guest.taps("这是我的账号")
    await guest.taps("同意并继续")
    await guest.sees("1/4")
    await guest.says(NAME)
    await guest.sees("2/4")
    await guest.says(NUMBER)
    await guest.taps("微信扫码")
    await guest.sees("等待扫码")


async def test_support_follows_a_link_from_the_desk_to_the_result(tmp_path: Path) -> None:
    async with (
        simulator() as telegram,
        running_bot(telegram, tmp_path, desk_key=KEY) as bot,
        Phone() as phone,
        desk_browser(bot) as anna,
    ):
        await anna.sign_in()
        made = await anna.fill("/desk/links/new", account=ACCOUNT, campaign="spring")
        [url] = URL.findall(made.text)
        payload = url.partition("?start=")[2]
        guest, stranger = await telegram.new_user(), await telegram.new_user("李雷")

        await guest.says(f"/start {payload}")
        await guest.sees(MASKED)
        await stranger.says(f"/start {payload}")
        await bot.wait_until_quiet()
        strangers = "\n".join(stranger.bot_texts())
        opened = (await anna.get(made.url.path)).text
        await goes_on_to_the_code(guest)
        waiting = (await anna.get(made.url.path)).text
        await scan(guest, phone)
        await bot.wait_until_quiet()
        on_the_phone = (await anna.get(made.url.path)).text
        [code] = set(re.findall(r"attempts/([0-9A-F]{4}-[0-9A-F]{4})", on_the_phone))
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        await guest.sees("认证成功")
        await bot.wait_until_quiet()
        attempt = (await anna.get(f"/desk/attempts/{code}")).text
        link = (await anna.get(made.url.path)).text
        funnel = (await anna.get("/desk/funnel.csv?campaign=spring")).text

    assert url.startswith("https://t.me/")
    assert MASKED not in strangers
    assert "已经有人打开" in opened
    assert "等待扫码" in waiting
    assert "手机已打开" in on_the_phone
    assert "认证成功" in attempt
    assert "账号已认证成功" in link
    assert [line.split(",")[2:4] for line in funnel.splitlines()[1:]] == [
        [step, "1"] for step in ("opened", "started", "agreed", "confirmed", "shown", "phone", "verified")
    ]
    for page in (opened, waiting, on_the_phone, attempt, link):
        assert not [secret for secret in (ACCOUNT, NAME, NUMBER, f"{guest.id}") if secret in page]


async def test_without_a_key_the_bot_has_no_desk(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot(telegram, tmp_path) as bot, desk_browser(bot) as anna:
        answer = await anna.get("/desk/sign-in")

    assert answer.status_code == 404
