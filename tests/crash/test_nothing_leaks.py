"""Planted secrets: after a whole conversation at the most verbose log level, everything the bot wrote is searched."""

import base64
from pathlib import Path

import pytest

from playground.phone.browser import Phone
from tests.crash.conversation import STEPS, is_clean
from tests.crash.process import ManagedBot, running_bot_process
from tests.reliability import Proof
from tests.simulator_fixture import NAME, NUMBER, TOKEN, ChatUser, press, scan, simulator

OTHER_NAME, OTHER_NUMBER = "阿依古丽·买买提", "11010119900307803X"
WRONG_NUMBER = "112044165412202430"
OPERATED = (("backup", "copy"), ("doctor",), ("keys", "rotate", "--dry-run"), ("retention",), ("keys", "rotate"))
LINK = "a0123456789abcdefbm9ib2R5LXNpZ25lZC10aG"
"""Has the form of a link's token, without a valid signature."""
CANARIES = (NAME, NUMBER, OTHER_NAME, OTHER_NUMBER, WRONG_NUMBER, LINK, TOKEN, TOKEN.partition(":")[2])


async def do_what_people_do_wrong(guest: ChatUser) -> None:
    """Send name and number at every moment when they are not asked for, and in every unusual form."""
    await guest.says("/start")
    await guest.says(OTHER_NUMBER)
    await guest.says(f"/start {OTHER_NUMBER}")
    await guest.says(f"/start {LINK}")
    await guest.says(f"https://t.me/demo_bot?start={LINK}")
    await guest.taps("个人认证")
    await guest.sends("photo", caption=OTHER_NUMBER)
    await guest.sends("document", caption=OTHER_NAME, file_name=f"{OTHER_NUMBER}.pdf")
    await guest.says(OTHER_NUMBER, forward=True)
    await guest.taps("同意并继续")
    await guest.sees("1/4")
    await guest.says(OTHER_NUMBER)
    await guest.says(OTHER_NAME)
    await guest.sees("2/4")
    await guest.says(WRONG_NUMBER)
    mistaken = await guest.says("hello")
    await guest.edits(mistaken, OTHER_NUMBER)
    await guest.says("/cancel")
    await guest.sees("目前没有正在进行的认证")


async def fail_and_pass(guest: ChatUser, phone: Phone) -> str:
    """Fail once, then pass; return the token of the last code."""
    for step in STEPS[:-1]:
        await step.do(guest, phone)
        await guest.sees(step.reply_text)
    await press(phone, "拒绝")
    await guest.taps("再试一次")
    await scan(guest, phone)
    address = phone.address
    await press(phone, "前往授权")
    await press(phone, "授权验证")
    await guest.sees("🎉 认证成功")
    return address.rpartition("/v/")[2].partition("?")[0]


async def everything_written(bot: ManagedBot) -> dict[str, bytes]:
    """Everything the bot printed, stored and served as metrics, and the output of operators' commands."""
    written = {" ".join(words): (await bot.run_command(*words))[1].encode() for words in OPERATED}
    written |= {path.name: path.read_bytes() for path in bot.data.iterdir()}
    written["streams"] = bot.log.read_bytes()
    for page in ("/metrics", "/readyz"):
        async with bot.simulator.http.get(f"{bot.address()}{page}") as answer:
            written[page] = await answer.read()
    return written


def traces(written: dict[str, bytes], secret: str) -> list[str]:
    """Where a secret occurs, in any encoding."""
    forms = {secret.encode(), secret.encode("utf-16-le"), secret.encode("unicode_escape"), secret.encode("gb18030")}
    return [name for name, content in written.items() if any(form in content for form in forms)]


async def test_inv38_no_name_number_token_or_link_is_in_anything_the_bot_writes(tmp_path: Path, proof: Proof) -> None:
    async with (
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, LOG_LEVEL="DEBUG") as bot,
        Phone() as phone,
    ):
        guest = await telegram.new_user("李雷")
        await do_what_people_do_wrong(guest)
        await telegram.inject_fault("sendMessage", "garbage")
        await telegram.inject_fault("getUpdates", "502")
        poison = {"message_id": 5, "date": "x", "chat": {"id": guest.id, "type": "private"}, "text": NUMBER}
        telegram.playground.world.updates.add("message", poison, f"chat:{guest.id}")
        token = await fail_and_pass(guest, phone)
        await bot.wait_until_shown()
        written = await everything_written(bot)

    assert len(token) >= 22
    files = {"bot.sqlite3", "bot.sqlite3-wal", "bot.sqlite3-shm", "keys.json", "copy"}
    assert files | {"streams", "/metrics", "keys rotate"} <= set(written)
    assert all(written[name] for name in (*files, "streams", "doctor", "keys rotate"))
    assert b"could not be handled" in written["streams"]
    proof(cases=len(written) * (len(CANARIES) + 1))
    assert not {secret: where for secret in (*CANARIES, token) if (where := traces(written, secret))}


async def test_the_chat_holds_no_name_or_number_and_the_bot_said_a_name_only_to_have_it_checked(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot, Phone() as phone:
        guest = await telegram.new_user("李雷")
        await do_what_people_do_wrong(guest)
        await fail_and_pass(guest, phone)
        await bot.wait_until_shown()
        numbers = (NUMBER, OTHER_NUMBER, WRONG_NUMBER)

        assert is_clean(guest), guest.transcript()
        assert not [m for m in guest.messages() if m["from"] == "user" and any(s in str(m) for s in CANARIES)]
        assert not [text for text in guest.everything_said() if any(number in text for number in numbers)]
        assert all("核对" in text or "对吗" in text for text in guest.everything_said() if NAME in text)


async def test_a_code_cannot_be_guessed_from_another(tmp_path: Path) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path), Phone() as phone:
        guest = await telegram.new_user("李雷")
        for step in STEPS[:6]:
            await step.do(guest, phone)
            await guest.sees(step.reply_text)
        shown = await guest.sees("等待扫码")
        await guest.taps("换个新码")
        await telegram.wait_until(lambda: (now := guest.find("等待扫码")) and now["photo"] != shown["photo"])
        first, second = guest.scanned_link(shown), guest.scanned_link(await guest.sees("等待扫码"))

        shared = sum(
            one == other for one, other in zip(first.rpartition("/")[2], second.rpartition("/")[2], strict=True)
        )
        assert shared < 8


KEY = base64.b64encode(b"canary-of-a-key-canary-of-a-key!").decode()
SHORT = base64.b64encode(b"canary-of-a-key").decode()
PASSWORD = "canary-of-a-password"


@pytest.mark.slow("programs")
@pytest.mark.parametrize(
    "settings",
    [
        {"BOT_TOKEN": TOKEN.replace(":", "")},
        {"BOT_TOKEN": f"{TOKEN} {TOKEN}"},
        {"DATABASE_URL": f"mysql://bot:{PASSWORD}@127.0.0.1/bot"},
        {"DATABASE_URL": f"postgresql://bot:{PASSWORD}#x@127.0.0.1/bot"},
        {"DATABASE_URL": f"postgresql://bot:{PASSWORD}@127.0.0.1:1/bot"},
        {"ENCRYPTION_KEYS": f"k1:{KEY}"},
        {"ENCRYPTION_KEYS": f"k1:{SHORT}", "INDEX_KEY": KEY},
        {"ENCRYPTION_KEYS": KEY, "INDEX_KEY": KEY},
        {"ENCRYPTION_KEYS": f"k1:{KEY}", "INDEX_KEY": KEY},
        {"WEBHOOK_URL": "https://bot.example.org", "WEBHOOK_SECRET": PASSWORD[:12]},
        {
            "PROVIDER_WECHAT": "http",
            "ALLOW_SIMULATED": "1",
            "PROVIDER_URL": "https://id.example.org",
            "PROVIDER_SECRET": PASSWORD,
        },
        {"BOT_API_URL": "http://127.0.0.1:1"},
    ],
)
async def test_inv38_a_message_about_a_wrong_setting_holds_no_secret(tmp_path: Path, settings: dict[str, str]) -> None:
    async with simulator() as telegram:
        bot = ManagedBot(telegram, tmp_path, LOG_LEVEL="DEBUG", **settings)
        # Otherwise the doctor waits long for another program that polls.
        await (await telegram.new_user()).says("/start")
        ended, said = await bot.run_command()
        checked, found = await bot.run_command("doctor")

    assert (ended in (1, 2), checked) == (True, 1)
    assert said.count("\n") == 1
    secrets = (TOKEN.partition(":")[2], PASSWORD[:12], KEY, SHORT)
    assert not [secret for secret in secrets if secret in said + found]
