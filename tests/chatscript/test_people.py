"""People do what people do: votes, payments, keys that ask, replies, reactions, files, their own facts; slow bots."""

from pathlib import Path

import pytest

from chatscript.language.parser import ScriptErrors, parse_script
from chatscript.suite import SOME_FAILED, SuiteOptions, run_suite
from tests.chatscript.bots.playing import FORM_BOT, TIMING, launcher_for, passes, report_of

LIFE_BOT = FORM_BOT.with_name("life_bot.py")


async def test_people_vote_pay_and_share(tmp_path: Path) -> None:
    script = """title: A day
> /poll
< (poll) 去哪里？   [北京] / [上海]
> [上海]
< 选了 (1,)
> /pay
< (invoice) 单: 明细   [Pay 5 ⭐]
> [Pay 5 ⭐]
< 已付 5
@me name=小明 username=xiaoming phone=+8613900139000
> /keys
< 请选   [号码] [位置] / [网页] [文字]
> [号码]
< 小明 +8613900139000 @xiaoming
> [位置]
< 位置 39.9042
> [文字]
< 文字
> (web_app_data) {"a": 1}
"""

    await passes(tmp_path, script.replace('{"a": 1}', "a1") + "< 网页说 a1\n", bot=LIFE_BOT)


async def test_people_reply_react_and_send_files(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("你好", encoding="utf-8")
    script = """title: Another day
> /dice
< (dice) 🎯 ...
< (venue) 大厅, 长安街 1 号
< 粗
> (reply) 真的？
< 回复了 粗
> (react) 👍
< 谢谢
> (document) 看
    file: note.txt
< note.txt: 你好
> /mark
@reacted 👍
@pinned
@unpinned
"""

    await passes(tmp_path, script, bot=LIFE_BOT)


async def test_a_bot_that_types_is_busy_and_a_quiet_one_gets_patience(tmp_path: Path) -> None:
    await passes(tmp_path, "title: Slow\n> /slow\n< 想好了\n@patience 4s\n> /quiet\n< 久等了\n", bot=LIFE_BOT)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("> (document)\n    file: none.txt", "the file cannot be read"),
        ("> (reply) a", "the bot has sent no message that could be replied to"),
        ("> /mark\n@reacted 👎", "the reaction is 👍"),
        ("> /mark\n@pinned", "mention what the bot did first:\n  expected: @pinned\n  got:      @reacted 👍"),
        ("> /mark\n@reacted 👍\n@unpinned", "got:      @pinned"),
        ("> /keys\n< 请选   [*]\n> [网页]", "127.0.0.1:1"),
    ],
)
async def test_what_goes_wrong_is_said(tmp_path: Path, lines: str, expected: str) -> None:
    assert expected in await report_of(tmp_path, f"title: Wrong\n{lines}\n", bot=LIFE_BOT)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("@me age=5", "unknown fact age: expected one of name, last_name, username, phone"),
        ("@me name=a b", "expected name=value, with quotes around a value with spaces"),
        ("> (document) a\n    fil: b", "expected one line: file: and a name"),
        ("> (sticker)\n    file: b", "expected"),
        ("@patience long", "expected a time"),
        ("@pinned now", "expected nothing after @pinned"),
    ],
)
def test_a_mistake_is_pointed_at(line: str, expected: str) -> None:
    with pytest.raises(ScriptErrors, match=expected):
        parse_script(f"title: T\n> a\n{line}\n", "t.chat")


async def test_an_optional_line_may_be_missing(tmp_path: Path) -> None:
    script = "title: Maybe\n> /dice\n<? 请稍候\n< (dice) ...\n<? (venue) ...\n~? 粗\n< 粗\n<? 还有\n"

    await passes(tmp_path, script, bot=LIFE_BOT)


async def test_a_script_includes_the_steps_of_another(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "pay.chat").write_text("title: Part\n> /pay\n< (invoice) ...   [*]\n", encoding="utf-8")

    await passes(tmp_path, "title: Whole\n> hi\n< hi\n@include parts/pay.chat\n> [*]\n< 已付 5\n", bot=LIFE_BOT)


def test_a_wrong_include_is_pointed_at(tmp_path: Path) -> None:
    part = tmp_path / "part.chat"
    part.write_text("> a\n@include part.chat\nwrong\n", encoding="utf-8")
    script = "title: T\n> a\n@include part.chat\n@include none.chat\n"

    with pytest.raises(ScriptErrors) as caught:
        parse_script(script, str(tmp_path / "t.chat"))

    assert [line.partition(": ")[2] for line in str(caught.value).splitlines() if ".chat:" in line] == [
        "a script cannot include itself",
        "expected a mark in the first column: > < ~ x ! !! >> << ... or @word; # begins a comment",
        "expected the name of a script, relative to this one",
    ]


async def test_a_script_with_an_include_is_not_accepted(tmp_path: Path) -> None:
    (tmp_path / "part.chat").write_text("> hi\n", encoding="utf-8")
    whole = tmp_path / "whole.chat"
    whole.write_text("title: Whole\n@include part.chat\n< no\n", encoding="utf-8")
    said: list[str] = []
    options = SuiteOptions(accept=True, timing=TIMING)

    code = await run_suite([whole], options, launcher=launcher_for(LIFE_BOT), texts=None, out=said.append)

    assert code == SOME_FAILED
    assert any("it includes another script" in line for line in said)


async def test_an_optional_line_is_kept_when_a_script_is_accepted(tmp_path: Path) -> None:
    script = tmp_path / "talk.chat"
    script.write_text("title: Keep\n> hi\n<? 请稍候\n< no\n<? 还有\n", encoding="utf-8")
    options = SuiteOptions(accept=True, timing=TIMING)

    code = await run_suite([script], options, launcher=launcher_for(LIFE_BOT), texts=None, out=lambda _: None)

    assert code == 0
    assert script.read_text(encoding="utf-8") == "title: Keep\n> hi\n<? 请稍候\n< hi\n<? 还有\n"
