"""The loop of the provider poller, in virtual time: how often it looks, and how many polls run at once."""

import asyncio
from datetime import timedelta

import pytest

from tests.contracts.test_provider_polling import FakeRemoteProvider, program, running
from tests.fakes import FakeClock, make_request
from tests.virtual_time_loop import run
from tests.web.memory_store import MemoryStore
from verification.attempts import AttemptId, AttemptStatus
from verification.provider_polling import POLL_INTERVAL


def test_the_loop_looks_once_a_second_and_polls_an_attempt_every_five(clock: FakeClock) -> None:
    store = MemoryStore()
    looked_at = list[float]()

    async def story() -> None:
        poller = program(store, FakeRemoteProvider(), clock).poller
        store.before_unit = lambda _: looked_at.append(asyncio.get_running_loop().time())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4.5):
                await running(poller)

    run(story())

    assert [round(at - looked_at[0], 3) for at in looked_at] == [0, 1, 2, 3, 4]
    assert timedelta(seconds=5) == POLL_INTERVAL


def test_eight_polls_run_at_once(clock: FakeClock) -> None:
    remote = FakeRemoteProvider(barrier=asyncio.Barrier(99))

    async def story() -> None:
        ours = program(MemoryStore(), remote, clock)
        for number in range(9):
            await ours.core.begin(make_request(f"a{number}", f"telegram:{number}"))
            await ours.core.progress(AttemptId(f"a{number}"), AttemptStatus.OPENED, "page")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await running(ours.poller)

    run(story())

    assert len(remote.polls) == 8
