"""What is read for a scrape is kept for some seconds, and a database that is away or hangs delays no scrape."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.jobs.cached_reading import CachedReading
from bot.jobs.result_metrics import ResultBacklogCollector
from tests.fakes import FakeClock
from tests.virtual_time_loop import run
from verification.result_outbox import ResultBacklog


def now() -> float:
    return asyncio.get_running_loop().time()


async def hung() -> ResultBacklog:
    await asyncio.get_running_loop().create_future()
    return ResultBacklog()


async def away() -> ResultBacklog:
    raise OSError("away")


def cached(read: Callable[[], Awaitable[ResultBacklog]]) -> CachedReading[ResultBacklog]:
    return CachedReading(ResultBacklog(), read, OSError, now)


def results(read: Callable[[], Awaitable[ResultBacklog]]) -> ResultBacklogCollector:
    return ResultBacklogCollector(read, OSError, FakeClock(), now)


@pytest.mark.parametrize(
    ("read", "by", "seconds"), [(hung, cached, 2), (hung, results, 1), (away, cached, 0), (away, results, 0)]
)
def test_a_scrape_waits_a_moment_for_a_database_that_hangs_and_not_at_all_for_one_that_is_away(
    read: Callable[[], Awaitable[ResultBacklog]],
    by: Callable[[Callable[[], Awaitable[ResultBacklog]]], CachedReading[ResultBacklog] | ResultBacklogCollector],
    seconds: float,
) -> None:
    async def waited() -> float:
        await by(read).refresh()
        return now()

    assert run(waited()) == seconds


@pytest.mark.parametrize(("by", "keep"), [(cached, 15), (results, 10)])
def test_a_value_is_read_again_when_its_time_is_up_and_an_error_of_our_own_is_heard(
    by: Callable[[Callable[[], Awaitable[ResultBacklog]]], CachedReading[ResultBacklog] | ResultBacklogCollector],
    keep: float,
) -> None:
    async def read_at() -> list[float]:
        times = list[float]()

        async def read() -> ResultBacklog:
            times.append(now())
            if len(times) > 1:
                raise ZeroDivisionError
            return ResultBacklog()

        reading = by(read)
        await reading.refresh()
        await asyncio.sleep(keep - 0.5)
        await reading.refresh()
        await asyncio.sleep(0.5)
        with pytest.raises(ZeroDivisionError):
            await reading.refresh()
        return times

    assert run(read_at()) == [0, keep]
