"""Several programs behind a round-robin, on one PostgreSQL: any serves anybody, and any may be killed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

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
    """The programs, what stands before them, and what they share."""

    place: Simulator
    bots: Sequence[ManagedBot]
    before: LoadBalancer
    url: str

    async def count(self, question: str, *values: str) -> int:
        """A number out of the shared database."""
        connection = await asyncpg.connect(self.url)
        try:
            return int(await connection.fetchval(question, *values))
        finally:
            await connection.close()

    async def at_rest(self) -> None:
        """Wait until everybody has been told everything."""
        async with asyncio.timeout(PATIENCE * 2):
            await self.place.wait_until_idle()
            while any([await self.count(question) for question in UNREST]):  # noqa: ASYNC110 - the database rings no bell
                await asyncio.sleep(0.02)


@asynccontextmanager
async def fleet(folder: Path, server: Server, size: int) -> AsyncIterator[ReplicaSet]:
    """Start so many programs, and leave none behind."""
    url = await server.new_database()
    ports = [free_port() for _ in range(size)]
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(simulator())
        before = await stack.enter_async_context(load_balancer(*(f"http://127.0.0.1:{port}" for port in ports)))
        shared = {"DATABASE_URL": url, "DATA_DIR": str(folder), "WEBHOOK_URL": before.url, "PUBLIC_URL": before.url}
        bots = [a_bot(place, folder / str(port), port, **shared) for port in ports]
        for bot in bots:
            stack.push_async_callback(bot.kill)
        for bot in bots:
            await bot.start()
            await serves(place, bot)
        yield ReplicaSet(place, bots, before, url)


def a_bot(place: Simulator, folder: Path, port: int, **shared: str) -> ManagedBot:
    folder.mkdir()
    return ManagedBot(place, folder, PORT=str(port), WEBHOOK_SECRET=SECRET, **shared)


async def serves(place: Simulator, bot: ManagedBot) -> None:
    """Wait until a program takes requests."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with place.http.get(f"http://127.0.0.1:{bot.env['PORT']}/readyz") as answer:
                    if answer.status == 200:
                        return
            except OSError:
                await asyncio.sleep(0.02)


async def converses(guest: ChatUser, phone: Phone) -> None:
    for act in STEPS:
        await act.do(guest, phone)
        await guest.sees(act.reply_text)


def told_once(guest: ChatUser) -> bool:
    return came(guest, DONE) == 1 and is_clean(guest) and len(guest.waiting_messages()) <= 1


@pytest.mark.parametrize("size", [2, pytest.param(3, marks=pytest.mark.slow("crash"))])
async def test_inv31_any_program_serves_anybody_and_nothing_is_said_twice(
    tmp_path: Path, server: Server, size: int, proof: Proof
) -> None:
    async with fleet(tmp_path, server, size) as all_of_them, AsyncExitStack() as stack:
        guests = [await all_of_them.place.new_user() for _ in range(3)]
        phones = [await stack.enter_async_context(Phone()) for _ in guests]
        async with asyncio.TaskGroup() as tasks:
            for guest, phone in zip(guests, phones, strict=True):
                tasks.create_task(converses(guest, phone))
        await all_of_them.at_rest()

        asked = {sign: [came(guest, sign) for guest in guests] for sign in (act.reply_text for act in STEPS[:7])}
        assert all(told_once(guest) for guest in guests), [guest.transcript() for guest in guests]
        assert set(map(tuple, asked.values())) == {(1, 1, 1)}, asked
        assert await all_of_them.count("SELECT count(*) FROM places") == 3
    proof(cases=size * len(guests))


@pytest.mark.slow("crash")
@pytest.mark.parametrize("size", [2, 3])
async def test_inv31_whichever_program_is_killed_at_whatever_step_the_others_go_on(
    tmp_path: Path, server: Server, size: int, proof: Proof
) -> None:
    async with fleet(tmp_path, server, size) as all_of_them, Phone() as phone:
        guest = await all_of_them.place.new_user()
        for number, act in enumerate(STEPS):
            victim = all_of_them.bots[number % size]
            await act.do(guest, phone)
            await victim.kill_without_waiting()
            await guest.sees(act.reply_text)
            await victim.launch()
            await serves(all_of_them.place, victim)
        await all_of_them.at_rest()
        await all_of_them.place.wait_until(lambda: is_clean(guest), guest.transcript)

        assert came(guest, DONE) in (1, 2)
        assert len(guest.waiting_messages()) <= 1, guest.transcript()
        assert await all_of_them.count("SELECT count(*) FROM places") == 1
    proof(cases=size, faults=len(STEPS))


async def test_inv22_a_result_that_a_dead_program_was_about_to_tell_is_told_by_another(
    tmp_path: Path, server: Server, proof: Proof
) -> None:
    async with fleet(tmp_path, server, 2) as both, Phone() as phone:
        guest = await both.place.new_user()
        for act in STEPS[:-1]:
            await act.do(guest, phone)
            await guest.sees(act.reply_text)
        await both.at_rest()
        held = both.place.hold_call("editMessageMedia", applied=False)
        await STEPS[-1].do(guest, phone)
        await held.caught.wait()
        holder = await both.count(HOLDS, both.bots[0].env["PORT"])
        await both.bots[0 if holder else 1].kill_without_waiting()
        await guest.sees(DONE)
        await both.at_rest()

        assert came(guest, DONE) == 1
        assert len(guest.waiting_messages()) <= 1
    proof(cases=1, faults=1)
