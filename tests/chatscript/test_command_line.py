"""The command `chatscript` of the kit's own package."""

import asyncio
import json
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from chatscript.command_line import main
from tests.chatscript.bots.playing import FORM_BOT

ROOT = Path(__file__).parents[2]
BOT = shlex.join([sys.executable, str(FORM_BOT)])


POLLING_BOT = """
import json, os, urllib.parse, urllib.request

def call(method, **fields):
    address = os.environ["BOT_API_URL"] + "/bot" + os.environ["BOT_TOKEN"] + "/" + method
    return json.load(urllib.request.urlopen(address + "?" + urllib.parse.urlencode(fields)))["result"]

offset = 0
while True:
    for update in call("getUpdates", timeout=9, offset=offset):
        offset = update["update_id"] + 1
        for answer in "{answers}".split():
            call("sendMessage", chat_id=update["message"]["chat"]["id"], text=answer)
"""


def run(*arguments: str | Path) -> tuple[int, list[str]]:
    """Run a command and return its exit code and what it said."""
    said: list[object] = []
    return main([str(argument) for argument in arguments], said.append), [str(line) for line in said]


def script(folder: Path, lines: str) -> Path:
    path = folder / "talk.chat"
    path.write_text(f"title: Talk\n{lines}", encoding="utf-8")
    return path


def test_scripts_are_played_and_the_calls_listed(tmp_path: Path) -> None:
    path, calls = script(tmp_path, "> /start\n< 你好...\n"), tmp_path / "calls.json"

    code, said = run("play", path, "--bot", BOT, "--calls", calls, "--lang", "zh", "--patience", "1")

    assert (code, said[-1].partition(" in ")[0]) == (0, "\n1 passed")
    assert "sendMessage" in {call["method"] for call in json.loads(calls.read_text(encoding="utf-8"))[0]["calls"]}


@pytest.mark.slow("programs")
def test_a_failing_script_is_accepted(tmp_path: Path) -> None:
    path = script(tmp_path, "> /start\n< 再见\n")

    code, _ = run("accept", path, "--bot", BOT)

    assert code == 0
    assert "你好" in path.read_text(encoding="utf-8")


def test_a_first_script_and_a_workflow_are_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    first, again = run("init"), run("init")

    assert (tmp_path / "tests" / "first.chat").read_text(encoding="utf-8").startswith("title:")
    assert [line.partition(" ")[0] for line in first[1]] == ["wrote", "wrote", "Now:"]
    assert again[1][:2] == ["tests/first.chat is there already", ".github/workflows/chats.yml is there already"]


def test_without_a_command_the_commands_are_listed() -> None:
    code, [said] = run()

    assert code == 2
    assert all(f"\n    {command} " in said for command in ("play", "record", "ci"))


def test_a_recording_overwrites_nothing(tmp_path: Path) -> None:
    path = script(tmp_path, "> a\n")

    assert run("record", "--bot", BOT, "--out", path) == (2, [f"--out: {path} is there already"])


@pytest.mark.slow("programs")
@pytest.mark.parametrize("command", ["record", "serve"])
async def test_a_bot_is_shown_in_a_browser(tmp_path: Path, command: str) -> None:
    words = [command, "--bot", BOT, "--port", "0"]
    env = {name: value for name, value in os.environ.items() if name != "STAFF_IDS"} | {"PYTHONPATH": str(ROOT)}
    env |= {"DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    arguments = (sys.executable, "-m", "chatscript.command_line", *words)
    shown = await asyncio.create_subprocess_exec(*arguments, cwd=tmp_path, env=env, stdout=asyncio.subprocess.PIPE)
    assert shown.stdout is not None
    lines = []
    async with asyncio.timeout(40):
        while line := (await shown.stdout.readline()).decode():
            lines.append(line)
            if "http://127.0.0.1:" in line:
                break
        shown.send_signal(signal.SIGTERM)
        rest, _ = await shown.communicate()

    assert "http://127.0.0.1:" in lines[-1]
    assert b"Ctrl-C ends it" in rest
    assert b"desk" not in rest  # what only our bot has


def test_a_ci_plays_all_scripts_keeps_the_reports_and_marks_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (tmp_path / "tests").mkdir()
    script(tmp_path / "tests", "> /start\n< 再见，100%\n")

    code, said = run("ci", "--bot", BOT)

    assert code == 1
    assert any(
        line.startswith("::error file=tests/talk.chat,line=3::the bot did something different:%0A") for line in said
    )
    assert {path.name for path in (tmp_path / "chat-report").iterdir()} == {"report.xml", "chats.html", "calls.json"}


def test_a_ci_without_scripts_writes_what_the_bot_says_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot.py").write_text(POLLING_BOT.format(answers="你好 /start"), encoding="utf-8")

    code, said = run("ci")

    written = (tmp_path / "chat-report" / "first.chat").read_text(encoding="utf-8")
    assert (code, written) == (0, "title: The first talk\n> /start\n< 你好\n< /start\n"), said


def test_a_ci_says_what_it_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    code, [said] = run("ci")

    assert (code, said.partition(":")[0]) == (2, "--bot")


def test_a_ci_fails_for_a_bot_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot.py").write_text(POLLING_BOT.format(answers=""), encoding="utf-8")

    code, said = run("ci")

    assert (code, said[-1]) == (1, "The bot says nothing to /start.")
