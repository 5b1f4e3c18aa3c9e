"""The parser: it reads every kind of line and reports every mistake with its location."""

import re
from pathlib import Path

import pytest

from chatscript.language import steps
from chatscript.language.parser import ScriptErrors, parse_file, parse_script
from chatscript.language.patterns import AnyButtons, ButtonPattern, RegexPattern, TextPattern
from chatscript.language.steps import MessageMark
from playground.phone.apps import Gesture, PhoneApp
from tests.each_case import each_case

FILE = "talk.chat"


def only(line: str) -> object:
    """Parse a script of one step."""
    script = parse_script(line, FILE)
    assert len(script.steps) == 1
    return script.steps[0]


def mistakes(source: str) -> str:
    with pytest.raises(ScriptErrors) as raised:
        parse_script(source, FILE)
    return str(raised.value)


def test_a_header_gives_title_and_cases() -> None:
    script = parse_script(
        'title: Two people\ncases: name=王小明 | name="阿依古丽·买买提 二"\ncase: name=李雷\n> {name}', FILE
    )

    assert script.title == "Two people"
    assert script.cases == ({"name": "王小明"}, {"name": "阿依古丽·买买提 二"}, {"name": "李雷"})


def test_a_script_without_a_header_is_called_like_its_file() -> None:
    script = parse_script("# a comment\n\n> /start", "scripts/first.chat")

    assert (script.title, script.cases) == ("first", ({},))


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "windows.chat"
    path.write_bytes("\ufefftitle: W\r\n> /start\r\n< 你好\r\n".encode())

    script = parse_file(path)

    assert (script.title, len(script.steps)) == ("W", 2)


def test_a_text_may_continue_below() -> None:
    step = only("> one\n    | two\n    | three")

    assert isinstance(step, steps.WriteText)
    assert step.text.source == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("> (forward) 王小明", (True, False)),
        ("> (edit) 王小明", (False, True)),
        ("> 王小明", (False, False)),
        (r"> \(edit) 王小明", (False, False)),
    ],
)
def test_a_person_writes_forwards_and_edits(line: str, made: tuple[bool, bool]) -> None:
    step = only(line)

    assert isinstance(step, steps.WriteText)
    assert (step.forward, step.edit) == made


@pytest.mark.parametrize("kind", ["photo", "sticker", "voice", "contact", "location", "document", "poll", "video_note"])
def test_a_person_sends_attachments(kind: str) -> None:
    step = only(f"> ({kind})")

    assert isinstance(step, steps.SendAttachment)
    assert step.kind == kind


@pytest.mark.parametrize(
    ("line", "nth", "cell", "old"),
    [
        ("> [好的]", None, None, False),
        ("> [好的]@2", 2, None, False),
        ("> [好的]@2.1", None, (2, 1), False),
        ("> [*]@2.1", None, (2, 1), False),
        ("> (old) [好的]", None, None, True),
    ],
)
def test_a_tap_names_its_button(line: str, nth: int | None, cell: tuple[int, int] | None, old: bool) -> None:
    step = only(line)

    assert isinstance(step, steps.TapButton)
    assert (step.nth, step.cell, step.old) == (nth, cell, old)


def test_inline_queries_and_choices_are_parsed() -> None:
    script = parse_script(">> 3个账号\n<< [去认证] / [三个] [*]\n>> [三个]@2\n>>\n<<", FILE)

    ask, offer, choose, nothing, none = script.steps
    assert isinstance(ask, steps.TypeInlineQuery)
    assert isinstance(offer, steps.ExpectInlineResults)
    assert isinstance(choose, steps.ChooseInlineResult)
    assert isinstance(nothing, steps.TypeInlineQuery)
    assert isinstance(none, steps.ExpectInlineResults)
    assert (ask.text.source, nothing.text.source, choose.title.source, choose.nth) == ("3个账号", "", "三个", 2)
    assert ([len(row) for row in offer.results.rows], none.results.rows) == ([1, 2], ())


def test_a_forged_press_carries_any_data() -> None:
    step = only("> (tap) method:wechat:7")

    assert isinstance(step, steps.ForgedPress)
    assert step.data.source == "method:wechat:7"


def test_buttons_follow_the_message_row_by_row() -> None:
    step = only("< 请选择   [身份证] [护照] / [网站 -> https://a.example/...]")

    assert isinstance(step, steps.ExpectMessage)
    first, second = step.content.keyboard.rows
    assert [button.label.source for button in first if isinstance(button, ButtonPattern)] == ["身份证", "护照"]
    assert isinstance(second[0], ButtonPattern)
    assert second[0].target is not None
    assert (second[0].label.source, second[0].target.source) == ("网站", "https://a.example/...")
    assert step.content.text.source == "请选择"


def test_buttons_may_have_lines_of_their_own() -> None:
    step = only("< 请选择\n    | 一种\n    [身份证] [护照]\n    [*]")

    assert isinstance(step, steps.ExpectMessage)
    assert [len(row) for row in step.content.keyboard.rows] == [2, 1]
    assert step.content.keyboard.rows[1] == (AnyButtons(),)


def test_a_bracket_after_a_backslash_is_a_bracket() -> None:
    step = only(r"< see \[1]")

    assert isinstance(step, steps.ExpectMessage)
    assert step.content.keyboard.rows == ()


def test_a_picture_has_a_caption_and_a_code() -> None:
    step = only("< (photo) 请扫码...  [换一种]\n    qr: https://verify.example/s/{code}")

    assert isinstance(step, steps.ExpectMessage)
    assert (step.content.kind, step.mark) == ("photo", MessageMark.MESSAGE)
    assert step.content.qr is not None
    assert step.content.qr.source == "https://verify.example/s/{code}"


def test_a_document_has_a_name() -> None:
    step = only("< (document) 漏斗\n    file: funnel-...csv")

    assert isinstance(step, steps.ExpectMessage)
    assert step.content.file == TextPattern("funnel-...csv", step.content.file.parts if step.content.file else ())


@pytest.mark.parametrize("line", ["< /请确认.*[王]小明/   [确认]", r"< /a\/b{2}/i", "~ /^done$/"])
def test_a_regex_is_parsed_as_a_whole(line: str) -> None:
    step = only(line)

    assert isinstance(step, steps.ExpectMessage)
    assert isinstance(step.content.text, RegexPattern)


@pytest.mark.parametrize("line", ["< /start", "< /start 和 /help", "< and/or"])
def test_a_slash_alone_makes_no_regex(line: str) -> None:
    step = only(line)

    assert isinstance(step, steps.ExpectMessage)
    assert isinstance(step.content.text, TextPattern)


@pytest.mark.parametrize(
    ("line", "own", "kind"),
    [
        ("x", None, None),
        ("x 再见", False, "text"),
        ("x > 王小明", True, "text"),
        ("x >", True, None),
        ("x (photo) ...", False, "photo"),
    ],
)
def test_a_deletion_says_whose_message_it_was(line: str, own: bool | None, kind: str | None) -> None:
    step = only(line)

    assert isinstance(step, steps.ExpectDeleted)
    assert step.own is own
    assert (step.content and step.content.kind) == kind


def test_one_mark_is_a_toast_and_two_are_an_alert() -> None:
    script = parse_script("> x\n! 好\n!! 不好\n...", FILE)

    toast, alert, anything = script.steps[1:]
    assert isinstance(toast, steps.ExpectToast)
    assert isinstance(alert, steps.ExpectToast)
    assert (toast.alert, alert.alert) == (False, True)
    assert isinstance(anything, steps.AllowAnything)


@pytest.mark.parametrize(
    ("line", "seconds"), [("@wait 90s", 90), ("@wait 10m", 600), ("@wait 1h30m", 5400), ("@wait 1.5d", 129600)]
)
def test_times_have_units(line: str, seconds: float) -> None:
    assert getattr(only(line), "seconds", None) == seconds


def test_the_phone_has_its_own_lines() -> None:
    script = parse_script(
        "@scan wechat\n@scan robot https://a.example/\n@press 前往授权\n@tick 同意\n@choose 人脸被遮挡\n"
        "@page 成功\n@page! /错误|失败/\n@status 404\n@reload",
        FILE,
    )

    scan, again, press, tick, choose, page, absent, status, _ = script.steps
    assert isinstance(scan, steps.OpenInApp)
    assert isinstance(again, steps.OpenInApp)
    assert (scan.app, scan.address, again.app) == (PhoneApp.WECHAT, None, PhoneApp.ROBOT)
    assert [getattr(step, "gesture", None) for step in (press, tick, choose)] == list(Gesture)
    assert [getattr(step, "absent", None) for step in (page, absent)] == [False, True]
    assert getattr(status, "code", None) == 404


def test_directives_are_parsed() -> None:
    script = parse_script(
        "@set STAFF_IDS={id:B}\n@lang EN\n@texts zh\n@user B\n@group\n@private\n@block\n@unblock\n@crash\n@duplicate\n"
        "@fail sendPhoto 429 2 retry=7\n@fail * lost\n> hi",
        FILE,
    )

    assert [setting.name for setting in script.settings] == ["STAFF_IDS"]
    assert script.people == ("A", "B")
    fail, lost = script.steps[-3:-1]
    assert isinstance(fail, steps.InjectFault)
    assert isinstance(lost, steps.InjectFault)
    assert (fail.method, fail.kind, fail.times, fail.retry_after) == ("sendPhoto", "429", 2, 7)
    assert (lost.method, lost.kind, lost.times, lost.retry_after) == ("*", "lost", 1, None)


@pytest.mark.parametrize(
    ("source", "location", "expected"),
    [
        ("@wiat 10m", "1:1", "did you mean @wait?"),
        ("> hi\n@wait ten", "2:7", "such as 90s, 10m"),
        ("> [A", "1:3", "expected one [Label]"),
        ("> (stiker)", "1:3", "did you mean sticker?"),
        ("< (foto) x", "1:3", "is not a kind of message"),
        ("<", "1:2", "... stands for any text"),
        (">", "1:2", "expected a text"),
        (">hi", "1:1", "expected a space after >"),
        ("＞ hi", "1:1", "this mark is full-width"),
        (">>hi", "1:1", "expected a space after >>"),
        ("<<[A]", "1:1", "expected a space after <<"),
        ("＞＞ hi", "1:1", "this mark is full-width; write >> and a space"),
        (">> [A", "1:4", "expected one [Label]"),
        (">> []", "1:5", "expected a label"),
        (">> [A]@1.2", "1:4", "expected one [Title], optionally with @2"),
        (">> hi\n    | there", "2:5", "no indented line below >>"),
        (">> {name}", "1:4", "nothing before this line defines {name}"),
        ("> a\n<< A", "2:4", "expected the titles of the results: [A] [B]"),
        ("> a\n<< [A] []", "2:9", "expected a label"),
        ("> a\n<< [A]\n    [B]", "3:5", "no indented line below <<"),
        ("> a\n< (vai) b", "2:3", "did you mean via?"),
        ("hello", "1:1", "expected a mark in the first column"),
        ("    | hello", "1:1", "only below a step"),
        ("> hi\ntitle: late", "2:1", "expected a mark"),
        ("titel: x\n> hi", "1:1", "did you mean title:?"),
        ("cases: name\n> hi", "1:8", "expected name=value"),
        ("case: a=1\ncase: b=1\n> {a}", "2:7", "the same names as the first one: a"),
        ("< 你好 {name", "1:6", "a literal brace"),
        ("> {1+1}", "1:3", "not {1+1}"),
        ("< /a(b/", "1:5", "not a regular expression"),
        ("< /a[b/", "1:5", "not a regular expression"),
        ("< x   [A] []", "1:12", "expected a label"),
        ("< (photo) x\n    file: a", "2:5", "or qr: ..."),
        ("< x\n    more", "2:5", "expected | and more text"),
        ("> [A]\n    | more", "2:5", "no indented line"),
        ("... x", "1:5", "expected nothing after"),
        ("!", "1:2", "what the toast says"),
        ("@fail sendPhoto 428", "1:17", "expected one of 401"),
        ("@fail sendPhoto 429 0", "1:21", "how many calls"),
        ("@fail sendPhoto", "1:7", "METHOD KIND"),
        ("@scan iphone", "1:7", "expected one of wechat"),
        ("@status ok", "1:9", "such as 200"),
        ("@lang 中文", "1:7", "zh-hans"),
        ("@crash now", "1:8", "expected nothing"),
        ("@user", "1:6", "expected a name"),
        ("@set port=1\n> hi", "1:6", "in capitals"),
        ("@set BOT_TOKEN=1\n> hi", "1:6", "set by the runner"),
        ("> hi\n@set A=1", "2:1", "before the first step"),
        ("@expect-state", "1:14", "expected a state, as the bot names it after @expect-state"),
        ("> {nmae}", "1:3", "nothing before this line defines {nmae}"),
        ("case: name=李雷\n> {nmae}", "2:3", "did you mean {name}?"),
        ("case: name=李雷\n> hi\n< 您好 {nmae}", "3:6", "captures any text; did you mean {name}?"),
        ("> {id:B}", "1:3", "no person in this script is called B"),
        ("", "1:1", "at least one step"),
    ],
)
def test_a_mistake_is_reported_with_its_location(source: str, location: str, expected: str) -> None:
    message = mistakes(source)

    assert message.startswith(f"{FILE}:{location}: ")
    assert expected in message


def test_all_mistakes_of_a_file_are_reported_at_once() -> None:
    message = mistakes("@wiat 1m\n> [A\n< (foto)")

    assert [line.split(":")[1] for line in message.splitlines() if line.startswith(FILE)] == ["1", "2", "3"]


def test_the_pointer_is_below_the_mistake_also_after_chinese_words() -> None:
    shown = mistakes("< 王小明 {name").splitlines()

    assert shown[1:] == ["    < 王小明 {name", "             ^"]


def test_a_file_in_another_encoding_is_reported(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "gbk.chat"
    path.write_bytes("> 王小明".encode("gbk"))

    with pytest.raises(ScriptErrors, match="expected UTF-8"):
        parse_file(path)


def test_a_capture_is_known_on_the_lines_below_it() -> None:
    script = parse_script("< 编号 {code}\n> {code}\n< /结果 (?P<result>\\w+)/\n> {result}", FILE)

    assert len(script.steps) == 4


DOCUMENT = (Path(__file__).parents[2] / "docs" / "testers" / "scripts.md").read_text(encoding="utf-8")


def test_the_example_of_the_document_can_be_parsed() -> None:
    example = DOCUMENT.split("```")[1]

    assert len(parse_script(example, FILE).cases) == 2


LINES = re.findall(r"^\| `((?:[<~][?!]|[><~x!]|!!|>>|<<|@[a-z-]+!?|\.\.\.)(?: .*?)?)`[,; |]", DOCUMENT, re.MULTILINE)


@each_case("line", LINES)
def test_every_line_type_of_the_document_can_be_parsed(line: str, tmp_path: Path) -> None:
    (tmp_path / "start.chat").write_text("> /start\n", encoding="utf-8")
    setting = line.startswith("@set")
    line = f"{line}\n    < a" if line == "@any-order" else line
    around = f"case: code=1\n{line if setting else '> hi'}\n{'> hi' if setting else line}\n@user B\n"

    assert parse_script(around, str(tmp_path / FILE)).steps
