"""Writers that are killed inside their units again and again, on a store without a bot."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.process import ROOT
from tests.crash import checker
from tests.crash.database_view import DatabaseView
from tests.postgres_server import Server
from tests.reliability import Proof
from verification.ports import MAX_ACCOUNTS

ACCOUNTS = 100
PROGRAMS = 3


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    server: Server = request.getfixturevalue("server")
    return await server.new_database()


async def contend(url: str, name: str, *, kills: int, accounts: int, per_number: int) -> Any:
    command = ("-m", "tests.crash.quota_contenders", url, name, str(kills), str(accounts), str(per_number))
    program = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        output, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode == 0
    return json.loads(output)


async def side_by_side(programs: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results of all programs; if one fails, the others end with it."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(program) for program in programs]
    return [task.result() for task in running]


async def forgotten(database: DatabaseView, committed: list[str]) -> list[str]:
    """Units that were committed and are not in the database."""
    kept = {event for (event,) in await database.rows("SELECT event_id FROM seen_events")}
    return [account for account in committed if account not in kept]


@pytest.mark.parametrize("kills", [20, pytest.param(1000, marks=pytest.mark.slow("crash"))])
async def test_inv28_a_file_is_whole_and_forgets_nothing_after_many_kills(
    tmp_path: Path, kills: int, proof: Proof
) -> None:
    url = f"sqlite:///{tmp_path}/bot.sqlite3"
    programs = [contend(url, name, kills=kills // 2, accounts=0, per_number=5) for name in "ab"]
    results = await side_by_side(programs)
    committed = [account for result in results for account in result["committed"]]
    killed = sum(result["kills"] for result in results)
    database = DatabaseView(url)
    losses = [*await forgotten(database, committed), *await checker.check_invariants(database)]
    proof(cases=len(committed), faults=killed, losses=len(losses))

    assert not losses
    assert killed >= kills


@pytest.mark.slow("crash")
async def test_inv15_of_a_hundred_accounts_exactly_three_get_a_slot_whichever_program_is_killed(
    url: str, proof: Proof
) -> None:
    shares = [len(range(program, ACCOUNTS, PROGRAMS)) for program in range(PROGRAMS)]
    programs = [
        contend(url, f"r{share}{number}", kills=20, accounts=share, per_number=ACCOUNTS)
        for number, share in enumerate(shares)
    ]
    results = await side_by_side(programs)
    database = DatabaseView(url)
    slots = Counter(slot for (slot,) in await database.rows("SELECT slot FROM places"))
    [(tried,)] = await database.rows("SELECT count(*) FROM attempts")
    losses = await checker.check_invariants(database)
    await database.close()
    proof(cases=tried, faults=sum(result["kills"] for result in results), losses=len(losses))

    assert not losses
    assert slots == dict.fromkeys(range(1, MAX_ACCOUNTS + 1), 1)
    assert tried >= ACCOUNTS
