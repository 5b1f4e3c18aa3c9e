"""Whole conversations: a person in the chat, a phone, and the real bot between them."""

from pathlib import Path

from playground.phone import Phone
from tests.bot.house import living
from tests.town import NAME, NUMBER, fill_in, press, scan, town


async def test_a_person_is_verified_by_scanning_with_wechat(tmp_path: Path) -> None:
    async with town() as place, living(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        await fill_in(guest)
        await guest.taps("微信扫码")
        await scan(guest, phone)
        await press(phone, "前往授权")
        await press(phone, "授权验证")
        done = await guest.sees("认证成功")
        await bot.quiet()

    assert "微信扫码" in done["text"]
    assert not [text for text in guest.everything_said() if NAME in text or NUMBER in text]
