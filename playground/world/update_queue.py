"""The queue of updates and the rules of getUpdates.

An update is confirmed when a call arrives with a greater offset, whether or not the bot reads the answer. As on the
public server, a bot that repeats the same offset at once is slowed down: it gets one update, or waits three seconds.
The second error within three seconds is delayed too. https://core.telegram.org/bots/api#getupdates
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from playground.world.clock import ChangeCondition
from playground.world.errors import OTHER_POLL_STARTED, WEBHOOK_ACTIVE, WEBHOOK_SET, ApiError, conflict
from playground.world.records import Json

# Seconds until an unconfirmed update is lost.
LIFETIMES = {"callback_query": 150, "inline_query": 30, "chosen_inline_result": 600}
MESSAGE_LIFETIME = 24 * 3600
LONGEST_POLL = 50
REPEAT_WINDOW = 3  # seconds
IMMEDIATE_REPEAT = 0.5  # seconds
OPT_IN_KINDS = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
UPDATE_KINDS = frozenset(
    [
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "guest_message",
        "message_reaction",
        "message_reaction_count",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
        "managed_bot",
    ]
)
# An offset further ahead of the next id than this counts as a mistake and confirms nothing.
FAR_AHEAD = 10


@dataclass(frozen=True, slots=True)
class Update:
    """One unconfirmed update. A webhook gets the updates with one `order_key` one after the other."""

    id: int
    kind: str
    body: Json
    expires: float
    order_key: str
    deliver_twice: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the update in the Bot API's form."""
        return {"update_id": self.id, self.kind: self.body}


class WaitingPoll:
    """A getUpdates call that waits for an update."""

    refusal: ApiError | None = None


class UpdateQueue:
    """The unconfirmed updates, and the getUpdates call that waits for the next one."""

    def __init__(self, *, first_id: int, changes: ChangeCondition, clock: Callable[[], float]) -> None:
        self._next_id = first_id
        self._pending: list[Update] = []
        self._allowed: frozenset[str] | None = None
        self._waiting_poll: WaitingPoll | None = None
        self._changes = changes
        self._clock = clock
        self.last_poll: float | None = None
        self.webhook_active = False
        self.closed = False
        self.poll_abandoned = False  # the caller of the last poll closed the connection
        self.slows_repeats = True  # tests turn it off
        self._last_request: tuple[int, float] = (0, -math.inf)
        self._refusable_at = -math.inf
        self.duplicates_ordered = 0  # how many of the next updates are delivered twice

    @property
    def has_waiting_poll(self) -> bool:
        """Whether a getUpdates call waits for the next update."""
        return self._waiting_poll is not None

    @property
    def allowed_kinds(self) -> Sequence[str]:
        """The `allowed_updates` that the bot set; empty means the default."""
        return sorted(self._allowed or ())

    def set_allowed_kinds(self, kinds: Sequence[str] | None) -> None:
        """Set the `allowed_updates`. None keeps the former ones, as on the public server."""
        if kinds is not None:
            self._allowed = frozenset(kinds) & UPDATE_KINDS or None

    def add(self, kind: str, body: Json, order_key: str) -> None:
        """Queue an update, unless `allowed_updates` excludes its kind."""
        if not self._wanted(kind):
            return
        expires = self._clock() + LIFETIMES.get(kind, MESSAGE_LIFETIME)
        twice, self.duplicates_ordered = self.duplicates_ordered > 0, max(self.duplicates_ordered - 1, 0)
        self._pending.append(Update(self._next_id, kind, body, expires, order_key, twice))
        self._next_id += 1
        self._changes.notify_all()

    def pending(self) -> list[Update]:
        """Return the updates that are neither confirmed nor expired."""
        now = self._clock()
        self._pending = [update for update in self._pending if update.expires > now]
        return self._pending

    def confirm(self, offset: int) -> None:
        """Remove all updates below the offset. A negative offset keeps that many of the newest."""
        if offset < 0:
            self._pending = self._pending[offset:]
        elif 0 < offset <= self._next_id + FAR_AHEAD:
            repeated = [
                replace(update, deliver_twice=False)
                for update in self._pending
                if update.deliver_twice and update.id < offset
            ]
            self._pending = repeated + [update for update in self._pending if update.id >= offset]
        self._changes.notify_all()

    def confirm_one(self, update: Update) -> None:
        """Remove one update: the webhook accepted it."""
        self._pending = [other for other in self._pending if other.id != update.id]
        if update.deliver_twice:
            self._pending.insert(0, replace(update, deliver_twice=False))
        self._changes.notify_all()

    def drop(self, update: Update) -> None:
        """Remove an update that would expire before its next delivery."""
        self._pending = [other for other in self._pending if other.id != update.id]
        self._changes.notify_all()

    def drop_all(self) -> None:
        """Remove all updates."""
        self._pending = []
        self._changes.notify_all()

    async def poll(self, *, offset: int, limit: int, seconds: int) -> list[Update]:
        """Return the pending updates for a getUpdates call, or wait up to `seconds` for the first.

        Raises `ApiError` 409 while a webhook is set, and when another call or a webhook ends this one.
        """
        if self.webhook_active:
            await self._refuse(conflict(WEBHOOK_ACTIVE))
        limit, seconds = self._slow_down_repeats(offset, limit, seconds)
        self.confirm(offset)
        self.last_poll = self._clock()
        self.poll_abandoned = False
        if not self.pending() and seconds > 0:
            await self._wait_for_update(min(seconds, LONGEST_POLL))
        return self.pending()[:limit]

    def end_poll(self, reason: str = WEBHOOK_SET) -> None:
        """End the waiting getUpdates call with 409."""
        if self._waiting_poll is not None:
            self._waiting_poll.refusal = conflict(reason)
            self._waiting_poll = None
            self._changes.notify_all()

    async def _wait_for_update(self, seconds: int) -> None:
        self.end_poll(OTHER_POLL_STARTED)
        poll = self._waiting_poll = WaitingPoll()
        self._changes.notify_all()
        try:
            await self._changes.wait_for(lambda: self.closed or bool(poll.refusal or self.pending()), seconds)
        except asyncio.CancelledError:
            self.poll_abandoned = self._waiting_poll is poll
            raise
        finally:
            self.last_poll = self._clock()
            if self._waiting_poll is poll:
                self._waiting_poll = None
            self._changes.notify_all()
        if poll.refusal is not None:
            await self._refuse(poll.refusal)

    def _slow_down_repeats(self, offset: int, limit: int, seconds: int) -> tuple[int, int]:
        now, (last_offset, last_at) = self._clock(), self._last_request
        self._last_request = offset, now
        if offset != last_offset or not self.slows_repeats:
            return limit, seconds
        return (
            1 if now < last_at + IMMEDIATE_REPEAT else limit,
            max(seconds, REPEAT_WINDOW) if now < last_at + REPEAT_WINDOW else seconds,
        )

    async def _refuse(self, refusal: ApiError) -> NoReturn:
        """Raise the error; delay it when it is the second within a few seconds."""
        now = self._clock()
        if now < self._refusable_at and self.slows_repeats:
            due = now + REPEAT_WINDOW
            await self._changes.wait_for(lambda: self.closed or self._clock() >= due, REPEAT_WINDOW)
        else:
            self._refusable_at = now + REPEAT_WINDOW
        raise refusal

    def _wanted(self, kind: str) -> bool:
        return kind in self._allowed if self._allowed else kind not in OPT_IN_KINDS
