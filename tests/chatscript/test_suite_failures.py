"""The report of a failing script: location, expected and actual, the chat, the bot's log."""

from pathlib import Path

import pytest

from chatscript.language.bot_texts import BotTexts
from chatscript.runner.bot_process import CommandLauncher
from chatscript.runner.case_runner import RunConfig, run_case
from chatscript.runner.event_waiter import Timing
from chatscript.suite import cases_of
from tests.chatscript.bots.playing import SHOP_BOT, report_of
from tests.chatscript.test_suite import FORM


async def test_a_report_has_all_parts(tmp_path: Path) -> None:
    report = await report_of(tmp_path, "title: A slip\n> /start\n< 你好 请输入姓\n")

    assert report.splitlines() == [
        "FAIL A slip",
        f"{tmp_path}/talk.chat:3: the bot did something different:",
        "  expected: < 你好 请输入姓",
        "  got:      < 你好",
        "                | 请输入姓名",
        "  - the text differs: after '你好 请输入姓' expected the end, got '名'",
        "  the chat so far:",
        "    > /start",
        "    < 你好",
        "        | 请输入姓名",
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "> /noise\n< 请发文字\n",
            "3: the script ends here and does not mention this:\n  got:      < 还有一句",
            id="message",
        ),
        pytest.param(FORM + "> [修改]\n", "does not mention this:\n  got:      ~ 请输入姓名", id="edit"),
        pytest.param(
            "> 王小明\n< ...请确认 [*]\n",
            "does not mention what the bot did first:\n  expected: < ...请确认 [*]\n  got:      x > 王小明",
            id="deletion",
        ),
        pytest.param(FORM + "> (tap) x\n", "does not mention this:\n  got:      ! 按钮已失效", id="toast"),
        pytest.param("> 王小明\nx\n< ...请确认\n", "it has buttons that the script does not mention", id="buttons"),
        pytest.param(
            "@user B\n> /start\n< ...\n@user A\n> /call {id:B}\n< 已通知\n",
            "does not mention this:\n  got:      < 有人找你\n  - in the chat of B",
            id="another chat",
        ),
        pytest.param("@group\n< 请私聊我\n", "does not mention this:\n  got:      @left", id="leaving"),
    ],
)
async def test_an_unmentioned_event_fails_the_script(tmp_path: Path, script: str, expected: str) -> None:
    report = await report_of(tmp_path, f"title: Strict\n{script}".replace("\n\n", "\n"))

    assert expected in report


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("< 王小明，请确认", "the bot did nothing more here (it is idle)"),
        ("> [确任]", "nearest label: [✅ 确认]"),
        ("> [确任]", "the keyboard: [✅ 确认] [修改] / [网站 -> https://example.org/a?b=1]"),
        ("> [...]", "[...] matches several buttons; write [...]@2 or @row.column (at 1.1, 1.2, 2.1)"),
        ("> [修改]@2.2", "there is no button [修改]"),
        ("> (old) [修改]", "no earlier message had the button [修改]"),
        ("> (tap) 1\n!! 按钮已失效", "it is a toast (!), not an alert (!!)"),
        ("> (tap) 1\n! 按钮", "after '按钮' expected the end, got '已失效'"),
        ("> [修改]\n< 请输入姓名", "it is an edit of an earlier message, not a new one"),
        ("> [修改]\n~ 请输入 ID", "after '请输入' expected ' ID', got '姓名'"),
        ("> /start\n~ 你好...", "it is a new message, not an edit"),
        ("> /start\n! 你好", "the bot did something else:\n  expected: ! 你好\n  got:      < 你好"),
        ("> 李雷\nx 李雷", "it is the person's own message"),
        ("> 李雷\nx > 雷", "expected '雷', got '李雷'"),
        (
            "> [确认]\n! ...\n~ ...\n< (photo) 请扫码 [*]\n    qr: https://a.example/",
            "the QR code differs: after 'https://' expected 'a.example/', got 'verify.example/s/x7'",
        ),
        ("> [确认]\n! ...\n~ ...\n< 请扫码 [*]", "it is a photo, not a text"),
        ("@block\n> hi", "A blocked the bot"),
        ("@user B\n> (edit) hi", "has written no message here that could be edited"),
        ("@scan wechat", "no picture of this chat shows a QR code"),
        ("@page hi", "@scan comes first"),
        ("@status 200", "the page was answered with nothing yet"),
        ("@scan wechat http://127.0.0.1:1/", "the phone cannot open http://127.0.0.1:1/"),
    ],
)
async def test_a_failing_line_says_why(tmp_path: Path, line: str, expected: str) -> None:
    report = await report_of(tmp_path, FORM + line + "\n")

    assert expected in report


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("> [复制]@1", "[复制] is a copy button: a press of it does not reach the bot"),
        ("> [复制]", "matches several buttons; write [复制]@2 or @row.column (at 2.1, 2.2)"),
        ("> [去商店]", "the phone cannot open http://127.0.0.1:1/"),
        ("> [去市场]", "nearest label: [去商店]"),
        ("> /keys\n< ... [*]\n> /plain\n< ...\n> [/plain]", "there is no button [/plain]"),
        ("> /shop\n...\n> [去商店]", "the phone cannot open"),
        ("> /shop\n< (document) 账单 [*]\n    file: x", "the file's name differs: expected 'x', got 'bill-7.csv'"),
        ("> (tap) x\n> /keys\n< 选一个", "it has buttons that the script does not mention"),
    ],
)
async def test_rarer_buttons_and_files_say_why_too(tmp_path: Path, lines: str, expected: str) -> None:
    start = "@set SHOP_URL=http://127.0.0.1:1/\n> /shop\n< (document) 账单 [*]\n"

    report = await report_of(tmp_path, f"{start}{lines}\n", SHOP_BOT)

    assert expected in report


async def test_an_empty_chat_has_no_button_to_press(tmp_path: Path) -> None:
    assert "the bot has sent no message whose button could be pressed" in await report_of(tmp_path, "> (tap) x\n")


async def test_a_bot_that_ends_is_reported_with_its_last_output(tmp_path: Path) -> None:
    report = await report_of(tmp_path, "> /start\n< ...\n> /die\n< bye\n")

    assert "the bot's process ended with exit code 3" in report
    assert report.endswith("  the bot's log of this step:\n    giving up")


async def test_a_long_chat_is_cut(tmp_path: Path) -> None:
    report = await report_of(tmp_path, "> /start\n< ...\n" * 10 + "< more\n")

    assert "the chat so far (the last 24 lines of 30):" in report


@pytest.mark.parametrize(
    ("program", "timing", "expected"),
    [
        (
            "raise SystemExit('no token')",
            Timing(),
            "its process ended with exit code 1; it called nothing at BOT_API_URL",
        ),
        (
            "import signal\nprint('hm', flush=True)\nsignal.pause()",
            Timing(start_timeout=3),
            "no getUpdates or setWebhook within 3 s (a slow start: --start-within 120);"
            " it called nothing at BOT_API_URL",
        ),
    ],
)
async def test_a_bot_that_does_not_start_is_reported(
    tmp_path: Path, program: str, timing: Timing, expected: str
) -> None:
    bot, script = tmp_path / "bot.py", tmp_path / "t.chat"
    bot.write_text(program, encoding="utf-8")
    script.write_text("> hi\n", encoding="utf-8")
    (case,) = cases_of(script, BotTexts())

    result = await run_case(case, RunConfig(CommandLauncher.python(bot), BotTexts(), timing))

    assert result.failure is not None
    assert result.failure.headline == f"the bot did not start: {expected}"
    assert result.failure.log == (("no token",) if "token" in program else ("hm",))


async def test_a_missing_program_is_reported(tmp_path: Path) -> None:
    script = tmp_path / "t.chat"
    script.write_text("> hi\n", encoding="utf-8")
    (case,) = cases_of(script, BotTexts())

    result = await run_case(case, RunConfig(CommandLauncher(["/nowhere/bot"]), BotTexts()))

    assert result.failure is not None
    assert result.failure.headline == "the bot did not start: there is no program /nowhere/bot"
