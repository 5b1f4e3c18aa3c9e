"""The program as a wheel: it holds every file that it reads, and runs outside a checkout."""

import os
import re
import signal
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatscript.runner.bot_process import base_environment
from tests import containerfile
from tests.crash.process import free_port

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("bot", "chatscript", "playground", "storage", "verification", "web")
ENVIRONMENT = {name: value for name, value in base_environment(os.environ).items() if name != "PYTHONPATH"}
_SECONDS = 600


def run(*command: str | Path, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without this process's settings and import paths."""
    return subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT | settings,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def done(*command: str | Path, folder: Path) -> None:
    ended = run(*command, folder=folder)
    assert ended.returncode == 0, ended


def files_of_packages() -> Iterator[str]:
    """Every file of our packages that git knows."""
    known = run("git", "ls-files", "-z", *PACKAGES, folder=ROOT)
    return filter(None, known.stdout.split("\0"))


@pytest.mark.slow("installation")
def test_a_wheel_out_of_the_source_distribution_holds_every_file_of_the_packages_and_nothing_else(
    tmp_path: Path,
) -> None:
    python = tmp_path / "builder" / "bin" / "python"
    done(sys.executable, "-m", "venv", "builder", folder=tmp_path)
    done(python, "-m", "pip", "install", "--quiet", *PROJECT["build-system"]["requires"], folder=tmp_path)
    done(python, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, folder=ROOT)
    [source] = tmp_path.glob("*.tar.gz")
    done(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", source, folder=tmp_path)

    [built] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {*files_of_packages(), "run_bot.py", "command_line.py"}


@pytest.mark.slow("installation")
def test_what_the_container_is_built_with_runs_outside_a_checkout(tmp_path: Path) -> None:
    program, folder = containerfile.build(tmp_path) / "realname-bot", tmp_path / "elsewhere"
    folder.mkdir()

    says_what_it_is(program, folder)
    assert not list(folder.iterdir()), "nothing was started"
    plays_scripts(program, folder)
    runs_the_playground(program, folder)
    assert (folder / "data" / "bot.sqlite3").exists()


def says_what_it_is(program: Path, folder: Path) -> None:
    version, commands = run(program, "--version", folder=folder), run(program, "--help", folder=folder)
    findings, diagram = run(program, "doctor", "--offline", folder=folder), run(program, "diagram", folder=folder)

    assert version.stdout == f"realname-bot {PROJECT['project']['version']}\n"
    assert "Usage: realname-bot " in commands.stdout
    assert (findings.returncode, findings.stderr) == (0, "")
    assert re.search(r"^ok: questions and answers: \d+ in every language$", findings.stdout, re.MULTILINE)
    assert diagram.stdout.startswith("stateDiagram-v2\n")


def plays_scripts(program: Path, folder: Path) -> None:
    scripts = [ROOT / "tests" / "conversations" / name for name in ("qq.chat", "commands_faq.chat")]

    played = run(program, "play", *scripts, folder=folder)

    assert (played.returncode, played.stderr) == (0, ""), played.stdout


def runs_the_playground(program: Path, folder: Path) -> None:
    port = str(free_port())
    with subprocess.Popen(
        [program], cwd=folder, env=ENVIRONMENT | {"PORT": port}, stdout=subprocess.PIPE, text=True
    ) as playground:
        try:
            assert playground.stdout is not None
            assert any("Chat with the bot:" in line for line in playground.stdout), "it ended"
            health = run(program, "health", folder=folder, PORT=port)

            assert (health.returncode, health.stdout) == (0, "ready\n")
        finally:
            playground.send_signal(signal.SIGTERM)
        assert playground.wait(30) == 0
