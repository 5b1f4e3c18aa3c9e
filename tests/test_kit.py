"""The testers' kit as a package of its own: nothing of the bot in it, and no name that could collide."""

import shlex
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from chatscript.command_line import VERSION
from tests.chatscript.bots.playing import FORM_BOT
from tests.test_distribution import PROJECT, ROOT, done, run

KIT = tomllib.loads((ROOT / "kit" / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_kit_takes_its_version_and_its_dependencies_from_the_project() -> None:
    assert KIT["project"]["version"] == PROJECT["project"]["version"]
    assert PROJECT["project"]["version"] == VERSION
    assert KIT["build-system"] == PROJECT["build-system"]
    assert set(KIT["project"]["dependencies"]) <= set(PROJECT["project"]["dependencies"])


@pytest.mark.slow("installation")
def test_the_wheel_of_the_kit_has_one_package_and_plays_a_script(tmp_path: Path) -> None:
    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, ROOT / "kit", folder=tmp_path)
    [built] = tmp_path.glob("chatscript-*.whl")
    installed = tmp_path / "installed"
    done(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", installed, built), folder=tmp_path
    )
    (tmp_path / "talk.chat").write_text("title: Talk\n> /start\n< 你好...\n", encoding="utf-8")

    with zipfile.ZipFile(built) as wheel:
        names = wheel.namelist()
        metadata = Parser().parsestr(wheel.read(next(n for n in names if n.endswith("/METADATA"))).decode())
    played = run(
        *(sys.executable, installed / "bin" / "chatscript", "play", "talk.chat"),
        *("--bot", shlex.join([sys.executable, str(FORM_BOT)])),
        folder=tmp_path,
        PYTHONPATH=str(installed),
    )

    assert {name.partition("/")[0] for name in names} == {"chatscript", "chatscript-0.2.0.dist-info"}
    assert {"chatscript/py.typed", "chatscript/playground/static/index.html"} <= set(names)
    assert "chatscript/playground/botapi/methods/signatures.txt" in names
    assert metadata["Name"] == "chatscript"
    assert "1 passed" in played.stdout, played
