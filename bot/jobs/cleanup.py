"""What is done on the side: messages that must vanish from the chats, and records that have had their time."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.engine.messages import DeliveryFailed
from verification.dialogue_store import DeletedCounts, DialogueStore, PendingDeletion, Person
from verification.limits import DAY

log = logging.getLogger(__name__)

_INTERVAL = timedelta(seconds=10)
_CLEANUP_INTERVAL = timedelta(hours=1)
_EVENT_IDS_KEPT_FOR = timedelta(days=7)
"""Longer than Telegram keeps an update: its repetition is always known."""
_AUDIT_LOG_KEPT_FOR = timedelta(days=365)
"""Who looked at what can be asked for a year."""

MessageDeleter = Callable[[Person, int], Awaitable[None]]


class Cleanup:
    """The loop that keeps the promises of deletion. `discard` deletes a message or is sure that it cannot."""

    def __init__(
        self, store: DialogueStore, delete_message: MessageDeleter, clock: Callable[[], datetime], retention: timedelta
    ) -> None:
        self._store = store
        self._delete_message = delete_message
        self._clock = clock
        self._retention = retention
        self._cleaned_at: datetime | None = None

    async def run(self) -> None:
        """Work for ever; a fault is logged, and tried again."""
        # What was in hand when the program last ended is in nobody's hands now.
        left_alone = timedelta()
        while True:
            try:
                # First, and whatever Telegram does: what has had its time goes.
                await self.delete_expired()
                await self.delete_pending_messages(left_alone)
            except Exception:
                log.exception("housekeeping was cut short; trying again")
            left_alone = _INTERVAL
            await asyncio.sleep(_INTERVAL.total_seconds())

    async def delete_pending_messages(self, min_age: timedelta) -> None:
        """Delete from the chats what should be gone, but for what is so fresh that its own turn is at it."""
        for litter in await self._store.pending_deletions(100):
            # A clock that was put back makes what it wrote down before seem to come from the future.
            if timedelta() <= self._clock() - litter.at < min_age:
                continue
            try:
                await self._delete_message(litter.person, litter.message_id)
            except DeliveryFailed as error:
                # It stays listed; the next one may be of a chat that answers.
                log.warning("a message could not be deleted (%s); trying again", error)
                continue
            await self._store.deletion_done(litter)

    async def schedule_deletion(self, person: Person, message_id: int) -> None:
        """Take over a message that could not be deleted at once."""
        async with self._store.unit(person) as unit:
            await unit.schedule_deletion(PendingDeletion(person, message_id, self._clock()))

    async def delete_expired(self) -> None:
        """Once an hour, forget what is no longer needed and delete what is no longer allowed."""
        now = self._clock()
        if self._cleaned_at is None or now - self._cleaned_at >= _CLEANUP_INTERVAL:
            await delete_expired_records(self._store, now, self._retention)
            self._cleaned_at = now


async def delete_expired_records(store: DialogueStore, now: datetime, retention: timedelta) -> DeletedCounts:
    """Forget what is no longer needed and delete what is no longer allowed; says what went."""
    gone = Counter(await store.purge_processed(now - _EVENT_IDS_KEPT_FOR))
    gone.update(await store.purge_rate_limit_records(now - DAY))
    gone.update(await store.purge_audit_log(now - _AUDIT_LOG_KEPT_FOR))
    gone.update(await store.purge_before(now - retention))
    return gone
