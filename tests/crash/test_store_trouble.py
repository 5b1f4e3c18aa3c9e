"""Database failures under a running bot: nothing confirmed is lost, it is not ready, and it recovers by itself."""

import asyncio
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.crash.conversation import CHAT, came, is_clean
from tests.crash.process import ManagedBot, free_port, running_bot_process
from tests.postgres_server import Server
from tests.reliability import Proof
from tests.simulator_fixture import PATIENCE, Simulator, simulator

SECRET = "a-secret-of-the-webhook"
AWAY = "the database is away: "


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
    """Wait until the bot says that it is not ready, because of its store."""
    while "store" not in await turned(telegram, bot, 503):
        pass


async def green(telegram: Simulator, bot: ManagedBot) -> None:
    """Wait until the bot says that it is ready."""
    assert await turned(telegram, bot, 200) == {}


async def turned(telegram: Simulator, bot: ManagedBot, status: int) -> dict[str, str]:
    """Wait until `/readyz` has this status; gives its reasons."""
    async with asyncio.timeout(PATIENCE * 2):
        while True:
            async with telegram.http.get(f"http://127.0.0.1:{bot.env['PORT']}/readyz") as answer:
                told = await answer.json()
                if answer.status == status:
                    return dict(told["reasons"])
            await asyncio.sleep(0.02)


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
        await green(telegram, bot)
        await guest.sees(CHAT[1].reply_text)
        await bot.wait_until_shown()

        assert [came(guest, step.reply_text) for step in CHAT[:2]] == [1, 1]
    proof(cases=1, faults=1)


@pytest.mark.parametrize("trouble", [pytest.param(locked, marks=pytest.mark.slow("crash")), full])
async def test_inv27_an_outage_that_an_update_by_webhook_met_is_over_without_another_update(
    tmp_path: Path, trouble: Callable[[ManagedBot], AbstractContextManager[None]], proof: Proof
) -> None:
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    settings = {"PORT": port, "WEBHOOK_URL": address, "WEBHOOK_SECRET": SECRET}
    person = {"id": 5, "type": "private", "is_bot": False, "first_name": "王"}
    update = {"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": person, "from": person, "text": "a"}}
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    async with simulator() as telegram, running_bot_process(telegram, tmp_path, **settings) as bot:
        await green(telegram, bot)
        for _ in range(2):
            with trouble(bot):
                async with telegram.http.post(f"{address}/telegram", json=update, headers=headers) as answer:
                    assert answer.status == 503
                await red(telegram, bot)
            # A balancer sends nothing to a program that is not ready, so no update comes meanwhile.
            await green(telegram, bot)
    proof(cases=1, faults=2)


@pytest.mark.slow("crash")
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
        async with asyncio.timeout(PATIENCE):
            while bot.output().count(AWAY) != bot.output().count("the database is back after "):
                await green(telegram, bot)
        output = bot.output()
        # What comes and goes all the time begins with at most five lines in a minute.
        assert 1 <= output.count(AWAY) <= min(len(CHAT), 5), output
        assert not [sign for sign in ("Traceback", "Error", "NotSent") if sign in output], output
    proof(cases=len(CHAT), faults=len(CHAT))
