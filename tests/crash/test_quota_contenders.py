"""Writers that die inside their units, over and over, on a raw store."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.process import ROOT
from tests.crash import checker
from tests.crash.database_view import DatabaseView
from tests.postgres_server import Server
from tests.reliability import Proof
from verification.ports import MAX_ACCOUNTS

KILLS = 1000
ACCOUNTS = 100
RIVALS = 3


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.sqlite3"
    server: Server = request.getfixturevalue("server")
    return await server.new_database()


async def rivals(url: str, name: str, *, kills: int, accounts: int, per_number: int) -> Any:
    command = ("-m", "tests.crash.quota_contenders", url, name, str(kills), str(accounts), str(per_number))
    program = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    told, _ = await program.communicate()
    assert program.returncode == 0
    return json.loads(told)


async def forgotten(books: DatabaseView, committed: list[str]) -> list[str]:
    """Units that were committed and are not there."""
    kept = {event for (event,) in await books.rows("SELECT event_id FROM seen_events")}
    return [account for account in committed if account not in kept]


async def test_inv28_a_file_is_whole_and_forgets_nothing_after_a_thousand_kills(tmp_path: Path, proof: Proof) -> None:
    url = f"sqlite:///{tmp_path}/bot.sqlite3"
    ends = [rivals(url, name, kills=KILLS // 2, accounts=0, per_number=5) for name in "ab"]
    ended = await asyncio.gather(*ends)
    committed = [account for end in ended for account in end["committed"]]
    kills = sum(end["kills"] for end in ended)
    books = DatabaseView(url)
    losses = [*await forgotten(books, committed), *await checker.check_invariants(books)]
    proof(cases=len(committed), faults=kills, losses=len(losses))

    assert not losses
    assert kills >= KILLS


async def test_inv15_of_a_hundred_accounts_exactly_three_get_a_place_whoever_dies_on_the_way(
    url: str, proof: Proof
) -> None:
    shares = [len(range(rival, ACCOUNTS, RIVALS)) for rival in range(RIVALS)]
    ends = [
        rivals(url, f"r{share}{place}", kills=20, accounts=share, per_number=ACCOUNTS)
        for place, share in enumerate(shares)
    ]
    ended = await asyncio.gather(*ends)
    books = DatabaseView(url)
    places = Counter(slot for (slot,) in await books.rows("SELECT slot FROM places"))
    [(tried,)] = await books.rows("SELECT count(*) FROM attempts")
    losses = await checker.check_invariants(books)
    await books.close()
    proof(cases=tried, faults=sum(end["kills"] for end in ended), losses=len(losses))

    assert not losses
    assert places == dict.fromkeys(range(1, MAX_ACCOUNTS + 1), 1)
    assert tried >= ACCOUNTS
