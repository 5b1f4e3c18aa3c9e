"""Limits how many updates of one person are handled, and drops the rest.

The limit is 60 updates at once and one a second after that. It is checked before an update is parsed, so a flood costs
little. A dropped update is marked as seen and its message is deleted from the chat, because it may hold an ID number.
Once a minute the person gets a note with the current question.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from telegram.constants import ChatType

from bot.engine.messages import Envelope
from bot.engine.runner import Runner
from bot.flow.events import Throttled
from bot.handlers.incoming import FRONT_END, person_of
from verification.dialogue_store import DialogueStore, DialogueUnit, PendingDeletion
from verification.ids import PersonId
from verification.token_bucket import TokenBuckets

RawUpdate = Mapping[str, Any]

_BURST = 60
_REFILL_INTERVAL = 1.0
_NOTICE_INTERVAL = _BURST * _REFILL_INTERVAL
"""Seconds; the time in which an empty bucket fills."""


class FloodControl:
    """A rate limiter of incoming updates per sender; `monotonic` gives seconds of a clock that never jumps."""

    def __init__(
        self,
        store: DialogueStore,
        runner: Runner,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._runner = runner
        self._clock = clock
        self._updates = TokenBuckets(burst=_BURST, interval=_REFILL_INTERVAL, clock=monotonic)
        self._notices = TokenBuckets(burst=1, interval=_NOTICE_INTERVAL, clock=monotonic)

    def admits(self, sender: object) -> bool:
        """Whether the next update of this sender is handled; an update without a sender always is."""
        return not isinstance(sender, int) or self._updates.take(sender)

    async def drop(self, raws: Sequence[RawUpdate]) -> None:
        """Mark one sender's updates as seen without handling them, and schedule the deletion of their messages."""
        now = self._clock()
        person = next(filter(None, map(_person, raws)), None)

        async def body(unit: DialogueUnit) -> None:
            for raw in raws:
                await unit.mark_seen(f"{FRONT_END}:{raw.get('update_id')}", now)
                message_id = _message_id(raw)
                if person is not None and message_id is not None:
                    await unit.schedule_deletion(PendingDeletion(person, message_id, now))

        await self._store.transact(person or "passed over", body)
        if person is not None and self._notices.take(person):
            await self._runner.handle(Envelope(person, Throttled(), None))


def _person(raw: RawUpdate) -> PersonId | None:
    """The person whose dialogue an unparsed update belongs to, if any."""
    match raw:
        case (
            {"message": {"chat": {"id": int(number), "type": ChatType.PRIVATE}}}
            | {"edited_message": {"chat": {"id": int(number), "type": ChatType.PRIVATE}}}
            | {"callback_query": {"message": {"chat": {"id": int(number), "type": ChatType.PRIVATE}}}}
        ):
            return person_of(number)
        case _:
            return None


def _message_id(raw: RawUpdate) -> int | None:
    """The id of the person's own message in an unparsed update, if any."""
    match raw:
        case {"message": {"message_id": int(number), "chat": {"type": ChatType.PRIVATE}}} | {
            "edited_message": {"message_id": int(number), "chat": {"type": ChatType.PRIVATE}}
        }:
            return number
        case _:
            return None
