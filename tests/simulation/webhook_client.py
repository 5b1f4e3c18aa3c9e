"""Telegram's side of the webhook: the updates of each chat in order, and each again until it is accepted."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from playground.world.update_queue import Update
from playground.world.world import World
from tests.simulation.fault_schedule import FaultSchedule

Post = Callable[[Update], Awaitable[bool]]
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_LONG = 86400.0


class DeliveryObserver(Protocol):
    """Listens to the updates."""

    def taken(self, update: Update) -> None:
        """Note that Telegram forgets an update, because its delivery was answered with 200."""


class WebhookClient:
    """Delivers to a program that set a webhook."""

    def __init__(self, world: World, faults: FaultSchedule, listener: DeliveryObserver) -> None:
        self._world = world
        self._faults = faults
        self._listener = listener
        self._lanes: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self, post: Post) -> None:
        """Start to deliver."""
        self._begin(self._run(post))

    async def _run(self, post: Post) -> None:
        while True:
            await self._world.changes.wait_for(lambda: bool(self._free()), _LONG)
            for lane in self._free():
                self._lanes.add(lane)
                self._begin(self._serve(lane, post))

    def _free(self) -> list[str]:
        waiting = dict.fromkeys(update.order_key for update in self._world.updates.pending())
        return [lane for lane in waiting if lane not in self._lanes] if self._world.updates.webhook_active else []

    async def _serve(self, lane: str, post: Post) -> None:
        wait = _FIRST_WAIT
        while (update := self._next(lane)) is not None:
            await asyncio.sleep(self._faults.delay())
            fate = self._faults.next_call_fault("webhook")
            taken = (fate is None or fate.done) and await post(update)
            if taken and fate is None:
                self._listener.taken(update)
                self._world.updates.confirm_one(update)
                wait = _FIRST_WAIT
                continue
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        self._lanes.discard(lane)

    def _next(self, lane: str) -> Update | None:
        return next((update for update in self._world.updates.pending() if update.order_key == lane), None)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
