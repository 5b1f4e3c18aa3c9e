"""`play --accept`: rewrites the lines of a script that no longer match, and no others."""

from pathlib import Path

import pytest

from chatscript.language.bot_texts import BotTexts, parse_sentence
from chatscript.language.lexer import SourceSpan, parse_expected_text
from chatscript.language.patterns import SourceLocation
from chatscript.match.chat_view import ButtonView as Button
from chatscript.match.chat_view import ChatEvent, MessageView
from chatscript.match.matcher import MatchContext
from chatscript.record.expectation_writer import rewrite_text, write_new_expectation
from chatscript.suite import SuiteOptions, run_suite
from tests.chatscript.bots.playing import FORM_BOT, launcher_for

CATALOGUE = BotTexts(
    {
        "zh": {
            "ask.name": parse_sentence("请输入姓名"),
            "ask.number": parse_sentence("请输入号码，{name}"),
            "bye": parse_sentence("再见"),
        }
    }
)


def rewritten(old: str, actual: str, **values: str) -> str:
    read = parse_expected_text(SourceSpan(old, SourceLocation("t.chat", 1)))
    return rewrite_text(read, actual, MatchContext(values, {"A": 7}, CATALOGUE))


@pytest.mark.parametrize(
    ("old", "actual", "new"),
    [
        ("你好...", "你好，王小明", "你好..."),
        ("你好", "您好", "您好"),
        ("{name}，请确认", "李雷，请核对", "{name}，请核对"),
        ("{t:ask.name}", "请输入号码，李雷", "{t:ask.number}"),
        ("{t:ask.name}", "没有这一句", "没有这一句"),
        ("请输入姓名", "再见", "再见"),
        ("{t:bye} 一 {code}", "再见 二 7", "{t:bye} 二 7"),
        ("你好", "码 7，2026-11-23 09:30 前，账号 69***54", "码 7，... ... 前，账号 ..."),
        ("/你好.*/", "再见 [x] {y} ...", r"再见 \[x] \{y} \..."),
    ],
)
def test_a_text_keeps_the_parts_that_still_match(old: str, actual: str, new: str) -> None:
    assert rewritten(old, actual, name="李雷") == new
    assert rewritten(new, actual, name="李雷") == new


def test_a_new_message_is_written_by_keys_where_the_script_uses_keys() -> None:
    scope = MatchContext({}, {"A": 7}, CATALOGUE)
    message = MessageView(
        1, own=False, kind="text", text="再见\n请输入号码，李雷", rows=((Button("🙂 请输入姓名", "data"),),)
    )
    event = ChatEvent(1, 7, "message", own=False, message=message)

    assert write_new_expectation(event, scope, ["bye"]) == ["< {t:bye} {t:ask.number}   [{t:ask.name}]"]
    assert write_new_expectation(event, scope, []) == ["< 再见", "    | 请输入号码，李雷   [🙂 请输入姓名]"]


def test_addresses_of_this_machine_become_wildcards() -> None:
    link = Button("打开", "url", target="http://127.0.0.1:8080/v/x")
    message = MessageView(1, own=False, kind="text", text="见 http://127.0.0.1:8080/v/x", rows=((link,),))
    event = ChatEvent(1, 7, "message", own=False, message=message)

    assert write_new_expectation(event, MatchContext({}, {"A": 7}, CATALOGUE), []) == ["< 见 ...   [打开 -> ...]"]
    assert write_new_expectation(event, MatchContext({}, {"A": 7}, CATALOGUE), ["bye"]) == ["< 见 ...   [打开 -> ...]"]


OLD = """# What a form asks.
title: The form
cases: name=王小明 | name=李雷

> /start
< 您好
    # a comment inside
    | 请输入姓名
< 还有吗
> {name}
x > {name}
~ {name}，请核对   [确定] [修改]
    [*]
# the end
> [确认]
! ...
~ 已确认：...
"""

NEW = """# What a form asks.
title: The form
cases: name=王小明 | name=李雷

> /start
    # a comment inside
< 你好
    | 请输入姓名
> {name}
x > {name}
< {name}，请确认   [确认] [修改] / [网站 -> https://example.org/a?b=1]
# the end
> [确认]
! ...
~ 已确认：...
< (photo) 请扫码   [我已完成]
"""


async def accepted(folder: Path, source: str) -> tuple[int, list[str], str]:
    (folder / "talk.chat").write_text(source, encoding="utf-8")
    said: list[str] = []
    options = SuiteOptions(jobs=4, accept=True)
    launch = launcher_for(FORM_BOT)
    status = await run_suite([folder], options, launcher=launch, texts=folder / "texts", out=said.append)
    return status, said, (folder / "talk.chat").read_text(encoding="utf-8")


@pytest.mark.slow("programs")
async def test_only_the_lines_that_differ_are_rewritten(tmp_path: Path) -> None:
    status, said, new = await accepted(tmp_path, OLD)

    assert new == NEW
    assert (status, said[-1].strip().split(" in ")[0]) == (0, "2 passed")
    assert any(line.endswith("talk.chat, 4 places changed") for line in said)


async def test_a_script_that_passes_stays_unchanged(tmp_path: Path) -> None:
    status, said, new = await accepted(tmp_path, NEW)

    assert (status, new) == (0, NEW)
    assert not any(line.startswith("accepted") for line in said)


@pytest.mark.slow("programs")
async def test_a_step_that_is_no_longer_possible_stays_a_failure(tmp_path: Path) -> None:
    old = "> /start\n< 你好...\n> [没有]\n"

    status, said, new = await accepted(tmp_path, old)

    assert (status, new) == (1, old)
    assert any("there is no button [没有]" in line for line in said)


async def test_cases_that_need_different_lines_are_not_rewritten(tmp_path: Path) -> None:
    old = "cases: name=王小明 | name=李雷\n> {name}\nx\n< 你好 [*]\n"

    status, said, new = await accepted(tmp_path, old)

    assert (status, new) == (1, old)
    assert any(line.startswith("not accepted: ") for line in said)
