"""A nursery's bots are processes like any other; a small program stands in for the bot."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.testing.fork_client import ForkClient, ForkedProcess, ForkServerGone
from chatscript.runner.bot_process import base_environment

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

PROGRAM = """
import json, os, sys
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, fromfd
sys.path.insert(0, {root!r})
from bot.testing.fork_server import ForkServer

def main():
    words = os.environ.get("WORDS", "")
    facts = dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid(), len(os.listdir("/proc/self/fd"))
    print(json.dumps(facts), flush=True)
    if words == "end":
        sys.exit(7)
    if words == "fall":
        raise RuntimeError("the bot fell")
    if words == "family" and os.fork() == 0:
        Path("grandchild").write_text(str(os.getpid()))
    while True:
        os.read(0, 1) or __import__("signal").pause()

ForkServer(main, fromfd(0, AF_UNIX, SOCK_STREAM)).run()
"""


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[ForkClient]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(root=str(ROOT)), encoding="utf-8")
    forking = ForkClient((sys.executable, str(program)))
    yield forking
    forking.close()


async def born(forking: ForkClient, folder: Path, **words: str) -> ForkedProcess:
    env = base_environment(os.environ) | {"DATA_DIR": str(folder), **words}
    return await forking.start(env, folder / "log")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - neither files nor processes ring a bell
            await asyncio.sleep(0.01)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def facts_of(folder: Path) -> Any:
    await until(lambda: text(folder / "log").endswith("\n"))
    return json.loads(text(folder / "log"))


async def test_each_bot_is_a_process_of_its_own_with_its_own_environment(tmp_path: Path, forking: ForkClient) -> None:
    one = await born(forking, tmp_path, NAME="one")
    env, folder, leads_its_session, open_files = await facts_of(tmp_path)
    (tmp_path / "log").unlink()
    two = await born(forking, tmp_path, OTHER="two")
    other_env, *_, other_open_files = await facts_of(tmp_path)

    assert one.pid != two.pid
    assert (env["NAME"], "NAME" in other_env, other_env["OTHER"]) == ("one", False, "two")
    assert (folder, leads_its_session) == (str(tmp_path), True)
    assert open_files == other_open_files, "a bot inherits nothing of the nursery or of its elders"
    assert one.exit_code is None
    await one.kill()
    await two.kill()


async def test_a_killed_bot_is_gone_with_its_children(tmp_path: Path, forking: ForkClient) -> None:
    bot = await born(forking, tmp_path, WORDS="family")
    await until(lambda: bool(text(tmp_path / "grandchild")))
    grandchild = Path("/proc", text(tmp_path / "grandchild"), "cmdline")

    await bot.kill()
    await bot.kill()

    assert bot.exit_code == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(bot.pid, 0)
    await until(lambda: not text(grandchild))


async def test_how_a_bot_ends_is_told(tmp_path: Path, forking: ForkClient) -> None:
    assert await (await born(forking, tmp_path, WORDS="end")).wait() == 7

    fallen = await born(forking, tmp_path, WORDS="fall")

    assert await fallen.wait() == 1
    assert "RuntimeError: the bot fell" in (tmp_path / "log").read_text(encoding="utf-8")


async def test_a_bot_killed_from_outside_is_noticed(tmp_path: Path, forking: ForkClient) -> None:
    bot = await born(forking, tmp_path)

    os.kill(bot.pid, signal.SIGTERM)

    assert await bot.wait() == -signal.SIGTERM


async def test_nobody_is_left_when_the_owner_closes(tmp_path: Path, forking: ForkClient) -> None:
    bots = [await born(forking, tmp_path) for _ in range(3)]

    forking.close()

    assert [await bot.wait() for bot in bots] == [-signal.SIGKILL] * 3


async def test_variables_of_the_interpreter_get_an_interpreter_of_their_own(
    tmp_path: Path, forking: ForkClient
) -> None:
    await (await born(forking, tmp_path, WORDS="end")).wait()
    (tmp_path / "log").unlink()

    other = await born(forking, tmp_path, PYTHONHASHSEED="7")

    assert (await facts_of(tmp_path))[0]["PYTHONHASHSEED"] == "7"
    await other.kill()


async def test_a_nursery_that_falls_is_an_error_of_the_start(tmp_path: Path) -> None:
    forking = ForkClient((sys.executable, "-c", ""))

    with pytest.raises(ForkServerGone):
        await born(forking, tmp_path)
    forking.close()
