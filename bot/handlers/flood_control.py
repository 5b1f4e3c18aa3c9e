"""What one person sends faster than anybody can mean it is passed over: taken, counted, and not acted on.

It is judged before it is parsed, so a flood costs next to nothing. Nobody reads what is passed over, so nobody knows
that it holds no ID number: it vanishes from the chat. Once in a while the person is told, with the question at hand.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from telegram.constants import ChatType

from bot.engine.messages import Envelope
from bot.engine.runner import Runner
from bot.flow.events import Throttled
from bot.handlers.incoming import FRONT_END, person_of
from verification.dialogue_store import DialogueStore, PendingDeletion
from verification.ids import PersonId
from verification.token_bucket import TokenBuckets

RawUpdate = Mapping[str, Any]

_BURST = 60
_REFILL_INTERVAL = 1.0
_NOTICE_INTERVAL = _BURST * _REFILL_INTERVAL
"""As long as an emptied bucket takes to fill."""


class FloodControl:
    """Lets each person's updates in at a pace; `seconds` is a clock that never jumps."""

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

    def admits(self, whose: object) -> bool:
        """Whether the next update of this sender is handled; those of nobody in particular always are."""
        return not isinstance(whose, int) or self._updates.take(whose)

    async def drop(self, raws: Sequence[RawUpdate]) -> None:
        """Take one sender's updates without acting on them."""
        now = self._clock()
        person = next(filter(None, map(_person, raws)), None)
        async with self._store.unit(person or "passed over") as unit:
            for raw in raws:
                await unit.mark_seen(f"{FRONT_END}:{raw.get('update_id')}", now)
                message_id = _message_id(raw)
                if person is not None and message_id is not None:
                    await unit.schedule_deletion(PendingDeletion(person, message_id, now))
        if person is not None and self._notices.take(person):
            await self._runner.handle(Envelope(person, Throttled(), None))


def _person(raw: RawUpdate) -> PersonId | None:
    """Whose dialogue an update belongs to, if to any; the raw form may be anything."""
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
    """The message of the person's own that an update brings into their private chat."""
    match raw:
        case {"message": {"message_id": int(number), "chat": {"type": ChatType.PRIVATE}}} | {
            "edited_message": {"message_id": int(number), "chat": {"type": ChatType.PRIVATE}}
        }:
            return number
        case _:
            return None
