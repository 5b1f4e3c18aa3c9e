"""The same scripts against bots of six libraries: conversation, keys, media, polls, payments, webhook, runner."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chatscript.runner.bot_process import CommandLauncher
from chatscript.runner.event_waiter import Timing
from chatscript.suite import SuiteOptions, run_suite

ROOT = Path(__file__).parents[2]
FOREIGN = Path(__file__).with_name("bots") / "foreign"
TALK, MORE = FOREIGN / "talk.chat", FOREIGN / "more.chat"
PATIENT = Timing(start_timeout=90)  # some import their library for long, several at once


async def played(command: list[str], *scripts: Path) -> tuple[int, str]:
    said: list[str] = []
    launcher = CommandLauncher(command, folder=FOREIGN)
    options = SuiteOptions(jobs=2, timing=PATIENT)
    status = await run_suite(scripts or (TALK, MORE), options, launcher=launcher, texts=None, out=said.append)
    return status, "\n".join(said)


def python_with(module: str) -> str:
    """Return a Python that has the module: this one, or that of `make bench`."""
    for python in (sys.executable, str(ROOT / ".venv-bench" / "bin" / "python")):
        asked = [python, "-c", f"import {module}"]
        if shutil.which(python) and subprocess.run(asked, check=False, capture_output=True).returncode == 0:
            return python
    assert not os.environ.get("CI"), f"the lock of the benchmarks has {module}"
    pytest.skip(f"no {module} to play with: make .venv-bench/bench.lock")


def node_with(package: str) -> str:
    """Return node, when the package is installed beside the bots."""
    node = shutil.which("node")
    if node is None or not (FOREIGN / "node_modules" / package).exists():
        pytest.skip(f"no {package} to play with: npm install --prefix {FOREIGN}")
    return node


@pytest.mark.slow("foreign bots")
@pytest.mark.parametrize(("module", "bot"), [("telegram", "ptb"), ("aiogram", "aiogram"), ("telebot", "telebot")])
async def test_a_bot_in_python_can_be_tested(module: str, bot: str) -> None:
    status, said = await played([python_with(module), f"{bot}_bot.py"])

    assert (status, said.splitlines()[-1].split(" in ")[0]) == (0, "3 passed"), said


@pytest.mark.slow("foreign bots")
@pytest.mark.parametrize("package", ["grammy", "telegraf", "node-telegram-bot-api"])
async def test_a_bot_in_javascript_can_be_tested(package: str) -> None:
    status, said = await played([node_with(package), f"{package.replace('-', '_')}_bot.js"])

    assert (status, "3 passed" in said) == (0, True), said


def _has_perl() -> bool:
    perl = shutil.which("perl")
    if perl is None:
        return False
    return subprocess.run([perl, "-MHTTP::Tiny", "-MJSON::PP", "-e1"], check=False, capture_output=True).returncode == 0


async def test_a_bot_without_any_library_can_be_tested() -> None:
    if not _has_perl():
        pytest.skip("no perl with its usual modules")

    status, said = await played(shlex.split("perl plain_bot.pl"), TALK)

    assert (status, said.splitlines()[-1].split(" in ")[0]) == (0, "2 passed"), said
