"""Whole conversations: people with their chats and phones, and the real bot."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from playground.phone.apps import Gesture, PhoneApp
from playground.phone.browser import Phone
from tests.bot.app_fixture import RunningBot, running_bot
from tests.bot.handlers.staff_fixture import CATALOGUE
from tests.simulator_fixture import (
    NAME,
    NUMBER,
    ChatUser,
    Simulator,
    go_to_method_choice,
    plain,
    press,
    said,
    scan,
    simulator,
)

DONE = "🎉 认证成功"
CHECK = "请逐字核对"


@dataclass
class ConversationFixture:
    """A person with a phone, and a running bot."""

    simulator: Simulator
    bot: RunningBot
    guest: ChatUser
    phone: Phone
    clock: Path

    def later(self, seconds: float) -> None:
        """Move the bot's clock forward."""
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(str(seconds), encoding="ascii")
        fresh.replace(self.clock)


@asynccontextmanager
async def scene(folder: Path, language: str = "zh-hans") -> AsyncIterator[ConversationFixture]:
    clock = folder / "clock"
    async with simulator() as telegram, running_bot(telegram, folder, clock_offset_file=clock) as bot, Phone() as phone:
        yield ConversationFixture(telegram, bot, await telegram.new_user(language=language), phone, clock)


async def by_wechat(at: ConversationFixture) -> None:
    """Choose WeChat, and pass on the phone page."""
    await at.guest.taps("微信扫码")
    await scan(at.guest, at.phone)
    await press(at.phone, "前往授权")
    await press(at.phone, "授权验证")
    await at.guest.sees(DONE)


# The three methods


async def test_by_wechat_from_the_welcome_to_the_result_with_the_facts_of_the_guide(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as at:
        guest = at.guest
        await guest.says("/start")
        welcome = said(await guest.sees("你要认证哪一类"))
        await go_to_method_choice(guest)
        methods = said(await guest.sees("3/4"))
        labels = guest.labels()
        await guest.taps("微信扫码")
        caption = said(await guest.sees("等待扫码"))
        await scan(guest, at.phone)
        await guest.sees("已在手机上打开")
        await press(at.phone, "前往授权")
        await press(at.phone, "授权验证")
        result = said(await guest.sees(DONE))
        await at.bot.wait_until_quiet()

        assert all(fact in welcome for fact in ("归你本人所有", "3 个账号", "ICP 备案", "增值税专用发票", "注册"))
        assert all(method in methods for method in ("微信扫码", "QQ 扫码", "人脸识别", "银行卡"))
        assert [
            method in label for method, label in zip(("微信扫码", "QQ 扫码", "人脸识别"), labels, strict=False)
        ] == [True] * 3
        assert all(step in caption for step in ("前往授权", "微信支付", "授权验证", "校验码", "前有效"))
        assert all(fact in result for fact in ("归你本人所有", "ICP 备案", "增值税专用发票"))
        # The name is shown once, to be checked, and hidden when it is confirmed.
        assert [CHECK in text for text in guest.everything_said() if NAME in text or NUMBER in text] == [True]
        assert not [message for message in guest.messages() if NAME in said(message)]
        assert [message["from"] for message in guest.messages()].count("user") == 2


async def test_by_qq_without_a_card_which_is_bound_during_the_verification(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await at.guest.taps("QQ 扫码")
        caption = said(await at.guest.sees("等待扫码"))
        await scan(at.guest, at.phone, PhoneApp.QQ)
        await press(at.phone, "未绑定银行卡", Gesture.CHOOSE)
        await press(at.phone, "确认认证")
        await press(at.phone, "立即绑定银行卡")
        await press(at.phone, "完成绑定")
        await press(at.phone, "确认认证")

        assert "立即绑定银行卡" in caption
        assert "QQ 扫码" in said(await at.guest.sees(DONE))


async def test_by_face_with_a_consent_of_its_own(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await at.guest.taps("人脸识别")
        consent = said(await at.guest.sees("需要你单独同意"))
        await at.guest.taps("同意并继续")
        caption = said(await at.guest.sees("等待扫码"))
        await scan(at.guest, at.phone)
        await press(at.phone, "快速验证")
        await press(at.phone, "同意《人脸识别服务协议》", Gesture.TICK)
        await press(at.phone, "下一步")
        await press(at.phone, "开始识别")

        assert "一样能完成认证的还有：微信扫码、QQ 扫码" in consent
        assert all(step in caption for step in ("快速验证", "服务协议", "下一步"))
        assert "人脸识别" in said(await at.guest.sees(DONE))


@pytest.mark.parametrize(
    ("choice", "advice"),
    [
        ("人脸被遮挡", "脸部有遮挡"),
        ("与照片差距过大", "和身份证照片差别较大"),
        ("人脸未完全入框", "没有完整出现在屏幕里"),
        ("姓名或身份证号不一致", "与验证服务的记录不一致"),
    ],
)
async def test_a_failed_face_recognition_gives_its_reason_and_can_be_repeated_without_typing(
    tmp_path: Path, choice: str, advice: str
) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await at.guest.taps("人脸识别")
        await at.guest.sees("需要你单独同意")
        await at.guest.taps("同意并继续")
        for outcome in (choice, "通过"):
            await scan(at.guest, at.phone)
            await press(at.phone, outcome, Gesture.CHOOSE)
            await press(at.phone, "快速验证")
            await press(at.phone, "同意《人脸识别服务协议》", Gesture.TICK)
            await press(at.phone, "下一步")
            await press(at.phone, "开始识别")
            if outcome == choice:
                await at.guest.sees("这次没有通过", advice, "不用重新填写")
                await at.guest.taps("再试一次")

        await at.guest.sees(DONE)


async def test_everything_may_be_typed(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        for text, sign in (
            ("你好", "你要认证哪一类"),
            ("个人", "开始之前"),
            ("同意", "1/4"),
            ("阿依古丽•买买提", "2/4"),
            ("１１０１０１ １９９００３０７ ８０３ｘ", "3/4"),
            ("qq", "等待扫码"),
        ):
            await at.guest.says(text)
            await at.guest.sees(sign)

        assert at.guest.find("等待扫码", "QQ 扫码")


async def test_in_english_from_the_welcome_to_the_result(tmp_path: Path) -> None:
    async with scene(tmp_path, "en-GB") as at:
        guest = at.guest
        await guest.says("/start")
        await guest.taps("Personal")
        await guest.taps("Agree")
        await guest.sees("1/4")
        await guest.says(NAME)
        await guest.sees("2/4")
        await guest.says(NUMBER)
        await guest.taps("WeChat")
        await at.phone.open(PhoneApp.WECHAT, guest.scanned_link(await guest.sees("Waiting")))
        await press(at.phone, "Go to authorise")
        await press(at.phone, "Authorise and verify")
        await guest.sees("Verified")
        await at.bot.wait_until_quiet()

        assert not [text for text in guest.everything_said() if "认证成功" in text]


# What the core decides


async def test_a_fourth_account_of_one_number_is_refused_with_a_link_to_the_faq(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        for _ in range(3):
            at.guest = await at.simulator.new_user("李雷")
            await go_to_method_choice(at.guest)
            await by_wechat(at)
        fourth = await at.simulator.new_user("李雷")
        await go_to_method_choice(fourth, comes_to="已认证满 3 个账号")
        refused = await fourth.sees("已认证满 3 个账号")

        assert any("3 个" in button["label"] for row in refused["buttons"] for button in row)
        assert not fourth.find("等待扫码")


async def test_a_person_who_must_wait_loses_nothing_and_continues_after_that(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    async with simulator() as telegram, running_bot(telegram, tmp_path, daily_attempts=1, clock_offset_file=clock):
        guest = await telegram.new_user()
        await go_to_method_choice(guest)
        await guest.taps("微信扫码")
        await guest.sees("等待扫码")
        await guest.taps("换个新码")
        await guest.sees("今天先到这里", "之后可以接着做")
        clock.write_text(str(24 * 3600 + 1), encoding="ascii")
        await guest.taps("再试一次")
        await guest.sees("等待扫码")

        assert "打开控制台" not in guest.labels()


async def test_inv10_a_button_copied_from_another_chat_does_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        other = await at.simulator.new_user("李雷")
        await go_to_method_choice(at.guest)
        await other.says("/start")
        theirs = await other.sees("你要认证哪一类")
        _, data = at.guest.button("微信扫码") or (0, "")
        await other.press_raw(theirs["id"], data)
        await at.simulator.wait_until(other.toasts)
        await at.bot.wait_until_quiet()

        assert other.toasts() == ["这个按钮已经失效，请用最新一条消息里的按钮。"]
        assert not other.find("等待扫码")
        assert at.guest.find("3/4")
        assert not at.guest.find("等待扫码")


async def test_an_expired_code_says_so_and_a_new_one_needs_one_press(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await at.guest.taps("微信扫码")
        first = at.guest.scanned_link(await at.guest.sees("等待扫码"))
        at.later(3600)
        expired = await at.guest.sees("这个二维码过期了")
        await at.phone.open(PhoneApp.WECHAT, first)
        too_late = at.phone.status
        await at.guest.taps("换个新码")
        second = at.guest.scanned_link(await at.guest.sees("等待扫码"))

        assert (too_late, first != second) == (410, True)
        assert not at.guest.find("等待扫码", "过期")
        assert expired["photo"]


async def test_a_code_is_renewed_while_the_person_is_active(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await at.guest.taps("微信扫码")
        first = await at.guest.sees("等待扫码")
        await at.guest.says("/status")
        await at.guest.sees("📍", "等待扫码")
        await at.bot.wait_until_quiet()
        at.later(585)
        await at.simulator.wait_until(lambda: (now := at.guest.find("前有效", "📷")) and now["photo"] != first["photo"])
        second = at.guest.find("前有效", "📷")

        assert second is not None
        assert at.guest.scanned_link(second) != at.guest.scanned_link(first)
        assert len(at.guest.waiting_messages()) == 1


async def test_a_code_left_for_another_method_is_no_longer_valid(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await at.guest.taps("微信扫码")
        left = at.guest.scanned_link(await at.guest.sees("等待扫码"))
        await at.guest.taps("换种方式")
        await at.guest.sees("3/4")
        await at.phone.open(PhoneApp.WECHAT, left)

        assert at.phone.status == 410


async def test_a_verified_person_is_shown_the_result_and_nothing_undoes_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await go_to_method_choice(at.guest)
        await by_wechat(at)
        for command in ("/start", "/status", "/cancel", "/back"):
            await at.guest.says(command)
        await at.guest.sees("结果不会因为返回或取消而改变")
        await at.bot.wait_until_quiet()

        assert not at.guest.find("你要认证哪一类")
        assert at.guest.find("进度：已完成")


# Side messages


async def test_the_language_changes_in_the_middle_and_the_step_stays(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.guest.says("/start")
        await at.guest.taps("个人认证")
        await at.guest.sees("开始之前")
        await at.guest.says("/language")
        await at.guest.taps("English")
        await at.guest.sees("Before we begin")
        await at.bot.wait_until_quiet()

        assert len(at.guest.waiting_messages()) == 1
        await at.guest.says("/start")
        await at.guest.sees("Welcome back", "Before we begin")


async def test_what_is_stored_about_a_person_is_shown_exported_and_erased(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        guest = at.guest
        await go_to_method_choice(guest)
        await by_wechat(at)
        await guest.says("/privacy")
        shown = said(await guest.sees("这里保存着"))
        await guest.taps("导出我的数据")
        await at.simulator.wait_until(lambda: any(message["document"] for message in guest.messages()))
        document = next(message["document"] for message in guest.messages() if message["document"])
        file = at.simulator.playground.world.files.get(document["file_id"])
        await guest.taps("删除我的数据")
        await guest.taps("先不删")
        await guest.sees("什么都没有删")
        await guest.says("/privacy")
        await guest.taps("删除我的数据")
        await guest.taps("确定删除")
        await guest.sees("已删除")
        await at.bot.wait_until_quiet()
        await guest.says("/privacy")
        remaining = said(await guest.sees("占用 1 个名额"))
        await guest.says("/start")
        again = said(await guest.sees(DONE))

        assert file is not None
        export = json.loads(file.content)
        assert [consent["kind"] for consent in export["consents"]] == ["identity", "abroad"]
        assert [attempt["status"] for attempt in export["attempts"]] == ["succeeded"]
        assert NAME not in str(export)
        assert "收集姓名和身份证号" in shown
        assert export["place"]["method"] == "wechat"
        assert "同意记录" not in remaining
        assert "认证记录" not in remaining
        assert "微信扫码" in again


async def test_a_topic_can_be_read_at_any_step_and_the_step_stays(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.guest.says("/start")
        await at.guest.taps("常见问题")
        await at.guest.sees("第 1 页")
        await at.guest.taps("下一页")
        await at.guest.sees("第 2 页")
        await at.guest.says("/help")
        await at.guest.sees("账号信息 › 基本信息 › 认证状态")
        await at.guest.taps("个人认证")

        await at.guest.sees("开始之前")


@pytest.mark.parametrize("kind", ["sticker", "photo", "voice", "contact", "location", "document", "poll", "video_note"])
async def test_inv11_a_message_that_is_not_a_text_gets_a_reply_and_changes_nothing(tmp_path: Path, kind: str) -> None:
    async with scene(tmp_path) as at:
        await at.guest.says("/start")
        await at.guest.taps("个人认证")
        await at.guest.sees("开始之前")
        before = len(at.guest.everything_said())
        await at.guest.sends(kind)
        await at.simulator.wait_until(lambda: len(at.guest.everything_said()) > before)
        await at.guest.taps("同意并继续")

        await at.guest.sees("1/4")


async def test_inv12_a_forwarded_or_edited_name_is_not_accepted_and_is_deleted(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.guest.says("/start")
        await at.guest.taps("个人认证")
        await at.guest.taps("同意并继续")
        await at.guest.sees("1/4")
        await at.guest.says(NAME, forward=True)
        await at.guest.sees("请直接输入，不要转发")
        mistaken = await at.guest.says("123")
        await at.bot.wait_until_quiet()

        assert not at.guest.find("2/4")
        assert mistaken not in [message["id"] for message in at.guest.messages()]


def stored_about_people(file: Path) -> dict[str, int]:
    """How many rows the tables hold in which something about a person or a conversation stands."""
    own = ("schema_versions", "key_checks", "bots", "programs", "seen_events", "staff_menus")
    with closing(sqlite3.connect(file)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        counts = {
            table: int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
            for table in tables
            if table not in own and not table.startswith("sqlite")
        }
    return {table: count for table, count in counts.items() if count}


async def test_inv05_whose_update_cannot_be_handled_is_told_and_everybody_else_is_served(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        other = await at.simulator.new_user("李雷")
        await at.guest.says("/start")
        await at.guest.sees("你要认证哪一类")
        broken = {"message_id": 5, "date": "soon", "chat": {"id": at.guest.id, "type": "private"}, "entities": 7}
        at.simulator.playground.world.updates.add("message", broken, f"chat:{at.guest.id}")
        await other.says("/start")
        await other.sees("你要认证哪一类")
        await at.guest.sees(plain(CATALOGUE.text("zh", "misc.trouble")))

        async with at.simulator.http.get(f"{at.bot.app.deps.public_url}/metrics") as metrics:
            assert 'bot_updates_total{outcome="dead"} 1.0' in await metrics.text()


@pytest.mark.parametrize("type", ["group", "supergroup", "channel"])
async def test_inv13_in_a_group_the_bot_sends_its_link_once_and_leaves(tmp_path: Path, type: str) -> None:
    async with scene(tmp_path) as at:
        chat = await at.simulator.sim("/chats", type=type, title="大家", members=[at.guest.id])
        group = ChatUser(at.simulator, at.guest.id, chat["id"])
        await at.simulator.wait_until(lambda: group.events("left"))
        await at.bot.wait_until_quiet()
        hello = [event["message"] for event in group.events("message") if event["from"] == "bot"]

        assert len(hello) == (0 if type == "channel" else 1)
        assert all("t.me/" in message["buttons"][0][0]["url"] for message in hello)
        assert stored_about_people(at.bot.app.settings.data_dir / "bot.sqlite3") == {}


async def test_inv04_two_people_at_once_do_not_affect_each_other(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        other = await at.simulator.new_user("李雷")
        await go_to_method_choice(at.guest)
        await go_to_method_choice(other, name="李雷", number="440524188001010014")
        await by_wechat(at)
        await at.bot.wait_until_quiet()

        assert other.find("3/4")
        assert not other.find(DONE)
