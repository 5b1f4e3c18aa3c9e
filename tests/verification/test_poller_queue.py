"""The queue of the provider poller: what a notification does before, while and after its attempt is polled."""

import asyncio

import pytest

from tests.contracts.test_provider_polling import A1, FakeRemoteProvider, PollingProgram, at_work, program
from tests.fakes import NOON, FakeClock, make_request
from tests.open_unit import open_unit
from verification.attempts import AttemptId, AttemptStatus, Method
from verification.dialogue_store import DialogueStore
from verification.errors import Unreadable


@pytest.fixture
def remote() -> FakeRemoteProvider:
    return FakeRemoteProvider()


@pytest.fixture
async def ours(store: DialogueStore, remote: FakeRemoteProvider, clock: FakeClock) -> PollingProgram:
    """A program with an attempt that its loop does not poll by itself."""
    made = program(store, remote, clock)
    await made.core.begin(make_request())
    await made.core.progress(A1, AttemptStatus.OPENED, "page")
    async with open_unit(store, "asks") as unit:
        await unit.claim_due_polls(Method.WECHAT, now=NOON, before=NOON, limit=9)
    return made


async def until(ours: PollingProgram, outcomes: dict[str, int]) -> None:
    async with asyncio.timeout(20):
        while ours.outcomes != outcomes:  # noqa: ASYNC110 - a database has no event to wait for
            await asyncio.sleep(0)


async def test_a_notification_after_a_poll_polls_again(ours: PollingProgram, remote: FakeRemoteProvider) -> None:
    async with at_work(ours.poller):
        for polls in (1, 2, 3):
            ours.poller.notify(A1)
            await until(ours, {"progress": polls})

    assert remote.polls == [A1] * 3


async def test_a_notification_while_a_poll_runs_polls_once_more(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    """The answer that is under way may be older than what the notification is about."""
    remote.barrier = asyncio.Barrier(2)
    async with at_work(ours.poller):
        ours.poller.notify(A1)
        async with asyncio.timeout(20):
            while not remote.polls:  # noqa: ASYNC110 - a database has no event to wait for
                await asyncio.sleep(0)
        ours.poller.notify(A1)
        ours.poller.notify(A1)
        await until(ours, {"progress": 2})

    assert remote.polls == [A1] * 2


async def test_notifications_beyond_a_thousand_attempts_are_dropped(ours: PollingProgram) -> None:
    for number in range(1001):
        ours.poller.notify(AttemptId(f"unknown-{number}"))
    async with at_work(ours.poller):
        await until(ours, {"ignored": 1000})
        ours.poller.notify(AttemptId("unknown-1000"))
        await until(ours, {"ignored": 1001})


async def test_a_fault_of_one_poll_is_logged_and_the_next_runs(
    ours: PollingProgram, remote: FakeRemoteProvider, caplog: pytest.LogCaptureFixture
) -> None:
    remote.barrier = asyncio.Barrier(2)
    await remote.barrier.abort()
    async with at_work(ours.poller):
        ours.poller.notify(A1)
        async with asyncio.timeout(20):
            while "Traceback" not in caplog.text:  # noqa: ASYNC110 - the log has no event to wait for
                await asyncio.sleep(0)
        remote.barrier = None
        ours.poller.notify(A1)
        await until(ours, {"progress": 1})

    assert remote.polls == [A1] * 2


async def test_an_attempt_that_cannot_be_read_ends_and_blocks_no_other(
    ours: PollingProgram, remote: FakeRemoteProvider
) -> None:
    async with open_unit(ours.store, "damage") as unit:
        await unit._connection.fetch("UPDATE attempts SET secrets = x'00' WHERE id = 'a1'")
    with pytest.raises(Unreadable):
        await ours.poller.poll_one(A1)

    assert (await ours.core.begin(make_request("a2"))).attempt == "a2"
    assert remote.polls == []
