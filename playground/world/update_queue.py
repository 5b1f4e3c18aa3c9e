"""The queue of updates and the rules of getUpdates.

An update is confirmed when a call arrives with a greater offset, whether or not its answer is read. Who asks for the
same offset again and again is slowed down, and so is who is sent away again and again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from playground.world.api_errors import OTHER_POLL_STARTED, WEBHOOK_ACTIVE, WEBHOOK_SET, ApiError, conflict
from playground.world.condition import ChangeCondition
from playground.world.records import Json

LIFETIMES = {"callback_query": 150, "inline_query": 30, "chosen_inline_result": 600}
MESSAGE_LIFETIME = 24 * 3600
LONGEST_POLL = 50
SAME_OFFSET_WITHIN = 3
SAME_OFFSET_AT_ONCE = 0.5
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
# An offset this far behind the end of the queue counts as a mistake and is read as "from the head".
FAR_AHEAD = 10


@dataclass(frozen=True, slots=True)
class Update:
    """One update that waits for its confirmation; `lane` is the order it must keep by webhook."""

    id: int
    kind: str
    body: Json
    expires: float
    order_key: str
    deliver_twice: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the update as the bot gets it."""
        return {"update_id": self.id, self.kind: self.body}


class WaitingPoll:
    """One getUpdates call that waits."""

    refusal: ApiError | None = None


class UpdateQueue:
    """The updates nobody confirmed yet, and the poll that waits for the next one."""

    def __init__(self, *, first_id: int, changes: ChangeCondition, clock: Callable[[], float]) -> None:
        self._next_id = first_id
        self._pending: list[Update] = []
        self._allowed: frozenset[str] | None = None
        self._waiting_poll: WaitingPoll | None = None
        self._bell = changes
        self._clock = clock
        self.last_poll: float | None = None
        self.webhook_active = False
        self.closed = False
        self.poll_abandoned = False  # the last poll's caller hung up
        self.slows_repeats = True  # whether who repeats himself is slowed down
        self._asked: tuple[int, float] = (0, -math.inf)
        self._refusable_at = -math.inf
        self.duplicates_ordered = 0  # so many of the next updates are delivered twice

    @property
    def has_waiting_poll(self) -> bool:
        """Whether a getUpdates waits for the next update."""
        return self._waiting_poll is not None

    @property
    def allowed_kinds(self) -> Sequence[str]:
        """The kinds of update the bot asked for; empty means the default."""
        return sorted(self._allowed or ())

    def set_allowed_kinds(self, kinds: Sequence[str] | None) -> None:
        """Remember what the bot wants; without a list the former wish stays."""
        if kinds is not None:
            self._allowed = frozenset(kinds) & UPDATE_KINDS or None

    def add(self, kind: str, body: Json, lane: str) -> None:
        """Queue an update, unless the bot does not want its kind."""
        if not self._wanted(kind):
            return
        expires = self._clock() + LIFETIMES.get(kind, MESSAGE_LIFETIME)
        again, self.duplicates_ordered = self.duplicates_ordered > 0, max(self.duplicates_ordered - 1, 0)
        self._pending.append(Update(self._next_id, kind, body, expires, lane, again))
        self._next_id += 1
        self._bell.notify_all()

    def pending(self) -> list[Update]:
        """Return what is neither confirmed nor expired."""
        now = self._clock()
        self._pending = [update for update in self._pending if update.expires > now]
        return self._pending

    def confirm(self, offset: int) -> None:
        """Forget all updates below the offset; a negative one keeps that many of the newest."""
        if offset < 0:
            self._pending = self._pending[offset:]
        elif 0 < offset <= self._next_id + FAR_AHEAD:
            repeated = [
                replace(update, deliver_twice=False)
                for update in self._pending
                if update.deliver_twice and update.id < offset
            ]
            self._pending = repeated + [update for update in self._pending if update.id >= offset]
        self._bell.notify_all()

    def confirm_one(self, update: Update) -> None:
        """Forget one update: the webhook took it."""
        self._pending = [other for other in self._pending if other.id != update.id]
        if update.deliver_twice:
            self._pending.insert(0, replace(update, deliver_twice=False))
        self._bell.notify_all()

    def drop(self, update: Update) -> None:
        """Forget an update that nobody took in time."""
        self._pending = [other for other in self._pending if other.id != update.id]
        self._bell.notify_all()

    def drop_all(self) -> None:
        """Forget everything that waits."""
        self._pending = []
        self._bell.notify_all()

    async def poll(self, *, offset: int, limit: int, seconds: int) -> list[Update]:
        """Answer a getUpdates call: at once when there is something, else when there is."""
        if self.webhook_active:
            await self._refuse(conflict(WEBHOOK_ACTIVE))
        limit, seconds = self._slow_down_repeats(offset, limit, seconds)
        self.confirm(offset)
        self.last_poll = self._clock()
        self.poll_abandoned = False
        if not self.pending() and seconds > 0:
            await self._wait_for_update(min(seconds, LONGEST_POLL))
        return self.pending()[:limit]

    def end_poll(self, why: str = WEBHOOK_SET) -> None:
        """End the poll that waits with 409."""
        if self._waiting_poll is not None:
            self._waiting_poll.refusal = conflict(why)
            self._waiting_poll = None
            self._bell.notify_all()

    async def _wait_for_update(self, seconds: int) -> None:
        self.end_poll(OTHER_POLL_STARTED)
        poll = self._waiting_poll = WaitingPoll()
        self._bell.notify_all()
        try:
            await self._bell.wait_for(lambda: self.closed or bool(poll.refusal or self.pending()), seconds)
        except asyncio.CancelledError:
            self.poll_abandoned = self._waiting_poll is poll
            raise
        finally:
            self.last_poll = self._clock()
            if self._waiting_poll is poll:
                self._waiting_poll = None
            self._bell.notify_all()
        if poll.refusal is not None:
            await self._refuse(poll.refusal)

    def _slow_down_repeats(self, offset: int, limit: int, seconds: int) -> tuple[int, int]:
        now, (before, when) = self._clock(), self._asked
        self._asked = offset, now
        if offset != before or not self.slows_repeats:
            return limit, seconds
        again_at_once = now < when + SAME_OFFSET_AT_ONCE
        return (
            1 if again_at_once else limit,
            max(seconds, SAME_OFFSET_WITHIN) if now < when + SAME_OFFSET_WITHIN else seconds,
        )

    async def _refuse(self, refusal: ApiError) -> NoReturn:
        """Send somebody away; the second within a few seconds is let wait for it."""
        now = self._clock()
        if now < self._refusable_at and self.slows_repeats:
            due = now + SAME_OFFSET_WITHIN
            await self._bell.wait_for(lambda: self.closed or self._clock() >= due, SAME_OFFSET_WITHIN)
        else:
            self._refusable_at = now + SAME_OFFSET_WITHIN
        raise refusal

    def _wanted(self, kind: str) -> bool:
        return kind in self._allowed if self._allowed else kind not in OPT_IN_KINDS
