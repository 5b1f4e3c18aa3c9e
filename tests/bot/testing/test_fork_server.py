"""A forked bot is a process like any other; a small program replaces the bot in these tests."""

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
    if words == "crash":
        raise RuntimeError("the bot crashed")
    if words == "fork" and os.fork() == 0:
        Path("grandchild").write_text(str(os.getpid()))
    while True:
        os.read(0, 1) or __import__("signal").pause()

ForkServer(main, fromfd(0, AF_UNIX, SOCK_STREAM)).run()
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[ForkClient]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(root=str(ROOT)), encoding="utf-8")
    client = ForkClient((sys.executable, str(program)))
    yield client
    client.close()


async def start_bot(client: ForkClient, folder: Path, **variables: str) -> ForkedProcess:
    env = base_environment(os.environ) | {"DATA_DIR": str(folder), **variables}
    return await client.start(env, folder / "log")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - files and processes give no notification
            await asyncio.sleep(0.01)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def facts_of(folder: Path) -> Any:
    await until(lambda: text(folder / "log").endswith("\n"))
    return json.loads(text(folder / "log"))


async def test_each_bot_is_a_process_of_its_own_with_its_own_environment(tmp_path: Path, client: ForkClient) -> None:
    one = await start_bot(client, tmp_path, NAME="one")
    env, folder, leads_its_session, open_files = await facts_of(tmp_path)
    (tmp_path / "log").unlink()
    two = await start_bot(client, tmp_path, OTHER="two")
    other_env, *_, other_open_files = await facts_of(tmp_path)

    assert one.pid != two.pid
    assert (env["NAME"], "NAME" in other_env, other_env["OTHER"]) == ("one", False, "two")
    assert (folder, leads_its_session) == (str(tmp_path), True)
    assert open_files == other_open_files, "a bot inherits no open file of the server or of other bots"
    assert one.exit_code is None
    await one.kill()
    await two.kill()


async def test_killing_a_bot_kills_its_children(tmp_path: Path, client: ForkClient) -> None:
    bot = await start_bot(client, tmp_path, WORDS="fork")
    await until(lambda: bool(text(tmp_path / "grandchild")))
    grandchild = Path("/proc", text(tmp_path / "grandchild"), "cmdline")

    await bot.kill()
    await bot.kill()

    assert bot.exit_code == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(bot.pid, 0)
    await until(lambda: not text(grandchild))


async def test_the_exit_code_of_a_bot_is_reported(tmp_path: Path, client: ForkClient) -> None:
    assert await (await start_bot(client, tmp_path, WORDS="end")).wait() == 7

    crashed = await start_bot(client, tmp_path, WORDS="crash")

    assert await crashed.wait() == 1
    assert "RuntimeError: the bot crashed" in (tmp_path / "log").read_text(encoding="utf-8")


async def test_a_bot_killed_from_outside_is_noticed(tmp_path: Path, client: ForkClient) -> None:
    bot = await start_bot(client, tmp_path)

    os.kill(bot.pid, signal.SIGTERM)

    assert await bot.wait() == -signal.SIGTERM


async def test_closing_the_client_kills_every_bot(tmp_path: Path, client: ForkClient) -> None:
    bots = [await start_bot(client, tmp_path) for _ in range(3)]

    client.close()

    assert [await bot.wait() for bot in bots] == [-signal.SIGKILL] * 3


async def test_interpreter_variables_get_a_server_of_their_own(tmp_path: Path, client: ForkClient) -> None:
    await (await start_bot(client, tmp_path, WORDS="end")).wait()
    (tmp_path / "log").unlink()

    other = await start_bot(client, tmp_path, PYTHONHASHSEED="7")

    assert (await facts_of(tmp_path))[0]["PYTHONHASHSEED"] == "7"
    await other.kill()


async def test_a_fork_server_that_ends_fails_the_start(tmp_path: Path) -> None:
    client = ForkClient((sys.executable, "-c", ""))

    with pytest.raises(ForkServerGone):
        await start_bot(client, tmp_path)
    client.close()
