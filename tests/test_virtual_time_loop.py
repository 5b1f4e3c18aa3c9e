"""Time that is made up runs in order, and at once."""

import asyncio

import pytest

from tests.virtual_time_loop import NothingScheduled, VirtualTimeLoop


def test_waiting_takes_no_time_and_keeps_its_order() -> None:
    loop, came = VirtualTimeLoop(), []

    async def waits(seconds: float) -> None:
        await asyncio.sleep(seconds)
        came.append((seconds, loop.time()))

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            for seconds in (3600, 1, 60):
                tasks.create_task(waits(seconds))

    loop.run_until_complete(main())
    loop.close()

    assert came == [(1, 1), (60, 60), (3600, 3600)]


def test_work_for_another_thread_is_done_at_once_and_its_errors_come_back() -> None:
    loop = VirtualTimeLoop()

    async def main() -> None:
        assert await asyncio.to_thread(sum, (1, 2)) == 3
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)

    loop.run_until_complete(main())
    loop.close()


def test_whoever_waits_for_nothing_is_told_so() -> None:
    loop = VirtualTimeLoop()

    with pytest.raises(NothingScheduled):
        loop.run_until_complete(loop.create_future())
    loop.close()


def test_a_timeout_ends_what_hangs() -> None:
    loop = VirtualTimeLoop()

    async def main() -> None:
        async with asyncio.timeout(30):
            await loop.create_future()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(main())
    assert loop.time() == pytest.approx(30)
    loop.close()
