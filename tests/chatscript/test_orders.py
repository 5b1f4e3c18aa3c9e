"""Messages in any order, messages that must not come, several groups, and roles in them."""

import asyncio
from pathlib import Path

import pytest

from chatscript.language.parser import ScriptErrors, parse_script
from chatscript.report.console import failure_report
from chatscript.suite import SuiteOptions, run_suite
from tests.chatscript.bots.playing import FORM_BOT, TIMING, launcher_for, passes, play_text

LIFE_BOT = FORM_BOT.with_name("life_bot.py")
LINES = "title: Both\n> /both\n"


async def reports(folder: Path, sources: list[str]) -> list[str]:
    """Play scripts side by side and return their reports."""
    folders = [folder / str(number) for number in range(len(sources))]
    for each in folders:
        each.mkdir()
    plays = (play_text(each, source, bot=LIFE_BOT) for each, source in zip(folders, sources, strict=True))
    return [failure_report(result) for [result] in await asyncio.gather(*plays) if result.failure]


async def test_lines_may_come_in_any_order_or_must_not_come(tmp_path: Path) -> None:
    script = LINES + (
        "<! 四\n~! ...\n@any-order\n    < 三\n    < ...\n    < 二 {number}\n< 完\n<! 一   [*]\n> {number}\n< 2\n"
        "> /both\n...\n@any-order\n    < 完\n    < 二 2\n"
    )

    await passes(tmp_path, script, bot=LIFE_BOT)


async def test_what_came_otherwise_is_said(tmp_path: Path) -> None:
    expected = {
        "@any-order\n    < 三\n    < 四\n    < 一\n< 完\n": ("no line here mentions:", "this did not come: < 四"),
        "...\n@any-order\n    < 一\n    < 五\n": ("no line here mentions:", "this did not come: < 五"),
        "@any-order\n" + "    < ...\n" * 5: ("the bot did nothing more here", "this did not come: < ..."),
        "...\n<! /二/\n": ("the script forbids this, and it came:", "< 二 2"),
    }

    said = await reports(tmp_path, [LINES + lines for lines in expected])

    for report, words in zip(said, expected.values(), strict=True):
        assert all(word in report for word in words), report


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("@any-order now\n    < a", ":2:12: expected nothing after @any-order"),
        ("@any-order", ":2:11: expected nothing after @any-order, and lines of the bot below it, indented"),
        ("@any-order\n    | a", ":3:5: expected a line with a mark"),
        ("@any-order\n    <? a", ":3:5: expected lines of the bot below @any-order, none of which may be missing"),
        ("@any-order\n    > a", ":3:5: expected lines of the bot"),
        ("@any-ordr\n    < a", "did you mean @any-order?"),
        ("<!", ":2:3: expected what no message may say"),
        ("<! {unknown}", "nothing before this line defines {unknown}"),
        ("@role", ":2:6: expected a role: administrator, member, left after @role"),
        ("@bot-role admin", ":2:11: expected one of administrator, member, left"),
    ],
)
def test_a_mistake_has_its_line_and_its_column(lines: str, expected: str) -> None:
    with pytest.raises(ScriptErrors) as caught:
        parse_script(f"> a\n{lines}\n", "t.chat")

    assert expected in str(caught.value)


def test_lines_in_any_order_may_go_on_below() -> None:
    script = parse_script("> a\n@any-order\n    < a\n        | b\n    ~ (photo) c\n        qr: {d}\n", "t.chat")

    assert script.steps[1].source == "@any-order\n    < a\n    | b\n    ~ (photo) c\n    qr: {d}"


async def accepted(folder: Path, source: str) -> str:
    script = folder / "talk.chat"
    script.write_text(source, encoding="utf-8")
    options = SuiteOptions(accept=True, timing=TIMING)
    code = await run_suite([script], options, launcher=launcher_for(LIFE_BOT), texts=None, out=lambda _: None)
    assert code == 0
    return script.read_text(encoding="utf-8")


async def test_an_accepted_script_keeps_lines_in_any_order_and_loses_those_that_no_longer_come(tmp_path: Path) -> None:
    group = "@any-order\n    < 三\n    < 四\n    < 一\n"

    written = await accepted(tmp_path, f"{LINES}{group}< 完\n> a\n< a\n{group}")

    *head, one, two, three = written.removesuffix("\n< 完\n> a\n< a\n").splitlines()
    assert head == [*LINES.splitlines(), "@any-order"]
    assert {one, two, three} == {"    < 一", "    < 三", "    < 二 2"}


async def test_people_and_the_bot_change_their_roles_in_several_groups(tmp_path: Path) -> None:
    script = """title: Roles
@user B
@group 家人
< demo_bot member, 1
@role left
@role member
@bot-role administrator
< demo_bot administrator, 2
@role left
@role member
< B member, 2
@role administrator
< B administrator, 3
@role administrator
@channel 新闻
< demo_bot administrator, 2
@group 家人
> hi
< hi
@bot-role left
@bot-role left
@bot-role member
< demo_bot member, 2
"""

    await passes(tmp_path, script, bot=LIFE_BOT)


async def test_a_role_that_cannot_be_is_refused(tmp_path: Path) -> None:
    expected = {
        "@role left": "a private chat has no roles",
        "@group\n...\n@role left": "the first person of a group is its owner",
        "@channel\n...\n@bot-role member": "in a channel a bot can only be an administrator",
        "@group 甲\n< no": "@group 甲\n    < demo_bot member, 1",
    }

    said = await reports(tmp_path, [f"title: T\n{lines}\n" for lines in expected])

    for report, words in zip(said, expected.values(), strict=True):
        assert words in report, report
