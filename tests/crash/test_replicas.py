"""Several programs behind a load balancer, on one PostgreSQL: each serves every user, and each can be killed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from chatscript.runner.bot_process import BotLauncher
from playground.phone.browser import Phone
from tests.crash.conversation import DONE, STEPS, came, is_clean
from tests.crash.process import ManagedBot, free_port
from tests.load_balancer import LoadBalancer, load_balancer
from tests.postgres_server import Server
from tests.reliability import Proof
from tests.simulator_fixture import PATIENCE, ChatUser, Simulator, simulator

SECRET = "a-secret-of-the-webhook"
UNREST = (
    "SELECT count(*) FROM dialogues WHERE shown < revision OR holder IS NOT NULL",
    "SELECT count(*) FROM notices WHERE settled = 0",
)
HOLDS = "SELECT count(*) FROM dialogues JOIN programs ON program = holder WHERE name LIKE '%:' || $1"


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """The programs, the load balancer before them, and the database they share."""

    telegram: Simulator
    bots: Sequence[ManagedBot]
    before: LoadBalancer
    url: str

    async def count(self, question: str, *values: str) -> int:
        """A number from the shared database."""
        connection = await asyncpg.connect(self.url)
        try:
            return int(await connection.fetchval(question, *values))
        finally:
            await connection.close()

    async def at_rest(self) -> None:
        """Wait until every user has every answer."""
        async with asyncio.timeout(PATIENCE * 2):
            await self.telegram.wait_until_idle()
            while any([await self.count(question) for question in UNREST]):  # noqa: ASYNC110 - a database cannot notify
                await asyncio.sleep(0.02)


@asynccontextmanager
async def fleet(
    folder: Path, server: Server, size: int, launcher: BotLauncher | None = None
) -> AsyncIterator[ReplicaSet]:
    """Start so many programs, and leave none behind; a launcher of an installed one brings all that it imports."""
    url = await server.new_database()
    ports = [free_port() for _ in range(size)]
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(simulator())
        before = await stack.enter_async_context(load_balancer(*(f"http://127.0.0.1:{port}" for port in ports)))
        shared = {"DATABASE_URL": url, "DATA_DIR": str(folder), "WEBHOOK_URL": before.url, "PUBLIC_URL": before.url}
        bots = [a_bot(telegram, folder / str(port), port, launcher, **shared) for port in ports]
        for bot in bots:
            stack.push_async_callback(bot.kill)
        for bot in bots:
            await bot.start()
            await serves(telegram, bot)
        yield ReplicaSet(telegram, bots, before, url)


def a_bot(telegram: Simulator, folder: Path, port: int, launcher: BotLauncher | None, **shared: str) -> ManagedBot:
    folder.mkdir()
    bot = ManagedBot(telegram, folder, launcher, PORT=str(port), WEBHOOK_SECRET=SECRET, **shared)
    if launcher is not None:
        del bot.env["PYTHONPATH"]
    return bot


async def serves(telegram: Simulator, bot: ManagedBot) -> None:
    """Wait until a program takes requests."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with telegram.http.get(f"http://127.0.0.1:{bot.env['PORT']}/readyz") as answer:
                    if answer.status == 200:
                        return
            except OSError:
                await asyncio.sleep(0.02)


async def converses(guest: ChatUser, phone: Phone) -> None:
    for step in STEPS:
        await step.do(guest, phone)
        await guest.sees(step.reply_text)


def told_once(guest: ChatUser) -> bool:
    return came(guest, DONE) == 1 and is_clean(guest) and len(guest.waiting_messages()) <= 1


@pytest.mark.parametrize("size", [2, pytest.param(3, marks=pytest.mark.slow("crash"))])
async def test_inv31_any_program_serves_any_user_and_nothing_is_sent_twice(
    tmp_path: Path, server: Server, size: int, proof: Proof
) -> None:
    async with fleet(tmp_path, server, size) as all_of_them, AsyncExitStack() as stack:
        guests = [await all_of_them.telegram.new_user() for _ in range(3)]
        phones = [await stack.enter_async_context(Phone()) for _ in guests]
        async with asyncio.TaskGroup() as tasks:
            for guest, phone in zip(guests, phones, strict=True):
                tasks.create_task(converses(guest, phone))
        await all_of_them.at_rest()

        asked = {sign: [came(guest, sign) for guest in guests] for sign in (step.reply_text for step in STEPS[:7])}
        assert all(told_once(guest) for guest in guests), [guest.transcript() for guest in guests]
        assert set(map(tuple, asked.values())) == {(1, 1, 1)}, asked
        assert await all_of_them.count("SELECT count(*) FROM places") == 3
    proof(cases=size * len(guests))


@pytest.mark.slow("crash")
@pytest.mark.parametrize("size", [2, 3])
async def test_inv31_after_a_kill_at_any_step_the_other_programs_continue(
    tmp_path: Path, server: Server, size: int, proof: Proof
) -> None:
    async with fleet(tmp_path, server, size) as all_of_them, Phone() as phone:
        guest = await all_of_them.telegram.new_user()
        for number, step in enumerate(STEPS):
            victim = all_of_them.bots[number % size]
            await step.do(guest, phone)
            await victim.kill_without_waiting()
            await guest.sees(step.reply_text)
            await victim.launch()
            await serves(all_of_them.telegram, victim)
        await all_of_them.at_rest()
        await all_of_them.telegram.wait_until(lambda: is_clean(guest), guest.transcript)

        assert came(guest, DONE) in (1, 2)
        assert len(guest.waiting_messages()) <= 1, guest.transcript()
        assert await all_of_them.count("SELECT count(*) FROM places") == 1
    proof(cases=size, faults=len(STEPS))


@pytest.mark.slow("crash")
async def test_inv22_a_result_that_a_killed_program_was_about_to_send_is_sent_by_another(
    tmp_path: Path, server: Server, proof: Proof
) -> None:
    async with fleet(tmp_path, server, 2) as both, Phone() as phone:
        guest = await both.telegram.new_user()
        for step in STEPS[:-1]:
            await step.do(guest, phone)
            await guest.sees(step.reply_text)
        await both.at_rest()
        held = both.telegram.hold_call("sendMessage", applied=False)
        await STEPS[-1].do(guest, phone)
        await held.caught.wait()
        holder = await both.count(HOLDS, both.bots[0].env["PORT"])
        await both.bots[0 if holder else 1].kill_without_waiting()
        await guest.sees(DONE)
        await both.at_rest()

        assert came(guest, DONE) == 1
        assert len(guest.waiting_messages()) <= 1
    proof(cases=1, faults=1)
