"""Recording: the events of the chats become a script, and that script passes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chatscript.language import steps
from chatscript.language.bot_texts import BotTexts, load_bot_texts
from chatscript.record.script_writer import write_script
from chatscript.report.console import failure_report
from chatscript.runner.bot_process import BotLauncher
from chatscript.runner.case_runner import RunConfig, StrictReader, run_case
from chatscript.runner.context import RunContext
from chatscript.suite import cases_of
from command_line import bot_launcher
from playground.phone.apps import PhoneApp
from playground.phone.browser import Phone
from playground.server.phone_frame import frame_url
from tests.chatscript.bots.playing import FORM_BOT, SHOP_BOT, launcher_for
from tests.playground.simulator import running_playground

ROOT = Path(__file__).resolve().parents[2]


@cache
def our_texts() -> BotTexts:
    return load_bot_texts(ROOT / "bot" / "texts")


class FramedPhone(Phone):
    """Opens links in the phone of the chat page, as a user of the page does."""

    def __init__(self, context: RunContext) -> None:
        super().__init__()
        self._playground = context.environment._variables["BOT_API_URL"]

    async def open(self, app: PhoneApp, address: str) -> None:
        await super().open(PhoneApp.BROWSER, self._playground + frame_url(app, address))


class RecordingReader(StrictReader):
    """Runs a case strictly, on the phone of the page, and keeps the script that the record button would give."""

    def __init__(self, bot_texts: BotTexts, *, staffed: bool) -> None:
        self.bot_texts = bot_texts
        self.staffed = staffed
        self.script = ""

    async def before_step(self, context: RunContext, number: int) -> None:
        if context.person not in context._phones:
            context._phones[context.person] = await context.exit_stack.enter_async_context(FramedPhone(context))

    async def finish(self, context: RunContext) -> None:
        await super().finish(context)
        events = await context.client.all_events()
        pictures = [event["message"]["photo"] for event in events if event.get("message")]
        files = [photo["file_id"] for photo in pictures if photo]
        codes = {file: await context.client.read_qr(file) for file in files}
        first = next((event["user"] for event in events if event["kind"] == "message" and event["from"] == "user"), 0)
        self.script = write_script(events, self.bot_texts, codes, frozenset({first} if self.staffed else ()))


async def recorded_and_played(
    folder: Path, source: Path, launcher: BotLauncher, bot_texts: BotTexts, *, staffed: bool = False
) -> str:
    """Run a script's first case and then its recording; return the recording. `staffed`: A is support staff."""
    config = RunConfig(launcher, bot_texts)
    reader = RecordingReader(bot_texts, staffed=staffed)
    first = await run_case(cases_of(source, bot_texts)[0], config, reader)
    assert first.failure is None, failure_report(first)
    again = folder / "recorded.chat"
    again.write_text(reader.script, encoding="utf-8")
    (case,) = cases_of(again, bot_texts)
    second = await run_case(case, config)
    assert second.failure is None, failure_report(second)
    return reader.script


SCRIPTS = ("several", "languages", "strange_at_text", "group")


@pytest.mark.slow("programs")
@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_recording_of_our_bot_passes_unchanged(tmp_path: Path, name: str) -> None:
    with bot_launcher() as launch:
        source = ROOT / "tests" / "conversations" / f"{name}.chat"

        script = await recorded_and_played(tmp_path, source, launch, our_texts())

    assert "127.0.0.1" not in script
    assert "http://" not in script


SUPPORTED = """@set STAFF_IDS={id:A}

> /link 100012345 spring
< (photo) ...   [*] / [*]
    qr: {link}
@user B
@scan wechat {link}
x > ...
< ...   [*]
@user C
> {link}
x > ...
< {t:link.unusable} ...   [*]
@user A
> /links
< ...   [1]
> [1]
~ ...   [*] / [*]
"""


@pytest.mark.slow("programs")
async def test_support_staff_stay_staff_in_the_script_and_their_link_becomes_a_capture(
    tmp_path: Path,
) -> None:
    source = tmp_path / "support.chat"
    source.write_text(SUPPORTED, encoding="utf-8")
    with bot_launcher() as launch:
        script = await recorded_and_played(tmp_path, source, launch, our_texts(), staffed=True)

    lines = script.splitlines()
    assert lines[1] == "@set STAFF_IDS={id:A}"
    assert [line for line in lines if line in ("@scan wechat {link}", "> {link}", "x > ...")] == [
        "@scan wechat {link}",
        "x > ...",
        "> {link}",
        "x > ...",
    ]
    assert "?start=" not in script


@pytest.mark.slow("programs")
async def test_the_phone_is_in_the_script_and_no_code_is(tmp_path: Path) -> None:
    with bot_launcher() as launch:
        script = await recorded_and_played(
            tmp_path, ROOT / "tests" / "conversations" / "face.chat", launch, our_texts()
        )

    lines = script.splitlines()
    assert "@scan wechat" in lines
    assert "@tick {t:page.agreement.tick}" in lines
    assert "@press {t:page.press.recognise}" in lines
    assert "    qr: {link}" in lines
    assert "> [{t:choice.face}]" in lines


FORM = r"""> /start
< ...
> 王小明
x >
< ... [*]
> [确认]
! ...
~ ...
< (photo) ... [*]
> (old) [确认]
! ...
> (tap) 1:y
! ...
> (forward) \[李雷]
x >
< ... [*]
> /start
< ...
> (edit) \(李雷) 和 \{x}
< ...
> (sticker)
< ...
< ...
@user B
@lang en
> /start
< ...
> /call {id:A}
< ...
@user A
< ...
"""


async def test_a_bot_without_text_files_is_recorded_by_its_words(tmp_path: Path) -> None:
    source = tmp_path / "talk.chat"
    source.write_text(FORM, encoding="utf-8")

    script = await recorded_and_played(tmp_path, source, launcher_for(FORM_BOT), BotTexts())

    lines = script.splitlines()
    for line in (
        "    | 请输入姓名",
        "x > 王小明",
        "! 已确认",
        "> [确认]",
        "< (photo) 请扫码   [我已完成]",
        "    qr: {link}",
        "> (old) [确认]",
        "> (tap) 1:y",
        r"> (forward) \[李雷]",
        r"> (edit) \(李雷) 和 \{x}",
        "> (sticker)",
        "@user B",
        "@lang en",
        "< Hello",
        "> /call {id:A}",
    ):
        assert line in lines
    assert [type(step) for step in cases_of(tmp_path / "recorded.chat", BotTexts())[0].script.steps][:2] == [
        steps.WriteText,
        steps.ExpectMessage,
    ]


@pytest.fixture
def events() -> list[dict[str, Any]]:
    """Events of one person."""
    person = {"id": 7, "first_name": "王小明", "language_code": "zh-hans", "blocked": False}
    return [{"seq": 1, "at": 100.0, "kind": "person", "chat": None, "user": person}]


def message(at: float, text: str, *, own: bool = False, buttons: Sequence[Any] = (), **facts: Any) -> dict[str, Any]:
    who = {"from": "user" if own else "bot", "user": 7 if own else None}
    said = {"id": int(at), "kind": "text", "text": text, "buttons": buttons, **who}
    return {"seq": int(at), "at": at, "kind": "message", "chat": 7, **who, "message": said, **facts}


def test_a_message_by_the_clock_gets_a_wait(events: list[dict[str, Any]]) -> None:
    events += [message(100, "/start", own=True), message(101, "好"), message(161, "/x", own=True), message(250, "过期")]

    assert write_script(events, BotTexts(), {}).splitlines()[2:] == [
        "> /start",
        "< 好",
        "> /x",
        "@wait 2m30s",
        "< 过期",
    ]


def test_varying_texts_become_wildcards(events: list[dict[str, Any]]) -> None:
    words = "码 Zm9vYmFyMTIzNDU2Nzg5，2026-11-23 09:30 前，账号 telegram:69******54，见 http://127.0.0.1:80/v/x ..."

    assert "< 码 ...，... ... 前，账号 ...，见 ... \\..." in write_script(
        [*events, message(101, words)], BotTexts(), {}
    )


def test_the_address_of_a_button_becomes_a_capture(events: list[dict[str, Any]]) -> None:
    link = {"label": "打开", "kind": "url", "url": "http://127.0.0.1:1/v/1"}
    events += [message(101, "一", buttons=[[link]]), message(102, "见 http://127.0.0.1:1/v/1")]

    assert write_script(events, BotTexts(), {}).splitlines()[2:] == ["< 一   [打开 -> {link}]", "< 见 {link}"]


def test_blocking_the_bot_is_recorded(events: list[dict[str, Any]]) -> None:
    blocked = {**events[0]["user"], "blocked": True}
    events += [message(100, "/start", own=True), {**events[0], "seq": 3, "user": blocked}, {**events[0], "seq": 4}]

    assert write_script(events, BotTexts(), {}).splitlines()[2:] == ["> /start", "@block", "@unblock"]


async def test_the_record_button_records_new_chats_only() -> None:
    async with running_playground() as simulator:
        before = await simulator.person("李雷")
        assert await simulator.sim("/record", "GET") == {"on": False, "script": "title: A recorded conversation\n\n"}

        await simulator.sim("/record", on=True)
        after = await simulator.person("王小明")
        for chat in (before, after):
            await simulator.result("sendMessage", chat_id=chat, text=f"给 {chat}")
        recording = await simulator.sim("/record", on=False)
        await simulator.result("sendMessage", chat_id=after, text="太晚了")

        assert recording == await simulator.sim("/record", "GET")
        assert recording["script"].splitlines()[2:] == ["> /start", "< 给 {id:A}"]


async def test_a_press_names_its_button() -> None:
    async with running_playground() as simulator:
        user = await simulator.person()
        keys = [[{"text": "同", "callback_data": "a"}, {"text": "同", "callback_data": "b"}]]
        sent = await simulator.result("sendMessage", chat_id=user, text="选", reply_markup={"inline_keyboard": keys})

        await simulator.sim(f"/chats/{user}/messages/{sent['message_id']}/tap", user=user, row=0, column=1)
        script = write_script(simulator.playground.world.log.after(0), BotTexts(), {})

    assert script.splitlines()[-1] == "> [同]@1.2"


async def test_inline_queries_are_recorded(tmp_path: Path) -> None:
    source = tmp_path / "inline.chat"
    source.write_text(">> a\n<< [水果] [蔬菜]\n>> [蔬菜]\n< (via) 白菜 2 元   [*]\n", encoding="utf-8")

    script = await recorded_and_played(tmp_path, source, launcher_for(SHOP_BOT), BotTexts())

    assert script.splitlines()[2:] == [">> a", "<< [水果] [蔬菜]", ">> [蔬菜]", "< (via) 白菜 2 元   [0]"]
