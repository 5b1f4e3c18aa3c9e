"""The lock on a file: it is taken from a silent holder, from no other one, and by one program only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from storage.database import HolderWatch, StillHeld
from storage.lockfile import file_lock
from storage.sqlite import open_sqlite
from tests.fakes import TELEGRAM

PATIENCE = 20


def watch(seconds: float = 0.3) -> HolderWatch:
    return HolderWatch(lambda _: None, seconds)


def nothing() -> None:
    """Ignore that the lock is busy."""


async def test_a_silent_holder_loses_the_lock_and_learns_it(tmp_path: Path) -> None:
    silences: list[float] = []
    async with asyncio.timeout(PATIENCE), file_lock(tmp_path / "lock", nothing, watch()) as first:
        assert await first()
        async with file_lock(tmp_path / "lock", nothing, HolderWatch(silences.append, 0.3)) as second:
            assert not await first()
            assert await second()

        assert silences[0] < 0.3 <= silences[-1]


async def test_a_holder_that_shows_signs_of_life_keeps_the_lock(tmp_path: Path) -> None:
    async def wait() -> None:
        async with file_lock(tmp_path / "lock", nothing, watch(60)):
            pass

    async with asyncio.timeout(PATIENCE), file_lock(tmp_path / "lock", nothing, watch()) as first:
        waiting = asyncio.ensure_future(wait())
        await asyncio.wait({waiting}, timeout=1)
        assert not waiting.done()
        assert await first()
    async with asyncio.timeout(PATIENCE):
        await waiting


async def test_one_of_two_programs_takes_the_lock_over(tmp_path: Path) -> None:
    holders: list[StillHeld] = []

    async def take(stack: AsyncExitStack) -> None:
        holders.append(await stack.enter_async_context(file_lock(tmp_path / "lock", nothing, watch())))

    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        await take(stack)
        others = {asyncio.ensure_future(take(stack)) for _ in range(2)}
        _, late = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        for each in late:
            each.cancel()
            await asyncio.wait({each})

        assert len(late) == 1
        assert [await held() for held in holders] == [False, True]


async def test_while_one_program_takes_the_lock_over_no_other_does(tmp_path: Path) -> None:
    async def take() -> None:
        async with file_lock(tmp_path / "lock", nothing, watch(0)):
            pass

    async with asyncio.timeout(PATIENCE), file_lock(tmp_path / "lock", nothing, watch()) as first:
        async with file_lock(tmp_path / "lock-takeover", nothing):
            taking = asyncio.ensure_future(take())
            await asyncio.sleep(0)
            assert not taking.done()
            assert await first()
        await taking

        assert not await first()


async def test_a_holder_of_an_earlier_release_shows_no_signs_and_is_left_alone(tmp_path: Path) -> None:
    async def wait() -> None:
        async with file_lock(tmp_path / "lock", nothing, watch(0)):
            pass

    async with file_lock(tmp_path / "lock", nothing) as first:
        waiting = asyncio.ensure_future(wait())
        await asyncio.wait({waiting}, timeout=0.6)
        assert not waiting.done()
        assert await first()
        waiting.cancel()
        await asyncio.wait({waiting})


@asynccontextmanager
async def polling(path: Path, busy: asyncio.Event) -> AsyncIterator[StillHeld]:
    async with open_sqlite(path) as database, database.polling_lease(TELEGRAM, busy.set) as still_held:
        yield still_held


async def test_one_file_by_two_names_has_one_polling_lease(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").mkdir()
    busy = asyncio.Event()
    async with polling(tmp_path / "real" / "bot.sqlite3", busy), asyncio.timeout(PATIENCE):
        (tmp_path / "link" / "bot.sqlite3").symlink_to(tmp_path / "real" / "bot.sqlite3")

        async def wait() -> None:
            async with polling(tmp_path / "link" / "bot.sqlite3", busy):
                pass

        waiting = asyncio.ensure_future(wait())
        await busy.wait()
        waiting.cancel()
        await asyncio.wait({waiting})

    assert [path.name for path in (tmp_path / "link").iterdir()] == ["bot.sqlite3"]
