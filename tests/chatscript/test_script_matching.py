"""Texts, labels and keyboards: what matches, what is captured, how a difference is described."""

import pytest

from chatscript.language.bot_texts import BotTexts, parse_sentence
from chatscript.language.parser import parse_script
from chatscript.language.patterns import MessagePattern, TextPattern
from chatscript.language.steps import ExpectMessage
from chatscript.match.chat_view import ButtonView, MessageView
from chatscript.match.matcher import MatchContext, strip_emoji
from chatscript.match.message_diff import compare_message, match_keyboard

CATALOGUE = BotTexts(
    {
        "zh": {
            "ask": parse_sentence("<b>你好，{name}</b>\n请输入 &lt;姓名&gt;"),
            "agree": parse_sentence("✅ 同意"),
            "braces": parse_sentence("{{x}} {y}"),
        }
    }
)


def content(line: str) -> MessagePattern:
    (step,) = parse_script(line, "t.chat").steps
    assert isinstance(step, ExpectMessage)
    return step.content


def scope(**values: str) -> MatchContext:
    return MatchContext(values, {"A": 7}, CATALOGUE)


def captured(line: str, text: str, **values: str) -> dict[str, str] | None:
    return scope(**values).match(content(f"< {line}").text, text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("你好 王小明", "你好\n  王小明 "),
        ("请扫码...", "请扫码"),
        ("请扫码...", "请扫码，十分钟内有效"),
        ("...有效", "请扫码，十分钟内有效"),
        ("请 ... 有效", "请有效"),
        ("请...有效...", "请扫码\n十分钟\n有效"),
        ("/扫.码/", "请扫描码"),
        ("/^a\\/b$/i", "A/B"),
        (r"\{a\} \... \\", r"{a} ... \ "[:-1]),
        ("{t:ask}", "你好，李雷 请输入 <姓名>"),
        ("{t:braces}", "{x} 任何"),
        ("号码 {id:A}", "号码 7"),
    ],
)
def test_a_text_is_matched_whole_after_collapsing_white_space(line: str, text: str) -> None:
    assert captured(line, text) is not None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("你好", "你好！"),
        ("好", "你好"),
        ("{t:ask}", "你好，李雷 请输入"),
        ("/^b/", "ab"),
        ("a.c", "abc"),
        ("...x", ""),
    ],
)
def test_other_texts_do_not_match(line: str, text: str) -> None:
    assert captured(line, text) is None


def test_unknown_values_are_captured() -> None:
    assert captured("编号 {code}，{code}，完", "编号 AB 1，AB 1，完") == {"code": "AB 1"}
    assert captured("编号 {code}，{code}，完", "编号 A，B，完") is None
    assert captured("/编号 (?P<code>\\d+) {rest}$/", "编号 12 好的") == {"code": "12", "rest": "好的"}


def test_known_values_must_match_exactly() -> None:
    assert captured("编号 {code}", "编号 a.c", code="a.c") == {}
    assert captured("编号 {code}", "编号 abc", code="a.c") is None
    assert captured("/编号 {code}/", "编号 abc", code="a.c") is None


@pytest.mark.parametrize("label", ["✅ 确认", "确认 ✅", "1️⃣ 确认", "⬅️ 确认 ➡️", "🇨🇳 确认", " 确认 "])
def test_emoji_at_the_ends_of_a_label_may_be_left_out(label: str) -> None:
    assert strip_emoji(label) == "确认"


def rows(*labels: str) -> tuple[tuple[ButtonView, ...], ...]:
    return tuple(
        tuple(ButtonView(label, "url", target="https://a.example/x?y=1") for label in row.split()) for row in labels
    )


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("[A] [B] / [C]", True),
        ("[A] / [B] [C]", False),
        ("[A] [B]", False),
        ("[A] [B] / [C] / [D]", False),
        ("[*]", True),
        ("[A] [*]", True),
        ("[*] / [C]", True),
        ("[*] [C]", False),
        ("[A] [B] / [C -> https://a.example/...]", True),
        ("[A] [B] / [C -> https://b.example/...]", False),
        ("[A] [...] / [{t:agree}]", False),
    ],
)
def test_keyboards_are_compared_row_by_row(line: str, fits: bool) -> None:
    found = match_keyboard(content(f"< x {line}").keyboard, rows("A B", "C"), scope())

    assert (found is not None) is fits


def test_the_address_of_a_button_is_captured() -> None:
    keyboard = content("< x [A -> https://a.example/{path}]").keyboard

    assert match_keyboard(keyboard, rows("A"), scope()) == {"path": "x?y=1"}


def test_a_message_must_have_exactly_the_buttons_of_the_script() -> None:
    message = MessageView(1, own=False, kind="text", text="x", rows=rows("A"))

    silent = compare_message(content("< x"), message, scope())
    bare_message = compare_message(content("< x [A]"), MessageView(1, own=False, kind="text", text="x"), scope())

    assert silent.differences == ("it has buttons that the script does not mention ([*] matches any)",)
    assert bare_message.differences == ("it has no buttons",)


def test_a_picture_is_not_a_text_and_its_code_must_match() -> None:
    picture = MessageView(1, own=False, kind="photo", text="请扫码", picture="f1")
    expected = content("< (photo) 请扫码\n    qr: https://a.example/{code}")

    assert compare_message(content("< 请扫码"), picture, scope()).differences == ("it is a photo, not a text",)
    assert compare_message(expected, picture, scope(), qr="https://a.example/7").captures == {"code": "7"}
    assert compare_message(expected, picture, scope(), qr=None).differences == ("the QR code cannot be read",)
    assert "got 'b.example/7'" in compare_message(expected, picture, scope(), qr="https://b.example/7").differences[0]


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("你好 请输入姓", "你好 请输入姓名", "after '你好 请输入姓' expected the end, got '名'"),
        ("您好", "你好", "expected '您好', got '你好'"),
        ("{t:ask}", "你好，李雷 请输入 名字", "after '你好，...请输入 ' expected '<姓名>', got '名字'"),
        ("你好 {who}！", "你好", "after '你好' expected ' ...！', got the end"),
    ],
)
def test_a_difference_is_described(line: str, text: str, expected: str) -> None:
    wanted = content(f"< {line}").text

    assert isinstance(wanted, TextPattern)
    assert scope().describe_difference(wanted, text) == expected
