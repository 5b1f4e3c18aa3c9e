"""One script runs against bots in several languages, and a wrong setup of a bot is reported."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from chatscript.runner.bot_process import CommandLauncher
from chatscript.runner.event_waiter import Timing
from chatscript.suite import SuiteOptions, run_suite
from command_line import split_command
from playground.botapi.methods.table import METHODS

FOREIGN = Path(__file__).with_name("bots") / "foreign"
TALK = FOREIGN / "talk.chat"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "testers" / "any-bot.md").read_text(encoding="utf-8")


def test_the_document_lists_what_the_simulator_knows() -> None:
    listed = DOCUMENT.partition("## Methods the simulator knows")[2].partition("\n\n## ")[0]

    known = {method.name for method in METHODS.values()}
    assert set(re.findall(r"`([a-z]+[A-Z]\w*|close)`", listed)) <= known
    assert f"All {len(known)} of Bot API" in listed


async def played(command: str) -> tuple[int, str]:
    said: list[str] = []
    launch = CommandLauncher(split_command(command), folder=FOREIGN)
    status = await run_suite([TALK], SuiteOptions(jobs=2), launcher=launch, texts=None, out=said.append)
    return status, "\n".join(said)


CALL = """
import os, urllib.request
try:
    urllib.request.urlopen({address})
finally:
    print("giving up", flush=True)
    os._exit(3)
"""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("os.environ['BOT_API_URL'] + '/bot1:other/getMe'", "it called with another token than BOT_TOKEN"),
        (
            "os.environ['BOT_API_URL'] + '/api/bot' + os.environ['BOT_TOKEN'] + '/getMe'",
            "it called /api/bot<token>/getMe: the address of a method is BOT_API_URL/bot<token>/METHOD",
        ),
        ("os.environ['BOT_API_URL'] + '/bot' + os.environ['BOT_TOKEN'] + '/getMe'", "its last call was getMe"),
        ("'http://127.0.0.1:1/'", "it called nothing at BOT_API_URL"),
    ],
)
async def test_a_bot_that_calls_the_wrong_address_is_reported_with_its_last_lines(
    tmp_path: Path, address: str, expected: str
) -> None:
    program = tmp_path / "bot.py"
    program.write_text(CALL.format(address=address), encoding="utf-8")

    status, said = await played(f"{sys.executable} {program}")

    assert status == 1
    assert f"; {expected}" in said
    assert "    giving up" in said


MISBEHAVING = """
import json, os, pathlib, sys, threading, urllib.error, urllib.request

def call(method, body):
    address = os.environ["BOT_API_URL"] + "/bot" + os.environ["BOT_TOKEN"] + "/" + method
    asked = urllib.request.Request(address, body, {"content-type": "application/json"})
    try:
        return json.load(urllib.request.urlopen(asked))["result"]
    except urllib.error.HTTPError as error:
        print("HTTP", error.code, flush=True)

pathlib.Path(sys.argv[2]).write_text(str(os.getpid()))
offset = 0
while True:
    for update in call("getUpdates", json.dumps({"timeout": 9, "offset": offset}).encode()):
        offset = update["update_id"] + 1
        print("got", update["message"]["text"], flush=True)
        message = json.dumps({"chat_id": update["message"]["chat"]["id"], "text": "more"}).encode()
        match sys.argv[1]:
            case "exits":
                sys.exit("giving up")
            case "hangs":
                threading.Event().wait()
            case "garbage":
                [call("sendMessage", body) for body in (b"\\xff{", b"[]", b"{")]
            case "floods":
                while True:
                    call("sendMessage", message)
"""
HASTY = Timing(timeout=2, silence=0.5, settle=0.2)


async def test_a_bot_that_misbehaves_is_reported_within_the_patience_and_leaves_nothing_running(tmp_path: Path) -> None:
    program, script = tmp_path / "bot.py", tmp_path / "talk.chat"
    program.write_text(MISBEHAVING, encoding="utf-8")
    script.write_text("> /start\n...\n< never\n", encoding="utf-8")
    expected = {
        "exits": ("the bot's process ended with exit code 1", "    giving up"),
        "hangs": (
            "it is busy: it has not asked for more updates",
            "only needs longer: @patience 30s",
            "    got /start",
        ),
        "garbage": ("the bot did nothing more here (it is idle)", "    HTTP 400"),
        "floods": ("does still more, and none of them is this:", "    got /start"),
    }

    async def report_of(mode: str) -> str:
        said: list[str] = []
        launcher = CommandLauncher([sys.executable, str(program), mode, str(tmp_path / mode)])
        options = SuiteOptions(timing=HASTY)
        assert await run_suite([script], options, launcher=launcher, texts=None, out=said.append) == 1
        return "\n".join(said)

    async with asyncio.timeout(30):
        reports = await asyncio.gather(*map(report_of, expected))

    for (mode, words), report in zip(expected.items(), reports, strict=True):
        assert all(each in report for each in words), report
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / mode).read_text()), 0)
