"""Reads deploy/Containerfile, and carries out its build stage on this machine."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chatscript.runner.bot_process import base_environment

ROOT = Path(__file__).parents[1]
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, such as `COPY`, with its flags and its other words."""

    name: str
    text: str

    @property
    def flags(self) -> list[str]:
        return [word for word in self.text.split() if word.startswith("--")]

    @property
    def words(self) -> list[str]:
        return [word for word in self.text.split() if not word.startswith("--")]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage; each begins with `FROM`."""
    found: list[list[Instruction]] = []
    text = CONTAINERFILE.read_text(encoding="utf-8")
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append([])
        found[-1].append(Instruction(name, rest))
    return found


def copied(stage: list[Instruction]) -> Iterator[tuple[list[str], str]]:
    """What a stage copies out of the project's folder, and where to."""
    for instruction in stage:
        if instruction.name == "COPY" and not instruction.flags:
            *sources, target = instruction.words
            yield sources, target


def build(place: Path) -> Path:
    """Carry out the build stage in a folder instead of the root; returns the folder of the installed commands."""
    folder = place / "src"
    folder.mkdir()
    env = base_environment({"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    for instruction in stages()[0]:
        match instruction.name:
            case "COPY":
                *sources, target = instruction.words
                for source in sources:
                    _copy(ROOT / source, folder / target)
            case "RUN":
                command = re.sub(r"(?<!\S)/(app|data)\b", rf"{place}/\1", instruction.text)
                ended = subprocess.run(
                    ("/bin/sh", "-c", command),
                    cwd=folder,
                    env=env,
                    capture_output=True,
                    text=True,
                    timeout=_SECONDS,
                    check=False,
                )
                assert ended.returncode == 0, ended
    return place / "app" / "bin"


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
