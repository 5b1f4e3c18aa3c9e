"""kill -9 at any moment of a whole conversation: nothing a person completed is lost or asked again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from playground.phone import Phone
from tests.crash.process import at_work
from tests.town import NAME, NUMBER, Guest, press, scan, town

Do = Callable[[Guest, Phone], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does, and the sign by which they know that it was taken."""

    do: Do
    sign: str


ACTS = (
    Act(lambda guest, _: guest.says("/start"), "你要认证哪一类"),
    Act(lambda guest, _: guest.taps("个人认证"), "开始之前"),
    Act(lambda guest, _: guest.taps("同意并继续"), "第 1 步"),
    Act(lambda guest, _: guest.says(NAME), "第 2 步"),
    Act(lambda guest, _: guest.says(NUMBER), "第 3 步"),
    Act(lambda guest, _: guest.taps("确认无误"), "第 4 步"),
    Act(lambda guest, _: guest.taps("微信扫码"), "等待扫码"),
)
STEPS = ("还没开始填写", "等你同意", "第 1 步", "第 2 步", "第 3 步", "第 4 步", "等待扫码")
"""What /status says of each act's step."""


async def go(guest: Guest, phone: Phone, acts: tuple[Act, ...]) -> None:
    for act in acts:
        await act.do(guest, phone)
        await guest.sees(act.sign)


def count(guest: Guest, sign: str) -> int:
    """How many messages of the bot with this sign ever came."""
    return sum(sign in str(event["message"]) for event in guest.events("message") if event["from"] == "bot")


def clean(guest: Guest) -> bool:
    """Whether nothing the person wrote about themselves stands in the chat."""
    return not [text for text in map(str, guest.messages()) if NAME in text or NUMBER in text]


async def test_killed_between_any_two_steps_the_person_goes_on_without_noticing(tmp_path: Path) -> None:
    async with town() as place, at_work(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        for act in ACTS:
            await act.do(guest, phone)
            await guest.sees(act.sign)
            await bot.crash()
        await scan(guest, phone)
        await guest.sees("已在手机上打开")
        await bot.crash()
        await press(phone, "前往授权")
        await guest.sees("正在手机上确认")
        await bot.crash()
        await press(phone, "授权验证")
        await guest.sees("🎉 认证成功")
        await bot.crash()
        await place.taken()

        assert clean(guest)
        assert all(count(guest, act.sign) <= 2 for act in ACTS)
        assert count(guest, "🎉 认证成功") <= 2


@pytest.mark.parametrize("done", range(len(ACTS)))
async def test_killed_while_an_act_is_in_hand_the_person_gets_its_answer_and_nothing_is_asked_again(
    tmp_path: Path, done: int
) -> None:
    async with town() as place, at_work(place, tmp_path) as bot, Phone() as phone:
        guest = await place.guest()
        await go(guest, phone, ACTS[:done])
        act = ACTS[done]
        await act.do(guest, phone)
        await bot.crash()
        await guest.sees(act.sign)
        await guest.says("/status")
        await guest.sees("📍", STEPS[done])
        await place.taken()

        assert clean(guest)
        assert all(count(guest, earlier.sign) <= 2 for earlier in ACTS[: done + 1])
