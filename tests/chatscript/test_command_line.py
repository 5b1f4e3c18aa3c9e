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


def test_a_recording_overwrites_nothing(tmp_path: Path) -> None:
    path = script(tmp_path, "> a\n")

    assert run("record", "--bot", BOT, "--out", path) == (2, [f"--out: {path} is there already"])


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
        await shown.communicate()

    assert "http://127.0.0.1:" in lines[-1]
