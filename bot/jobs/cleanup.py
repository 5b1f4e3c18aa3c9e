"""Deletes messages that must not stay in the chats, and records that are past their retention."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.engine.messages import FRONT_END, DeliveryFailed
from verification.dialogue_store import DeletedCounts, DialogueStore, PendingDeletion
from verification.ids import PersonId
from verification.limits import DAY
from verification.record import Record

log = logging.getLogger(__name__)

_INTERVAL = timedelta(seconds=10)
_CLEANUP_INTERVAL = timedelta(hours=1)
_EVENT_IDS_KEPT_FOR = timedelta(days=7)
"""Longer than Telegram keeps an update, so that a repeated one is always recognised."""
_AUDIT_LOG_KEPT_FOR = timedelta(days=365)
"""For a year one can ask who looked at what."""

MessageDeleter = Callable[[PersonId, int], Awaitable[None]]


class DeletionScheduler(Record):
    """Writes a message down that could not be deleted at once; the cleanup loop deletes it later."""

    store: DialogueStore
    clock: Callable[[], datetime]

    async def schedule(self, person: PersonId, message_id: int) -> None:
        """Write the message down."""
        deletion = PendingDeletion(person, message_id, self.clock())
        await self.store.transact(person, lambda unit: unit.schedule_deletion(deletion))


class Cleanup:
    """The loop that deletes.

    `delete_message` deletes a message, or returns where it is sure that Telegram will never delete it; it raises
    `DeliveryFailed` where a later try may succeed.
    """

    def __init__(
        self, store: DialogueStore, delete_message: MessageDeleter, clock: Callable[[], datetime], retention: timedelta
    ) -> None:
        self._store = store
        self._delete_message = delete_message
        self._clock = clock
        self._retention = retention
        self._cleaned_at: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled; an error is logged, and the work is tried again."""
        started = self._clock()
        while True:
            try:
                # First, because it does not depend on Telegram.
                await self.delete_expired()
                # Nobody else is about to delete what was written down before the start.
                await self.delete_pending_messages(min(_INTERVAL, self._clock() - started))
            except Exception:
                log.exception("the cleanup stopped early; trying again")
            await asyncio.sleep(_INTERVAL.total_seconds())

    async def delete_pending_messages(self, min_age: timedelta) -> None:
        """Delete the listed messages from the chats, except those so fresh that their own turn may be deleting them."""
        for pending in await self._store.pending_deletions(FRONT_END, 100):
            # After a clock was put back, what was written down before seems to come from the future.
            if timedelta() <= self._clock() - pending.at < min_age:
                continue
            try:
                await self._delete_message(pending.person, pending.message_id)
            except DeliveryFailed as error:
                # It stays listed; the next one may be in a chat that answers.
                log.warning("a message could not be deleted (%s); trying again", error)
                continue
            await self._store.deletion_done(pending)

    async def delete_expired(self) -> None:
        """Delete the records that are past their retention, once an hour."""
        now = self._clock()
        if self._cleaned_at is None or now - self._cleaned_at >= _CLEANUP_INTERVAL:
            await delete_expired_records(self._store, now, self._retention)
            self._cleaned_at = now


async def delete_expired_records(store: DialogueStore, now: datetime, retention: timedelta) -> DeletedCounts:
    """Delete the records that are past their retention, and return how many of each kind."""
    deleted = Counter(await store.purge_processed(now - _EVENT_IDS_KEPT_FOR))
    deleted.update(await store.purge_rate_limit_records(now - DAY))
    deleted.update(await store.purge_audit_log(now - _AUDIT_LOG_KEPT_FOR))
    deleted.update(await store.purge_before(now - retention))
    return deleted
