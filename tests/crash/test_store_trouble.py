"""Database failures under a running bot: nothing confirmed is lost, it is not ready, and it recovers by itself."""

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.crash.conversation import CHAT, came, is_clean
from tests.crash.process import ManagedBot, running_bot_process
from tests.postgres_server import Server
from tests.reliability import Proof
from tests.simulator_fixture import PATIENCE, Simulator, simulator


@contextmanager
def locked(bot: ManagedBot) -> Iterator[None]:
    """Another program holds a write transaction open."""
    with closing(sqlite3.connect(bot.data / "bot.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(bot: ManagedBot) -> Iterator[None]:
    """No file of the bot can grow."""
    soft, hard = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (1, hard))
    yield
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (soft, hard))


async def red(telegram: Simulator, bot: ManagedBot) -> None:
    """Wait until the bot says that it is not ready."""
    async with asyncio.timeout(PATIENCE * 2):
        while True:
            async with telegram.http.get(f"{bot.address()}/readyz") as answer:
                if answer.status == 503:
                    return


@pytest.mark.parametrize("trouble", [pytest.param(locked, marks=pytest.mark.slow("crash")), full])
async def test_inv27_a_file_that_cannot_be_written_for_a_while_loses_nothing(
    tmp_path: Path, trouble: Callable[[ManagedBot], AbstractContextManager[None]], proof: Proof
) -> None:
    async with simulator() as telegram, running_bot_process(telegram, tmp_path) as bot:
        guest = await telegram.new_user()
        await CHAT[0].do(guest, None)  # type: ignore[arg-type]  # no phone is needed to begin
        await guest.sees(CHAT[0].reply_text)
        await bot.wait_until_shown()
        with trouble(bot):
            await CHAT[1].do(guest, None)  # type: ignore[arg-type]
            await red(telegram, bot)
        await guest.sees(CHAT[1].reply_text)
        await bot.wait_until_shown()

        assert [came(guest, step.reply_text) for step in CHAT[:2]] == [1, 1]
    proof(cases=1, faults=1)


async def test_inv27_a_database_server_that_stops_during_each_step_loses_nothing(
    tmp_path: Path, server: Server, proof: Proof
) -> None:
    url = await server.new_database()
    async with simulator() as telegram, running_bot_process(telegram, tmp_path, DATABASE_URL=url) as bot:
        guest = await telegram.new_user()
        for step in CHAT:
            server.stop()
            await step.do(guest, None)  # type: ignore[arg-type]
            await red(telegram, bot)
            server.start()
            await guest.sees(step.reply_text)
        await telegram.wait_until(lambda: is_clean(guest), guest.transcript)

        counts = {step.name: came(guest, step.reply_text) for step in CHAT}
        assert set(counts.values()) <= {1, 2}, f"{counts}\n{bot.output()}"
    proof(cases=len(CHAT), faults=len(CHAT))
