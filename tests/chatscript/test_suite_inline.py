"""Inline mode in scripts: queries, results, and the message of a chosen result."""

from pathlib import Path

import pytest

from chatscript.suite import SuiteOptions, run_suite
from tests.chatscript.bots.playing import SHOP_BOT, launcher_for, passes, report_of

TALK = """@group
>> 几个账号
<< [水果] [蔬菜]
>> [蔬菜]
< (via) 白菜 2 元   [👍 0]
> [👍 0]
! 谢谢
~ (via) 白菜 2 元   [👍 1]
>> 无
<<
@private
>>
<< [水果] [*]
>> [水...]
< (via) 苹果 3 元
@group
>> 更多
<< [去商店] / [水果] [蔬菜]
>> [去商店]
@private
< 选一个   [*]
"""


async def test_results_are_shown_chosen_and_pressed_in_any_chat(tmp_path: Path) -> None:
    await passes(tmp_path, TALK, SHOP_BOT)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (">> a", "does not mention this:\n  got:      << [水果] [蔬菜]"),
        (">> a\n<< [水果]", "the results differ"),
        (">> a\n<<", "the results differ"),
        (">> a\n<< [*]\n>> [肉]", "there is no result [肉]\n  the line:"),
        (">> a\n<< [*]\n>> [肉]", "the results: [水果] [蔬菜]"),
        (">> a\n<< [*]\n>> [...]", "[...] matches several results; write [...]@2"),
        (">> a\n<< [*]\n>> [...]@3", "there is no result [...]"),
        (">> [水果]", "the results: none"),
        (">> a\n<< [*]\n>> [水果]", "does not mention this:\n  got:      < (via) 苹果 3 元"),
        (">> a\n<< [*]\n>> [水果]\n< 苹果 3 元", "it is a via, not a text"),
        ("> /keys\n<< [水果]", "the bot did something else:\n  expected: << [水果]\n  got:      < 选一个"),
    ],
)
async def test_a_difference_is_reported(tmp_path: Path, lines: str, expected: str) -> None:
    report = await report_of(tmp_path, lines + "\n", SHOP_BOT)

    assert expected in report


async def test_changed_results_are_accepted(tmp_path: Path) -> None:
    script = tmp_path / "inline.chat"
    script.write_text(">> a\n<< [肉] [蔬菜]\n>> [水果]\n< (via) 苹果\n", encoding="utf-8")
    launch = launcher_for(SHOP_BOT)

    status = await run_suite(
        [script], SuiteOptions(accept=True), launcher=launch, texts=tmp_path / "none", out=lambda _: None
    )

    assert status == 0
    assert script.read_text(encoding="utf-8") == ">> a\n<< [水果] [蔬菜]\n>> [水果]\n< (via) 苹果 3 元\n"
