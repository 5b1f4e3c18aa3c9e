"""A program that runs some statements of a unit, reports it, and waits to be killed."""

import asyncio
import sys

from storage import open_store
from tests.fakes import NOON, make_attempt, make_sealing
from tests.open_unit import open_unit
from verification.ids import PersonId
from verification.ports import NoticeKind

PERSON = PersonId("telegram:100012345")


async def main(url: str, statements: int) -> None:
    async with open_store(url, sealing=make_sealing()) as store, open_unit(store, PERSON) as unit:
        steps = (
            unit.mark_seen("update:1", NOON),
            unit.save_dialogue(PERSON, "asking for the name", language="zh", now=NOON),
            unit.save_attempt(make_attempt()),
            unit.post_notice(NoticeKind.PROGRESS, make_attempt(), NOON),
        )
        for number, step in enumerate(steps):
            if number < statements:
                await step
            else:
                step.close()
        sys.stdout.write("inside\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
