"""The bot is killed while another server accepts a result: it sends the same result again and writes no secret."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from playground.phone.browser import Phone
from tests.crash.conversation import DONE, STEPS
from tests.crash.process import running_bot_process
from tests.crash.test_nothing_leaks import CANARIES, traces
from tests.reliability import Proof
from tests.result_receiver import SECRET, as_the_page_says, result_receiver
from tests.simulator_fixture import simulator


async def test_inv38_a_bot_killed_while_a_result_is_accepted_sends_the_same_again_and_writes_no_secret(
    tmp_path: Path, proof: Proof
) -> None:
    clock = tmp_path / "clock"
    settings = {"RESULT_WEBHOOK_SECRET": SECRET, "CLOCK_OFFSET_FILE": str(clock), "LOG_LEVEL": "DEBUG"}
    async with (
        result_receiver() as other,
        simulator() as telegram,
        running_bot_process(telegram, tmp_path, RESULT_WEBHOOK_URL=other.url, **settings) as bot,
        Phone() as phone,
    ):
        gate = asyncio.Event()
        other.before = gate.wait
        guest = await telegram.new_user()
        for step in STEPS[:-1]:
            await step.do(guest, phone)
            await guest.sees(step.reply_text)
        await STEPS[-1].do(guest, phone)
        await other.wait_for(1)
        await bot.kill()
        gate.set()  # it is accepted, and no program is left to record it
        clock.write_text("60")
        await bot.start()
        first, again = await other.wait_for(2)
        await guest.sees(DONE)
        await bot.wait_until_shown()
        written = {path.name: path.read_bytes() for path in bot.data.iterdir()} | {"streams": bot.log.read_bytes()}
        async with telegram.http.get(f"{bot.address()}/metrics") as answer:
            written["metrics"] = await answer.read()

    assert (first.id, first.body) == (again.id, again.body)
    assert as_the_page_says()(first.headers, first.body, SECRET)
    told = json.loads(first.body)["data"]
    assert (told["status"], told["account"]) == ("verified", f"telegram:{guest.id}")
    secrets = (*CANARIES, SECRET, SECRET.removeprefix("whsec_"))
    written["body"] = first.body
    assert not {secret: where for secret in secrets if (where := traces(written, secret))}
    with closing(sqlite3.connect(bot.data / "bot.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM results").fetchall() == [(1,)]
    proof(cases=len(secrets), faults=1)
