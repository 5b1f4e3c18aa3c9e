"""Delivers committed turns: each person's in order, and different people's at the same time.

`delivery` says what is to be done for a person, and what follows from its outcome. This module does one thing after the
other in a task for each person, and turns what comes of it into events.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.engine.delivery import advance
from bot.engine.delivery_states import (
    BackingOff,
    Busy,
    DeliveryEvent,
    DeliveryState,
    Faulted,
    Inactive,
    OutageBegan,
    PauseEnded,
    PersonBlocked,
    SendFailed,
    TurnCommitted,
)
from bot.engine.messages import BotBlocked, DeliveryFailed, Turn
from verification.ids import PersonId

log = logging.getLogger(__name__)

CarryOut = Callable[[PersonId, Busy], Awaitable[DeliveryEvent]]


class DeliveryQueues:
    """Everybody to whom something is on its way.

    `carry_out` does what a person's state stands for, except waiting; `is_outage` knows the errors of the store that
    pass by themselves.
    """

    def __init__(self, carry_out: CarryOut, is_outage: Callable[[BaseException], bool]) -> None:
        self._carry_out = carry_out
        self._is_outage = is_outage
        self._states: dict[PersonId, DeliveryState] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._awaited = 0

    @asynccontextmanager
    async def running(self, grace: float = 5) -> AsyncIterator[None]:
        """Deliver until left; then wait so many seconds for what is on its way. The rest stays owed."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                await self.wait_until_idle(grace)
                self._group = None
                for task in self._tasks:
                    task.cancel()

    async def wait_until_idle(self, seconds: float) -> bool:
        """Wait at most so many seconds until nothing is on its way to anybody, and say whether that is so."""
        self._awaited += 1
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        finally:
            self._awaited -= 1
        return True

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits until nothing is on its way, as the end of the program does."""
        return self._awaited > 0

    def is_delivering(self, person: PersonId) -> bool:
        """Whether something is on its way to this person."""
        return person in self._states

    def add(self, turn: Turn) -> None:
        """Deliver a committed turn. While nothing runs it stays owed."""
        person = turn.context.person
        if person in self._states:
            self._advance(person, TurnCommitted(turn))
        elif self._group is not None:
            self._states[person] = Inactive()
            self._advance(person, TurnCommitted(turn))
            self._idle.clear()
            task = self._group.create_task(self._deliver(person))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _advance(self, person: PersonId, event: DeliveryEvent) -> None:
        self._states[person] = advance(self._states[person], event)

    async def _deliver(self, person: PersonId) -> None:
        try:
            while isinstance(state := self._states[person], Busy):
                # Turns may be added while this is awaited; the event belongs to the state as it is then.
                event = await self._event_after(person, state)
                self._advance(person, event)
        finally:
            del self._states[person]
            if not self._states:
                self._idle.set()

    async def _event_after(self, person: PersonId, state: Busy) -> DeliveryEvent:
        """Do what the state stands for, and say what came of it."""
        try:
            if isinstance(state, BackingOff):
                await asyncio.sleep(state.seconds)
                return PauseEnded()
            return await self._carry_out(person, state)
        except DeliveryFailed as error:
            log.warning("a reply did not get through (%s); asking again", error)
            return SendFailed(error.maybe_delivered)
        except BotBlocked:
            return PersonBlocked()
        except Exception as error:
            log.exception("a turn could not be shown")
            return OutageBegan() if self._is_outage(error) else Faulted()
