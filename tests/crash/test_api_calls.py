"""The bot is killed at every point of a call that opens an attempt; the caller repeats it and gets one attempt."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.crash.crash_points import NOWHERE
from tests.crash.crashing_bots import CrashingBot
from tests.crash.process import fork_client
from tests.reliability import Proof
from tests.simulator_fixture import NAME, NUMBER, PATIENCE, Json, simulator

KEY = "key-of-a-front-end-000000000"


async def open_attempt(client: httpx.AsyncClient, account: str) -> Json:
    """Open an attempt as a caller should: the same request again, until there is an answer."""
    wanted = {"account": account, "name": NAME, "number": NUMBER, "method": "qq"}
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                answer = await client.post("/v1/attempts", json=wanted, headers={"Idempotency-Key": account})
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            assert answer.status_code == 201, answer.text
            body: Json = answer.json()
            return body


@pytest.mark.slow("crash")
async def test_a_killed_bot_opens_one_attempt_for_a_repeated_request(tmp_path: Path, proof: Proof) -> None:
    async with simulator() as telegram:
        bot = CrashingBot(telegram, tmp_path, fork_client(), API_KEYS=f"shop:{KEY}")
        async with bot.running():
            headers = {"Authorization": f"Bearer {KEY}"}
            async with httpx.AsyncClient(base_url=bot.address(), headers=headers) as client:
                bot.target.take(NOWHERE)
                opened = {"cloud:0": await open_attempt(client, "cloud:0")}
                points = bot.target.passed()
                for number, point in enumerate(points, 1):
                    bot.target.take(point)
                    opened[f"cloud:{number}"] = await open_attempt(client, f"cloud:{number}")
                    # The last point comes after the answer has left.
                    await bot.wait_until_settled(number - 1)

    with closing(sqlite3.connect(bot.data / "bot.sqlite3")) as database:
        stored = dict(database.execute("SELECT account, group_concat(id) FROM attempts GROUP BY account").fetchall())
    assert {account: each["id"] for account, each in opened.items()} == stored
    assert {each["status"] for each in opened.values()} == {"waiting"}
    assert [list(report.broken) for report in bot.crashes] == [[]] * len(points)
    assert len(points) > 10
    proof(cases=len(points), faults=len(bot.crashes))
