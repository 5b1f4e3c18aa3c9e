"""The fixture `chat`: the lines of scripts in Python, as strict as in a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatscript.language.bot_texts import BotTexts
from chatscript.python_api import ChatFailed, Conversation, open_conversation
from chatscript.runner.bot_process import CommandLauncher
from chatscript.runner.case_runner import RunConfig
from tests.chatscript.bots.playing import FORM_BOT, launcher_for
from tests.chatscript.test_suite_runs import pytest_on


@pytest.fixture
async def form() -> AsyncIterator[Conversation]:
    """A conversation with the small form bot."""
    async with open_conversation(RunConfig(launcher_for(FORM_BOT), BotTexts()), "form") as conversation:
        yield conversation


@pytest.mark.slow("programs")
async def test_the_fixture_talks_to_our_own_bot(chat: Conversation) -> None:
    await chat.send("/start")
    await chat.expect("{t:type.ask}", buttons=["*"])
    await chat.tap("个人认证")
    await chat.expect_edit("{t:consent.ask}", buttons=[["{t:choice.agree}", "{t:choice.not_now}"], "*"])
    await chat.play("@expect-state Agreeing")
    await chat.tap("{t:choice.agree}")
    await chat.anything()
    await chat.play("@expect-state AskingName")
    with pytest.raises(ChatFailed, match="the bot wrote the state AskingName last"):
        await chat.play("@expect-state Agreeing")
    await chat.send("王小明")
    await chat.anything()
    await chat.send("11010519491231002X")
    await chat.anything()
    await chat.tap("人脸识别")
    await chat.anything()
    await chat.tap("{t:choice.agree}")
    await chat.expect_edit("{t:scan.waiting}", buttons=["*"], qr="{link}")
    await chat.phone.scan("wechat", "{link}")
    await chat.expect_edit("{t:scan.opened}", buttons=["*"], kind="photo")
    await chat.phone.shows("{t:page.press.quick}")
    await chat.phone.hides("王小明")


async def test_a_form_from_the_first_word_to_the_code(form: Conversation) -> None:
    form.set(GREETING="欢迎")
    form.let(name="王小明")

    await form.send("/start")
    await form.expect("欢迎\n请输入姓名")
    await form.send("{name}")
    await form.expect_deleted("{name}", own=True)
    await form.expect("{name}，请确认", buttons=[["确认", "修改"], ["网站 -> {site}"]])
    await form.tap("确认")
    await form.expect_toast("已确认")
    await form.expect_edit("已确认：{name}")
    await form.expect("请扫码", buttons=["我已完成"], qr="https://verify.example/s/{code}")
    await form.wait("11m")
    await form.tap("我已完成")
    await form.expect_toast("二维码已过期", alert=True)
    await form.expect_deleted("请扫码", kind="photo")
    await form.tap("确认", old=True)
    await form.expect_toast("...")
    await form.forge("x:y")
    await form.expect_toast("按钮已失效")
    await form.end()

    assert (form.values["code"], form.values["site"]) == ("x7", "https://example.org/a?b=1")


async def test_several_people_and_attachments(form: Conversation) -> None:
    # Before the first message: a killed bot would answer again what it had not confirmed.
    await form.crash()
    await form.user("B")
    await form.send("/start")
    await form.expect("...")
    await form.user("A")
    await form.send("/call {id:B}")
    await form.expect("已通知")
    await form.send(kind="sticker")
    await form.anything()
    await form.send("[李雷]", forward=True)
    await form.anything()
    await form.send("(李雷)")
    await form.expect_deleted(own=True)
    await form.expect("\\(李雷)...", buttons=["*"])
    await form.send("/start")
    await form.expect("...")
    await form.edit("改")
    await form.expect("改过的消息不算")
    await form.user("B")
    await form.expect("有人找你")
    await form.fail("sendMessage", "slow")
    await form.end()


async def test_a_failure_has_the_whole_report(form: Conversation) -> None:
    await form.send("/start")

    with pytest.raises(ChatFailed) as failed:
        await form.expect("再见")

    assert str(failed.value).splitlines()[:4] == [
        "FAIL form",
        "form:2: the bot did something different:",
        "  expected: < 再见",
        "  got:      < 你好",
    ]
    assert "  the chat so far:\n    > /start\n    < 你好" in str(failed.value)
    await form.end()


async def test_an_unmentioned_event_fails_at_the_end(form: Conversation) -> None:
    await form.send("/start")

    with pytest.raises(ChatFailed, match="does not mention this:\n  got:      < 你好"):
        await form.end()


async def test_lines_that_cannot_be_parsed_or_run_say_why(form: Conversation) -> None:
    with pytest.raises(ChatFailed, match=r"form:1:3: nothing before this line defines \{unknown\}"):
        await form.send("{unknown}")
    with pytest.raises(ChatFailed, match="nothing before"):
        await form.play("> /start\n< ...\n> {unknown}")
    with pytest.raises(ChatFailed, match="no picture of this chat shows a QR code"):
        await form.phone.scan("wechat")
    with pytest.raises(ChatFailed, match="the bot writes no states"):
        await form.play("@expect-state Anything")
    with pytest.raises(ChatFailed, match="A blocked the bot"):
        await form.play("@block\n> hi")
    with pytest.raises(ChatFailed, match="before the first line"):
        form.set(GREETING="hi")


async def test_a_bot_that_does_not_start_is_reported(tmp_path: Path) -> None:
    async with open_conversation(
        RunConfig(CommandLauncher((str(tmp_path / "nothing"),)), BotTexts()), "none"
    ) as conversation:
        with pytest.raises(ChatFailed, match="the bot did not start"):
            await conversation.send("/start")


TESTS = """async def test_good(chat):
    await chat.send("/start")
    await chat.expect("你好...")

async def test_silent(chat):
    await chat.send("/start")

async def test_other(chat):
    await chat.send("/start")
    assert False, "of its own"
"""


@pytest.mark.slow("programs")
def test_the_plugin_fails_a_test_with_an_unmentioned_event(tmp_path: Path) -> None:
    (tmp_path / "test_talk.py").write_text(TESTS, encoding="utf-8")

    done = pytest_on(tmp_path, "-n", "2")

    assert "1 failed, 2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "ERROR test_talk.py::test_silent" in done.stdout
    assert "does not mention this:" in done.stdout
    assert "FAILED test_talk.py::test_other" in done.stdout
