"""When a bot's program sleeps; a person who has read a message acts only then."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatscript.runner.process_state import PROCESSES, is_asleep
from tests.chatscript.bots.playing import FORM_BOT, passes
from tests.simulator_fixture import PATIENCE

COMPUTES = "print(flush=True)\nwhile True: pass"
SLEEPS = "import time; print(flush=True); time.sleep(60)"
IN_A_THREAD = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()\n" + COMPUTES
IN_A_CHILD = f"{sys.executable} -c '{COMPUTES}' & wait"

OWN = PROCESSES / "self" / "task" / str(os.getpid())
pytestmark = pytest.mark.skipif(not (OWN / "children").exists(), reason="only Linux tells what a thread does")


@asynccontextmanager
async def program(*command: str) -> AsyncIterator[int]:
    """Run a program until the end of the block, once it has written a line."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout
        await process.stdout.readline()
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def test_a_program_sleeps_when_it_waits() -> None:
    async with program(sys.executable, "-c", SLEEPS) as pid, asyncio.timeout(PATIENCE):
        while not is_asleep(pid):  # noqa: ASYNC110 - nothing notifies
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "command",
    [(sys.executable, "-c", COMPUTES), (sys.executable, "-c", IN_A_THREAD), ("sh", "-c", IN_A_CHILD)],
    ids=["program", "thread", "child"],
)
async def test_a_program_works_while_a_part_of_it_works(command: Sequence[str]) -> None:
    async with program(*command) as pid:
        assert not any(is_asleep(pid) for _ in range(50))


def test_where_the_system_does_not_tell_a_program_counts_as_asleep(tmp_path: Path) -> None:
    assert is_asleep(1, tmp_path)


async def test_a_person_reads_before_they_answer_so_a_bot_that_remembers_late_still_knows_them(tmp_path: Path) -> None:
    await passes(
        tmp_path,
        "> /start\n< 请输入姓名\n> 李雷\n< 你好 李雷\n> 韩梅梅\n< 你好 韩梅梅\n",
        bot=FORM_BOT.with_name("threaded_bot.py"),
    )
