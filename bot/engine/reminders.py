"""Reminds people who stopped: each reminder that is due takes a turn of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.engine.messages import FRONT_END, Envelope, TurnKind
from bot.flow.events import ReminderDue
from verification.dialogue_store import DialogueStore

log = logging.getLogger(__name__)

_INTERVAL = 30.0
"""Seconds between two rounds; a reminder may be so much late."""
_BATCH_SIZE = 50


class ReminderLoop:
    """The loop that sends reminders. Of several replicas, one takes each reminder: its turn does."""

    def __init__(
        self, store: DialogueStore, handle: Callable[[Envelope], Awaitable[None]], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._handle = handle
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled; an error is logged, and what is due is tried again in the next round."""
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                await self.send_due()
            except Exception:
                log.exception("reminders could not be sent; trying again")

    async def send_due(self) -> int:
        """Send a batch of the reminders that are due, and return how many were due."""
        people = await self._store.due_reminders(FRONT_END, self._clock(), _BATCH_SIZE)
        for person in people:
            try:
                await self._handle(Envelope(person, ReminderDue(), None, kind=TurnKind.NEWS))
            except Exception:
                # A dialogue that cannot be read must not keep the others from being reminded.
                log.exception("a reminder could not be sent; trying again")
        return len(people)
