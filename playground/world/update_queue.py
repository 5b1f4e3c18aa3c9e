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

from playground.world.api_errors import OTHER_POLL, WEBHOOK_ACTIVE, WEBHOOK_SET, Refused, conflict
from playground.world.condition import Bell
from playground.world.records import Json

LIVES = {"callback_query": 150, "inline_query": 30, "chosen_inline_result": 600}
MESSAGE_LIFE = 24 * 3600
LONGEST_POLL = 50
SAME_OFFSET_WITHIN = 3
SAME_OFFSET_AT_ONCE = 0.5
ASKED_FOR_BY_NAME = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
KINDS = frozenset(
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
    lane: str
    again: bool = False

    def wire(self) -> dict[str, object]:
        """Return the update as the bot gets it."""
        return {"update_id": self.id, self.kind: self.body}


class Poll:
    """One getUpdates call that waits."""

    refusal: Refused | None = None


class Updates:
    """The updates nobody confirmed yet, and the poll that waits for the next one."""

    def __init__(self, *, first_id: int, bell: Bell, clock: Callable[[], float]) -> None:
        self._next_id = first_id
        self._waiting: list[Update] = []
        self._allowed: frozenset[str] | None = None
        self._parked: Poll | None = None
        self._bell = bell
        self._clock = clock
        self.last_poll: float | None = None
        self.webhook = False
        self.closed = False
        self.abandoned = False  # the last poll's caller hung up
        self.patient = True  # whether who repeats himself is slowed down
        self._asked: tuple[int, float] = (0, -math.inf)
        self._refusable_at = -math.inf
        self.repeats = 0  # so many of the next updates are delivered twice

    @property
    def parked(self) -> bool:
        """Whether a getUpdates waits for the next update."""
        return self._parked is not None

    @property
    def allowed(self) -> Sequence[str]:
        """The kinds of update the bot asked for; empty means the default."""
        return sorted(self._allowed or ())

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Remember what the bot wants; without a list the former wish stays."""
        if kinds is not None:
            self._allowed = frozenset(kinds) & KINDS or None

    def add(self, kind: str, body: Json, lane: str) -> None:
        """Queue an update, unless the bot does not want its kind."""
        if not self._wanted(kind):
            return
        expires = self._clock() + LIVES.get(kind, MESSAGE_LIFE)
        again, self.repeats = self.repeats > 0, max(self.repeats - 1, 0)
        self._waiting.append(Update(self._next_id, kind, body, expires, lane, again))
        self._next_id += 1
        self._bell.ring()

    def waiting(self) -> list[Update]:
        """Return what is neither confirmed nor expired."""
        now = self._clock()
        self._waiting = [update for update in self._waiting if update.expires > now]
        return self._waiting

    def confirm(self, offset: int) -> None:
        """Forget all updates below the offset; a negative one keeps that many of the newest."""
        if offset < 0:
            self._waiting = self._waiting[offset:]
        elif 0 < offset <= self._next_id + FAR_AHEAD:
            repeated = [replace(update, again=False) for update in self._waiting if update.again and update.id < offset]
            self._waiting = repeated + [update for update in self._waiting if update.id >= offset]
        self._bell.ring()

    def settle(self, update: Update) -> None:
        """Forget one update: the webhook took it."""
        self._waiting = [other for other in self._waiting if other.id != update.id]
        if update.again:
            self._waiting.insert(0, replace(update, again=False))
        self._bell.ring()

    def drop(self, update: Update) -> None:
        """Forget an update that nobody took in time."""
        self._waiting = [other for other in self._waiting if other.id != update.id]
        self._bell.ring()

    def drop_all(self) -> None:
        """Forget everything that waits."""
        self._waiting = []
        self._bell.ring()

    async def poll(self, *, offset: int, limit: int, seconds: int) -> list[Update]:
        """Answer a getUpdates call: at once when there is something, else when there is."""
        if self.webhook:
            await self._refuse(conflict(WEBHOOK_ACTIVE))
        limit, seconds = self._slowed(offset, limit, seconds)
        self.confirm(offset)
        self.last_poll = self._clock()
        self.abandoned = False
        if not self.waiting() and seconds > 0:
            await self._park(min(seconds, LONGEST_POLL))
        return self.waiting()[:limit]

    def end_poll(self, why: str = WEBHOOK_SET) -> None:
        """End the poll that waits with 409."""
        if self._parked is not None:
            self._parked.refusal = conflict(why)
            self._parked = None
            self._bell.ring()

    async def _park(self, seconds: int) -> None:
        self.end_poll(OTHER_POLL)
        poll = self._parked = Poll()
        self._bell.ring()
        try:
            await self._bell.until(lambda: self.closed or bool(poll.refusal or self.waiting()), seconds)
        except asyncio.CancelledError:
            self.abandoned = self._parked is poll
            raise
        finally:
            self.last_poll = self._clock()
            if self._parked is poll:
                self._parked = None
            self._bell.ring()
        if poll.refusal is not None:
            await self._refuse(poll.refusal)

    def _slowed(self, offset: int, limit: int, seconds: int) -> tuple[int, int]:
        now, (before, when) = self._clock(), self._asked
        self._asked = offset, now
        if offset != before or not self.patient:
            return limit, seconds
        again_at_once = now < when + SAME_OFFSET_AT_ONCE
        return (
            1 if again_at_once else limit,
            max(seconds, SAME_OFFSET_WITHIN) if now < when + SAME_OFFSET_WITHIN else seconds,
        )

    async def _refuse(self, refusal: Refused) -> NoReturn:
        """Send somebody away; the second within a few seconds is let wait for it."""
        now = self._clock()
        if now < self._refusable_at and self.patient:
            due = now + SAME_OFFSET_WITHIN
            await self._bell.until(lambda: self.closed or self._clock() >= due, SAME_OFFSET_WITHIN)
        else:
            self._refusable_at = now + SAME_OFFSET_WITHIN
        raise refusal

    def _wanted(self, kind: str) -> bool:
        return kind in self._allowed if self._allowed else kind not in ASKED_FOR_BY_NAME
