"""A program that lets accounts compete for the places of ID numbers, and dies inside again and again.

It forks one writer after the other on one database. Each goes on where the dead one was, and says of every unit that
it was committed; it dies by its own hand at a statement, or by its parent's at whatever it is just doing.
"""

import asyncio
import json
import os
import random
import signal
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from storage import SqlStore, open_store
from storage.database import Database
from storage.postgres import open_postgres
from storage.sqlite import open_sqlite
from tests.crash.crash_points import CrashPointDatabase
from tests.fakes import NOON, make_attempt, make_identity, make_sealing
from verification.attempts import AttemptStatus
from verification.ids import PersonId
from verification.ports import NoticeKind

_POINTS = 60
_COMMITS = 6
"""A writer passes about so many points, or commits about so many units, before it dies."""


@dataclass(frozen=True, slots=True)
class ContestPlan:
    """What to do: `kills` at least, for `accounts` at least, so many of them with one number."""

    url: str
    name: str
    kills: int
    accounts: int
    per_number: int


@dataclass(slots=True)
class Countdown:
    """Ends its process at the n-th point."""

    left: int

    def reach(self, _: str) -> None:
        """Pass a point, or die."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def compete_for_slot(store: SqlStore, account: str, number: str) -> None:
    """Try to verify an account, as the core does: the place and the success in one unit."""
    attempt = make_attempt(f"attempt-of-{account}", account)
    async with store.unit(account) as unit:
        if not await unit.mark_seen(account, NOON):
            return
        await unit.save_dialogue(PersonId(account), "waiting", language="zh", now=NOON)
        taken = await unit.take_slot(attempt, make_identity(number), NOON)
        ended = make_attempt(
            attempt.id, account, status=AttemptStatus.SUCCEEDED if taken else AttemptStatus.FAILED, identity=None
        )
        await unit.save_attempt(ended)
        await unit.post_notice(NoticeKind.ENDED, ended, NOON)


def work(order: ContestPlan, rng: random.Random) -> tuple[int, list[str]]:
    """Let writers die until all is done; gives how many died, and the accounts whose unit was committed."""
    asyncio.run(_prepare(order.url))
    committed: list[str] = []
    kills = 0
    while kills < order.kills or len(committed) < order.accounts:
        by_own_hand = rng.random() < 0.5
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            asyncio.run(_write(order, len(committed), rng.randrange(1, _POINTS) if by_own_hand else 0, writing))
            os._exit(0)
        os.close(writing)
        said = _heard(reading, None if by_own_hand else rng.randrange(_COMMITS), pid)
        committed += said
        kills += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    return kills, committed


def _heard(reading: int, commits: int | None, pid: int) -> list[str]:
    """What a writer said before it died; killed after so many commits, in the middle of whatever comes next."""
    with os.fdopen(reading, encoding="utf-8") as lines:
        said = []
        if commits == 0:
            os.kill(pid, signal.SIGKILL)
        for line in lines:
            said.append(line.strip())
            if len(said) == commits:
                os.kill(pid, signal.SIGKILL)
    return said


async def _prepare(url: str) -> None:
    async with open_store(url, sealing=make_sealing()):
        pass


async def _write(order: ContestPlan, begin: int, points: int, writing: int) -> None:
    async with _database(order.url) as database:
        store = SqlStore(CrashPointDatabase(database, Countdown(points)), make_sealing())
        for place in range(begin, max(order.accounts, begin + 2 * _COMMITS)):
            account = f"telegram:{order.name}-{place}"
            await compete_for_slot(store, account, f"number {place // order.per_number}")
            os.write(writing, f"{account}\n".encode())


def _database(url: str) -> AbstractAsyncContextManager[Database]:
    file = url.removeprefix("sqlite:///")
    return open_postgres(url) if file == url else open_sqlite(Path(file))


def main(url: str, name: str, *numbers: str) -> None:
    """Do what the command line says, and say what came of it."""
    order = ContestPlan(url, name, *map(int, numbers))
    kills, committed = work(order, random.Random(name))
    sys.stdout.write(json.dumps({"kills": kills, "committed": committed}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
