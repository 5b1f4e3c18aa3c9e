"""The command line: what it offers, and what it does without a bot."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.flow.diagram import mermaid
from command_line import app

ROOT = Path(__file__).parents[1]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    "command",
    [
        "diagram",
        "play",
        "record",
        "doctor",
        "health",
        "backup",
        "restore",
        "retention",
        "erase",
        "move-bot",
        "keys",
        "link",
        "links",
        "revoke",
        "funnel",
    ],
)
def test_help_names_every_command(command: str) -> None:
    told = run("--help")

    assert told.exit_code == 0
    assert f"\n  {command} " in told.stdout


@pytest.mark.parametrize("command", [[], ["diagram"], ["play"], ["record"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    told = run(*command, "--help")

    assert (told.exit_code, told.stderr) == (0, "")
    assert "Usage:" in told.stdout


def test_the_diagram_is_mermaid_of_the_whole_dialogue() -> None:
    told = run("diagram")

    assert told.exit_code == 0
    assert told.stdout == mermaid()
    assert told.stdout.startswith("stateDiagram-v2\n")
    assert "Idle --> ChoosingType: begin" in told.stdout
    assert "Scanning --> Expired: code expired" in told.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["play"],
        ["--no-such-option"],
        ["play", "--jobs", "0", "x"],
        ["play", "--bot", "", "x"],
        ["play", "--bot", "a 'b", "x"],
    ],
)
def test_a_command_that_makes_no_sense_ends_with_two_and_says_why(words: list[str]) -> None:
    told = run(*words)

    assert told.exit_code == 2
    assert told.stderr


def test_playing_a_script_that_is_not_there_does_not_succeed() -> None:
    told = run("play", "no-such-file.chat")

    assert told.exit_code != 0


def test_recording_writes_over_no_file(tmp_path: Path) -> None:
    kept = tmp_path / "kept.chat"
    kept.write_text("> hi\n", encoding="utf-8")

    told = run("record", "--out", str(kept))

    assert (told.exit_code, kept.read_text(encoding="utf-8")) == (2, "> hi\n")
    assert told.stderr == f"--out: {kept} is there already\n"


def test_the_version_is_that_of_the_project_and_of_the_changelog() -> None:
    told = run("--version")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    released = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert (told.exit_code, told.stdout) == (0, f"realname-bot {project['version']}\n")
    assert released[0] == project["version"]


def test_a_start_takes_in_no_command_line_of_a_library_and_no_metadata_of_packages() -> None:
    program = (
        "import sys, run_bot\n"
        "run_bot.speed_up_imports()\n"
        "import bot.app, web.serving, uvicorn, uvicorn.server\n"
        "assert uvicorn.Server is uvicorn.server.Server\n"
        "print(sorted({'click', 'rich', 'typer', 'importlib.metadata'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("[]", "")
