"""The operators' guide, followed: two programs from the wheel on PostgreSQL by webhook, and each command as written."""

import asyncio
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import typer

from chatscript.runner.bot_process import CommandLauncher
from command_line import app
from playground.phone.browser import Phone
from tests import containerfile
from tests.crash.test_replicas import converses, fleet
from tests.postgres_server import Server

GUIDE = (Path(__file__).parents[1] / "docs" / "operators" / "guide.md").read_text(encoding="utf-8")
PROGRAM = ".venv/bin/python run_bot.py"
COMMANDS = frozenset(typer.main.get_command(app).list_commands(None))  # type: ignore[attr-defined]
WHILE_STOPPED = ("restore", "move-bot")
NEEDS_YES = ("retention", "--at")
"""At a time in the future, as the guide says."""


def commands_of(guide: str) -> Iterator[list[str]]:
    """The commands of the guide: the lines of its blocks, then those in the first column of its tables."""
    for block in re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith(f"{PROGRAM} "):
                yield shlex.split(line.removeprefix(PROGRAM), comments=True)
    for cell in re.findall(r"^\| `([^`]+)`", guide, re.MULTILINE):
        words = shlex.split(cell)
        if words[0] in COMMANDS and (len(words) > 1 or words[0] == "retention"):
            yield words


def test_the_guide_names_commands_that_change_and_show_everything() -> None:
    named = {words[0] for words in commands_of(GUIDE)}

    assert named <= COMMANDS
    assert {"keys", "backup", "restore", "doctor", "retention", "erase", "move-bot", "link", "funnel"} <= named


class Operator:
    """Runs the commands in a folder of its own, where names of the guide stand for what is there."""

    def __init__(self, program: Path, folder: Path, env: dict[str, str], person: int) -> None:
        self._program = program
        self._folder = folder
        self._env = env
        self._backups = folder / "backups"
        self._backups.mkdir(parents=True)
        self._names = {"/backups": str(self._backups), "telegram:100012345": f"telegram:{person}"}

    async def run(self, words: Sequence[str]) -> str:
        """Run a command, and say yes where it asks."""
        given = [await self._found(word) for word in words] + (["--yes"] if tuple(words[:2]) == NEEDS_YES else [])
        process = await asyncio.create_subprocess_exec(
            self._program,
            *given,
            cwd=self._folder,
            env=self._env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate(b"y\n")
        assert process.returncode == 0, f"{' '.join(given)}\n{told.decode()}"
        return told.decode()

    async def _found(self, word: str) -> str:
        if re.fullmatch(r"/backups/bot-\d{8}T\d{6}Z\.sqlite3", word):
            return str(max(self._backups.glob("bot-*Z.sqlite3")))
        if re.fullmatch(r"[0-9a-f]{16}", word):
            [link] = re.findall(r"\b[0-9a-f]{16}\b", await self.run(["links"]))
            return str(link)
        for name, value in self._names.items():
            word = word.replace(name, value)
        return word


@pytest.mark.slow("installation")
async def test_every_command_of_the_guide_runs_from_the_wheel_alone(tmp_path: Path, server: Server) -> None:
    program = await asyncio.to_thread(containerfile.build, tmp_path) / "realname-bot"
    launcher = CommandLauncher((str(program),))
    async with fleet(tmp_path, server, 2, launcher) as both, Phone() as phone:
        guest = await both.telegram.new_user()
        await converses(guest, phone)
        await both.at_rest()
        operator = Operator(program, tmp_path / "operator", both.bots[0].env, guest.id)
        commands = list(commands_of(GUIDE))
        told = {tuple(words): await operator.run(words) for words in commands if words[0] not in WHILE_STOPPED}
        assert await operator.run(["health"]) == "ready\n"
        for bot in both.bots:
            await bot.kill_without_waiting()
        told |= {tuple(words): await operator.run(words) for words in commands if words[0] in WHILE_STOPPED}
        for bot in both.bots:
            await bot.start()
        await guest.says("/status")
        await guest.sees("进度：已完成")

    assert len(told) == len({tuple(words) for words in commands}) > 15
    assert "problem: " not in told["doctor",]
    assert "waiting" in told["links", "--campaign", "spring"]
