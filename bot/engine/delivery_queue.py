"""One lane a person: committed turns go out in order, side by side with other people's.

When sending fails the lane waits, longer each time, and asks the state's own question again instead of what was lost.
"""

import asyncio
import heapq
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

from bot.engine.messages import Turn, Undelivered
from verification.dialogue_store import Person

log = logging.getLogger(__name__)

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_OUTAGE_PAUSE = 2.0
"""The longest pause while the store is away: it is our own, and nobody is to wait on after its return."""


@dataclass(slots=True)
class Lane:
    """A person's turns on their way to the chat, and the panel as the last shown reply left it.

    `owing`: something was lost on the way, so the question is asked again in place of what waits. `doubtful`: the mark
    of a question that may have arrived, or may not.
    """

    turns: list[Turn] = field(default_factory=list)
    panel: str | None = None
    failures: int = 0
    owing: bool = False
    doubtful: str | None = None


Show = Callable[[Turn, Lane], Awaitable[None]]
Again = Callable[[Person], Awaitable[Turn | None]]


class Lanes:
    """All lanes at work.

    `show` shows a turn; `again` commits the turn that asks the person's question once more, if they can be asked;
    `given_up` hears of a person whose answer stays owed; `is_outage` knows the errors that pass by themselves.
    """

    def __init__(
        self,
        show: Show,
        again: Again,
        is_outage: Callable[[BaseException], bool],
        pauses: Sequence[float] = _PAUSES,
        given_up: Callable[[Person], Awaitable[None]] | None = None,
    ) -> None:
        self._show = show
        self._again = again
        self._is_outage = is_outage
        self._pauses = pauses
        self._given_up = given_up
        self._lanes: dict[Person, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def running(self, patience: float = 5) -> AsyncIterator[None]:
        """Work until left; then wait so many seconds for what is on its way. The rest stays owed."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                await self.settled(patience)
                self._group = None
                for task in self._tasks:
                    task.cancel()

    async def settled(self, patience: float) -> bool:
        """Wait until every turn is shown, at most so many seconds; says whether it is."""
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def has(self, person: Person) -> bool:
        """Whether turns of this person are on their way."""
        return person in self._lanes

    def add(self, turn: Turn) -> None:
        """Put a turn into its person's lane."""
        person = turn.view.person
        lane = self._lanes.get(person)
        if lane is not None:
            if turn.revision == 1:
                # Revisions begin again after an erasure: what waits was said by a dialogue that is no more.
                lane.turns.clear()
            heapq.heappush(lane.turns, turn)
        elif self._group is not None:
            self._lanes[person] = Lane([turn])
            self._idle.clear()
            task = self._group.create_task(self._work(person, self._lanes[person]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, person: Person, lane: Lane) -> None:
        try:
            while lane.turns or lane.owing:
                await self._next(person, lane)
            if lane.failures and self._given_up is not None:
                await self._give_up(person, self._given_up)
        finally:
            del self._lanes[person]
            if not self._lanes:
                self._idle.set()

    async def _next(self, person: Person, lane: Lane) -> None:
        try:
            if lane.owing:
                await self._ask_again(person, lane)
            if lane.turns:
                await self._show(heapq.heappop(lane.turns), lane)
            lane.failures = 0
        except Undelivered as error:
            log.warning("a reply did not get through (%s); asking again", error)
            await self._pause(lane)
        except Exception as error:
            # An outage ends; a fault of ours may not: the answer stays owed until the person's next word.
            log.exception("a turn could not be shown")
            outage = self._is_outage(error)
            await self._pause(lane, _OUTAGE_PAUSE if outage else inf)
            lane.owing = outage or lane.failures < len(self._pauses)

    async def _ask_again(self, person: Person, lane: Lane) -> None:
        turn = await self._again(person)
        lane.turns = [] if turn is None else [turn]
        lane.owing = False

    async def _give_up(self, person: Person, given_up: Callable[[Person], Awaitable[None]]) -> None:
        try:
            await given_up(person)
        except Exception:
            log.exception("a person could not be let go of")

    async def _pause(self, lane: Lane, longest: float = inf) -> None:
        pause = self._pauses[min(lane.failures, len(self._pauses) - 1)]
        lane.failures += 1
        lane.owing = True
        await asyncio.sleep(min(pause, longest))
