"""The playground's own process and the bot's beside it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOT = "import os, sys; print('bot', os.getpid(), flush=True); sys.stdin.read()"
HOST = (
    "import sys; from playground.host import host; "
    "sys.exit(host([sys.executable, '-c', sys.argv[1]], port=0, say=lambda line: print(line, flush=True)))"
)


async def test_a_bot_ends_with_its_playground_even_when_that_is_killed() -> None:
    pipe = asyncio.subprocess.PIPE
    playground = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOST, BOT, cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert playground.stdout is not None
    async with asyncio.timeout(20):
        bot = int((await playground.stdout.readline()).split()[1])
        os.kill(playground.pid, signal.SIGKILL)
        await playground.wait()
        # The bot holds the other end of this pipe: it ends when the last process that could write is gone.
        rest = await playground.stdout.read()

    assert (bot > 0, rest) == (True, b"")
