"""Calls leave only while the program holds its lease, as confirmed a moment ago."""

import asyncio

from bot.handlers.api.fence import CONFIRMED_SECONDS, SendFence
from tests.virtual_time_loop import run


class Lease:
    """A lease that another program may take."""

    def __init__(self) -> None:
        self.held = True
        self.asked = 0

    async def still_held(self) -> bool:
        self.asked += 1
        return self.held


def test_before_any_lease_and_after_an_orderly_end_calls_go_out() -> None:
    async def story() -> None:
        fence, lease = SendFence(), Lease()
        await fence.wait()
        fence.hold(lease.still_held)
        lease.held = False
        fence.release()
        await asyncio.sleep(CONFIRMED_SECONDS)
        await fence.wait()
        assert await fence.confirm()

        assert lease.asked == 0

    run(story())


def test_a_lease_is_confirmed_again_after_some_seconds_and_not_before() -> None:
    async def story() -> None:
        fence, lease = SendFence(), Lease()
        fence.hold(lease.still_held)
        await fence.wait()
        assert lease.asked == 0
        await asyncio.sleep(CONFIRMED_SECONDS)
        await asyncio.gather(fence.wait(), fence.wait())
        await fence.wait()

        assert lease.asked in {1, 2}

    run(story())


def test_after_a_loss_nothing_goes_out_until_the_lease_is_held_again() -> None:
    async def story() -> None:
        fence, lease = SendFence(), Lease()
        fence.hold(lease.still_held)
        lease.held = False
        await asyncio.sleep(CONFIRMED_SECONDS)
        waiting = asyncio.ensure_future(fence.wait())
        await asyncio.wait({waiting}, timeout=60)
        assert not waiting.done()
        assert not await fence.confirm()
        lease.held = True
        assert not await fence.confirm()
        fence.hold(lease.still_held)

        await waiting

    run(story())
