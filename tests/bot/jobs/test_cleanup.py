"""What must vanish from the chats vanishes, whatever clocks do."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs.cleanup import Cleanup, DeletionScheduler
from storage import open_store
from tests.fakes import FakeClock, make_sealing
from tests.sqlite_file import sqlite_url
from verification.ids import PersonId

ANNA = PersonId("telegram:200000001")
LEFT_ALONE = timedelta(seconds=10)


@pytest.mark.parametrize(
    ("later", "gone"),
    [(timedelta(seconds=9), False), (timedelta(seconds=11), True), (-timedelta(hours=1), True)],
    ids=["just written", "a while ago", "the clock was put back"],
)
async def test_a_message_is_deleted_soon_even_when_the_clock_is_put_back(
    tmp_path: Path, later: timedelta, gone: bool
) -> None:
    clock, deleted = FakeClock(), []

    async def discard(person: PersonId, message: int) -> None:
        deleted.append((person, message))

    async with open_store(sqlite_url(tmp_path), sealing=make_sealing()) as store:
        cleanup = Cleanup(store, discard, clock, timedelta(days=30))
        await DeletionScheduler(store, clock).schedule(ANNA, 7)
        clock.now += later
        await cleanup.delete_pending_messages(LEFT_ALONE)

    assert deleted == ([(ANNA, 7)] if gone else [])
