"""Whole conversations with a real bot process: every kind of line passes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatscript.language.bot_texts import BotTexts, parse_sentence
from chatscript.report.console import remarks
from tests.chatscript.bots.playing import SHOP_BOT, passes, play_text

FORM = """
> /start
< 你好 请输入姓名
> 王小明
x > 王小明
< 王小明，请确认   [确认] [修改] / [网站]
"""


async def test_a_form_from_the_first_word_to_the_code(tmp_path: Path) -> None:
    script = """
        title: The form
        cases: name=王小明 | name=阿依古丽·买买提
        > /start
        < 你好
            | 请输入姓名
        > {name}
        x > {name}
        < {name}，请确认
            [确认] [修改]
            [网站 -> https://example.org/{path}]
        > [确认]
        ! 已确认
        ~ 已确认：{name}
        < (photo) 请扫码  [我已完成]
            qr: https://verify.example/s/{code}
        > {path} {code}
        x > a?b=1 x7
        < a?b=1 x7，请确认   [*]
        """
    await passes(tmp_path, script.replace("\n        ", "\n"))


async def test_a_silent_answer_needs_no_line(tmp_path: Path) -> None:
    await passes(tmp_path, FORM + "> [修改]\n~ 请输入姓名\n")


async def test_the_clock_of_the_bot_moves(tmp_path: Path) -> None:
    shown = FORM + "> [确认]\n! ...\n~ ...\n< (photo) 请扫码 [*]\n@wait 9m\n> [我已完成]\n! 按钮已失效\n"

    await passes(tmp_path, shown + "@wait 61s\n> [我已完成]\n!! 二维码已过期\nx (photo) 请扫码\n")


async def test_a_crash_keeps_what_the_bot_keeps(tmp_path: Path) -> None:
    await passes(tmp_path, FORM + "@crash\n> [确认]\n! 已确认\n~ 已确认：王小明\n< (photo) 请扫码 [*]\n")


async def test_several_people_have_chats_of_their_own(tmp_path: Path) -> None:
    there = "@user B\n> /start\n< ...\n@user A\n> /call {id:B}\n< 已通知\n@user B\n< 有人找你\n"

    await passes(tmp_path, there + "> /call {id:A}\n< 已通知\n@user A\n< 有人找你\n")


async def test_a_group_has_a_chat_too(tmp_path: Path) -> None:
    await passes(tmp_path, "@group\n< 请私聊我\n@left\n@private\n> /start\n< 你好...\n@user B\n> /start\n< 你好...\n")


async def test_attachments_can_be_sent(tmp_path: Path) -> None:
    script = "> (sticker)\n< 请发文字\n< 收到...\n> (forward) 王小明\nx > 王小明\n< 王小明... [*]\n"

    await passes(tmp_path, script + "> (photo) 请看\n< 请发文字\n< 收到...\n> hi\nx\n< hi... [*]\n")


async def test_an_own_message_can_be_edited(tmp_path: Path) -> None:
    await passes(tmp_path, "> /start\n< ...\n> (edit) /stop\n< 改过的消息不算\n")


async def test_old_and_forged_presses_reach_the_bot(tmp_path: Path) -> None:
    pressed = "> [确认]\n! 已确认\n~ ...\n< (photo) ... [*]\n> (old) [确认]\n! 按钮已失效\n> (tap) x:y\n! 按钮已失效\n"

    await passes(tmp_path, FORM + pressed)


async def test_a_line_of_dots_allows_anything_up_to_the_next_line(tmp_path: Path) -> None:
    await passes(tmp_path, "> 王小明\n...\n< ...请确认 [*]\n> /noise\n...\n> /start\n< 你好...\n> /noise\n...\n")


async def test_the_settings_of_a_script_reach_the_bot(tmp_path: Path) -> None:
    await passes(tmp_path, "case: word=欢迎\n@set GREETING={word} {id:A}\n> /start\n< {word} {id:A} 请输入姓名\n")


async def test_faults_are_injected(tmp_path: Path) -> None:
    await passes(tmp_path, "@fail sendMessage 502\n> /start\n> /noise\n< 请发文字\n< 还有一句\n")


async def test_an_update_can_be_delivered_twice(tmp_path: Path) -> None:
    await passes(tmp_path, "@duplicate\n> /start\n< 你好...\n< 你好...\n")


async def test_a_person_who_blocked_the_bot_gets_nothing(tmp_path: Path) -> None:
    blocked = "@user B\n> /start\n< ...\n@block\n@user A\n> /call {id:B}\n> (sticker)\n< 请发文字\n< 收到...\n"

    await passes(tmp_path, blocked + "@user B\n@unblock\n> /start\n< 你好...\n")


async def test_keys_are_read_in_the_language_of_the_person(tmp_path: Path) -> None:
    bot_texts = BotTexts(
        {"zh": {"hello": parse_sentence("<b>你好</b>\n请输入{x}")}, "en": {"hello": parse_sentence("Hello\n{y}")}}
    )

    both = await play_text(tmp_path, "> /start\n< {t:hello}\n", bot_texts=bot_texts, languages=["all"])
    switched = await play_text(
        tmp_path,
        "@lang en\n> /start\n< {t:hello}\n< Hello...\n".replace(
            "< Hello...\n", "@texts zh\n@lang zh\n> /start\n< {t:hello}\n"
        ),
        bot_texts=bot_texts,
    )

    assert [(result.case.language, result.failure) for result in [*both, *switched]] == [
        ("zh", None),
        ("en", None),
        ("en", None),
    ]


AGREE = """<title>实名认证</title><p>账号 1***9</p><form method=post><label><input type=checkbox name=agree required>
同意服务协议</label><select name=result><option>通过</option><option>人脸被遮挡</option></select>
<button>前往授权</button></form>"""


async def page(request: web.Request) -> web.Response:
    if "MicroMessenger" not in request.headers["User-Agent"]:
        return web.Response(status=403, text="<p>请用微信扫码</p>", content_type="text/html")
    if request.method == "POST":
        result = (await request.post())["result"]
        waiting = f"<meta http-equiv=refresh content='1; url=/done?result={result!s}'>请稍候"
        return web.Response(text=waiting, content_type="text/html")
    return web.Response(text=AGREE, content_type="text/html")


async def done(request: web.Request) -> web.Response:
    return web.Response(text=f"<h1>结果：{request.query['result']}</h1>", content_type="text/html")


@pytest.fixture
async def provider() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/s/{code}", page)
    app.router.add_get("/done", done)
    async with TestServer(app) as server:
        yield str(server.make_url("/s/q1"))


async def test_the_phone_scans_the_code_and_fills_in_the_page(tmp_path: Path, provider: str) -> None:
    script = f"""@set FORM_URL={provider}
{FORM}
> [确认]
! ...
~ ...
< (photo) 请扫码  [我已完成]
    qr: {provider}
@scan browser
@status 403
@page 请用微信
@scan wechat
@status 200
@page! 请用微信
@page 账号 {{masked}}
@tick 同意
@choose 人脸被遮挡
@press 前往授权
@page /结果：人脸被遮挡$/
@reload
@page! {{masked}}
"""
    await passes(tmp_path, script)


async def test_ignored_fields_are_reported_and_fail_nothing(tmp_path: Path) -> None:
    played = await play_text(tmp_path, "cases: n=1 | n=2\n> /plain\n< 键盘收起\n", bot=SHOP_BOT)

    assert [result.failure for result in played] == [None, None]
    assert remarks(played) == ['sendMessage: Telegram ignores the field "colour" (2 of 2 cases)']


async def test_a_link_opens_on_the_phone_and_a_reply_keyboard_types(tmp_path: Path, provider: str) -> None:
    script = f"""@set SHOP_URL={provider}
> /keys
< 选一个   [/plain] [/shop]
> [/shop]
< (document) 账单
    [去商店 -> {provider}] [分享 -> 水果]
    [复制 -> {{number}}] [复制]
    file: bill-...csv
> [去商店]
@status 403
> (tap) {{number}}
> [/plain]
< 键盘收起
> [分享]
<< [水果] [蔬菜]
"""
    await passes(tmp_path, script, SHOP_BOT)
