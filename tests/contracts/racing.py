"""A program that works on one database at the same time as other instances of it.

It reports the accounts that got a quota slot, the notices it claimed, and the revisions it wrote.
"""

import asyncio
import json
import sys
from datetime import timedelta

from storage import SqlStore, open_store
from tests.fakes import NOON, NUMBER, make_attempt, make_identity, make_sealing
from tests.open_unit import open_unit
from verification.ids import PersonId

PERSON = PersonId("telegram:100012345")
ROUNDS = 25


async def take_slot(store: SqlStore, account: str) -> bool:
    attempt = make_attempt(f"attempt-of-{account}", account)
    async with open_unit(store, attempt.id) as unit:
        await unit.save_attempt(attempt)
        return await unit.take_slot(attempt, make_identity(NUMBER), NOON)


async def append_text(store: SqlStore) -> int:
    """Append to the person's dialogue: a turn lost between reading and writing would shorten the text."""
    async with open_unit(store, PERSON) as unit:
        dialogue = await unit.dialogue(PERSON)
        return await unit.save_dialogue(PERSON, f"{dialogue.text if dialogue else ''}x", language=None, now=NOON)


async def race(url: str, name: str) -> dict[str, list[object]]:
    async with open_store(url, sealing=make_sealing()) as store:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        accounts = [f"telegram:{name}-{number}" for number in range(ROUNDS)]
        taken, revisions, claims = await asyncio.gather(
            asyncio.gather(*(take_slot(store, account) for account in accounts)),
            asyncio.gather(*(append_text(store) for _ in range(ROUNDS))),
            asyncio.gather(
                *(store.claim_notices(NOON, until=NOON + timedelta(hours=1), limit=3) for _ in range(ROUNDS))
            ),
        )
    return {
        "slots": [account for account, won in zip(accounts, taken, strict=True) if won],
        "revisions": list(revisions),
        "notices": [notice.id for claim in claims for notice in claim],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(race(sys.argv[1], sys.argv[2]))) + "\n")
