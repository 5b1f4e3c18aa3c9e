"""One script runs against bots in several languages, and a wrong setup of a bot is reported."""

import re
import sys
from pathlib import Path

import pytest

from chatscript.runner.bot_process import CommandLauncher
from chatscript.suite import SuiteOptions, run_suite
from playground.botapi.methods.table import METHODS
from run_bot import split_command

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
