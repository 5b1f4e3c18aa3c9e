"""A program in which accounts compete for the quota slots of ID numbers while writers are killed again and again.

It forks one writer after the other on one database. Each continues where the killed one stopped, and reports every unit
that it committed. A writer kills itself at a statement, or its parent kills it at any moment.
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
from tests.open_unit import open_unit
from verification.attempts import AttemptStatus
from verification.ids import PersonId
from verification.ports import NoticeKind

_POINTS = 60
_COMMITS = 6
"""The most points that a writer passes, or units that it commits, before it is killed."""


@dataclass(frozen=True, slots=True)
class ContestPlan:
    """The least number of kills and of accounts, and how many accounts share one ID number."""

    url: str
    name: str
    kills: int
    accounts: int
    per_number: int


@dataclass(slots=True)
class Countdown:
    """Kills its process at the n-th point."""

    left: int

    def reach(self, _: str) -> None:
        """Pass a point, or kill the process."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def compete_for_slot(store: SqlStore, account: str, number: str) -> None:
    """Try to verify an account as the core does: slot and success in one unit."""
    attempt = make_attempt(f"attempt-of-{account}", account)
    async with open_unit(store, account) as unit:
        if not await unit.mark_seen(account, NOON):
            return
        await unit.save_dialogue(PersonId(account), "waiting", language="zh", now=NOON)
        taken = await unit.take_slot(attempt, make_identity(number), NOON)
        ended = make_attempt(
            attempt.id, account, status=AttemptStatus.SUCCEEDED if taken else AttemptStatus.FAILED, identity=None
        )
        await unit.save_attempt(ended)
        await unit.post_notice(NoticeKind.ENDED, ended, NOON)


def work(plan: ContestPlan, rng: random.Random) -> tuple[int, list[str]]:
    """Run writers until the plan is met; return how many were killed, and the accounts whose unit was committed."""
    asyncio.run(_prepare(plan.url))
    committed: list[str] = []
    kills = 0
    while kills < plan.kills or len(committed) < plan.accounts:
        kills_itself = rng.random() < 0.5
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            asyncio.run(_write(plan, len(committed), rng.randrange(1, _POINTS) if kills_itself else 0, writing))
            os._exit(0)
        os.close(writing)
        reported = _read_accounts(reading, None if kills_itself else rng.randrange(_COMMITS), pid)
        committed += reported
        kills += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    return kills, committed


def _read_accounts(reading: int, commits: int | None, pid: int) -> list[str]:
    """What a writer reports before its end; after so many commits it is killed during whatever comes next."""
    with os.fdopen(reading, encoding="utf-8") as lines:
        accounts = []
        if commits == 0:
            os.kill(pid, signal.SIGKILL)
        for line in lines:
            accounts.append(line.strip())
            if len(accounts) == commits:
                os.kill(pid, signal.SIGKILL)
    return accounts


async def _prepare(url: str) -> None:
    async with open_store(url, sealing=make_sealing()):
        pass


async def _write(plan: ContestPlan, begin: int, points: int, writing: int) -> None:
    async with _database(plan.url) as database:
        store = SqlStore(CrashPointDatabase(database, Countdown(points)), make_sealing())
        for number in range(begin, max(plan.accounts, begin + 2 * _COMMITS)):
            account = f"telegram:{plan.name}-{number}"
            await compete_for_slot(store, account, f"number {number // plan.per_number}")
            os.write(writing, f"{account}\n".encode())


def _database(url: str) -> AbstractAsyncContextManager[Database]:
    file = url.removeprefix("sqlite:///")
    return open_postgres(url) if file == url else open_sqlite(Path(file))


def main(url: str, name: str, *numbers: str) -> None:
    """Run the plan of the command line, and print the result."""
    plan = ContestPlan(url, name, *map(int, numbers))
    kills, committed = work(plan, random.Random(name))
    sys.stdout.write(json.dumps({"kills": kills, "committed": committed}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
