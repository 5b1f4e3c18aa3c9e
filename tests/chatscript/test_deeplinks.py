"""Deep links: a link to the bot starts it, and no link opens a page of Telegram."""

from pathlib import Path

import pytest

from chatscript.runner.deeplinks import NoSuchChat, start_payload
from tests.chatscript.bots.playing import passes, report_of

BOT = "Some_bot"


@pytest.mark.parametrize(
    ("link", "payload"),
    [
        ("https://t.me/some_bot?start=abc", "abc"),
        ("http://t.me/Some_Bot/?x=1&start=a-b_c", "a-b_c"),
        ("https://telegram.me/some_bot?start=abc", "abc"),
        ("t.me/some_bot?start=abc", "abc"),
        ("tg://resolve?domain=some_bot&start=abc", "abc"),
        ("https://t.me/some_bot", ""),
        ("https://example.org/some_bot?start=abc", None),
        ("https://t.me.example.org/some_bot?start=abc", None),
        ("http://127.0.0.1:8080/v/x", None),
        ("http://[", None),
    ],
)
def test_a_link_to_the_bot_has_a_start_parameter(link: str, payload: str | None) -> None:
    assert start_payload(link, BOT) == payload


@pytest.mark.parametrize("link", ["https://t.me/another_bot?start=abc", "tg://resolve?domain=x", "https://t.me/"])
def test_another_chat_of_telegram_does_not_exist(link: str) -> None:
    with pytest.raises(NoSuchChat, match="the simulator has only @Some_bot"):
        start_payload(link, BOT)


async def test_a_scanned_link_to_the_bot_starts_it_in_the_private_chat(tmp_path: Path) -> None:
    await passes(tmp_path, "> /start\n...\n@user B\n@scan wechat https://t.me/demo_bot\n< 你好 请输入姓名\n")


async def test_a_scanned_link_to_another_chat_fails_the_script_and_opens_nothing(tmp_path: Path) -> None:
    report = await report_of(tmp_path, "@scan browser https://t.me/another_bot?start=abc\n")

    assert "https://t.me/another_bot?start=abc leads to another chat of Telegram" in report
