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

from bot.engine.messages import DeliveryFailed, Turn
from verification.ids import PersonId

log = logging.getLogger(__name__)

_RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_OUTAGE_PAUSE = 2.0
"""The longest pause while the store is away: it is our own, and nobody is to wait on after its return."""


@dataclass(slots=True)
class PersonQueue:
    """A person's turns on their way to the chat, and the panel as the last shown reply left it.

    `owing`: something was lost on the way, so the question is asked again in place of what waits. `doubtful`: the mark
    of a question that may have arrived, or may not.
    """

    turns: list[Turn] = field(default_factory=list)
    panel: str | None = None
    failures: int = 0
    must_reask: bool = False
    maybe_delivered_question: str | None = None


Show = Callable[[Turn, PersonQueue], Awaitable[None]]
Reask = Callable[[PersonId], Awaitable[Turn | None]]


class DeliveryQueues:
    """All lanes at work.

    `show` shows a turn; `again` commits the turn that asks the person's question once more, if they can be asked;
    `given_up` hears of a person whose answer stays owed; `is_outage` knows the errors that pass by themselves.
    """

    def __init__(
        self,
        show: Show,
        reask: Reask,
        is_outage: Callable[[BaseException], bool],
        retry_delays: Sequence[float] = _RETRY_DELAYS,
        on_abandoned: Callable[[PersonId], Awaitable[None]] | None = None,
    ) -> None:
        self._show = show
        self._reask = reask
        self._is_outage = is_outage
        self._retry_delays = retry_delays
        self._on_abandoned = on_abandoned
        self._queues: dict[PersonId, PersonQueue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def running(self, grace: float = 5) -> AsyncIterator[None]:
        """Work until left; then wait so many seconds for what is on its way. The rest stays owed."""
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
        """Wait until every turn is shown, at most so many seconds; says whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def is_delivering(self, person: PersonId) -> bool:
        """Whether turns of this person are on their way."""
        return person in self._queues

    def add(self, turn: Turn) -> None:
        """Put a turn into its person's lane."""
        person = turn.context.person
        lane = self._queues.get(person)
        if lane is not None:
            if turn.revision == 1:
                # Revisions begin again after an erasure: what waits was said by a dialogue that is no more.
                lane.turns.clear()
            heapq.heappush(lane.turns, turn)
        elif self._group is not None:
            self._queues[person] = PersonQueue([turn])
            self._idle.clear()
            task = self._group.create_task(self._deliver_all(person, self._queues[person]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver_all(self, person: PersonId, queue: PersonQueue) -> None:
        try:
            while queue.turns or queue.must_reask:
                await self._deliver_next(person, queue)
            if queue.failures and self._on_abandoned is not None:
                await self._abandon(person, self._on_abandoned)
        finally:
            del self._queues[person]
            if not self._queues:
                self._idle.set()

    async def _deliver_next(self, person: PersonId, queue: PersonQueue) -> None:
        try:
            if queue.must_reask:
                await self._reask_question(person, queue)
            if queue.turns:
                await self._show(heapq.heappop(queue.turns), queue)
            queue.failures = 0
        except DeliveryFailed as error:
            log.warning("a reply did not get through (%s); asking again", error)
            await self._back_off(queue)
        except Exception as error:
            # An outage ends; a fault of ours may not: the answer stays owed until the person's next word.
            log.exception("a turn could not be shown")
            outage = self._is_outage(error)
            await self._back_off(queue, _OUTAGE_PAUSE if outage else inf)
            queue.must_reask = outage or queue.failures < len(self._retry_delays)

    async def _reask_question(self, person: PersonId, queue: PersonQueue) -> None:
        turn = await self._reask(person)
        queue.turns = [] if turn is None else [turn]
        queue.must_reask = False

    async def _abandon(self, person: PersonId, on_abandoned: Callable[[PersonId], Awaitable[None]]) -> None:
        try:
            await on_abandoned(person)
        except Exception:
            log.exception("a person could not be let go of")

    async def _back_off(self, queue: PersonQueue, longest: float = inf) -> None:
        pause = self._retry_delays[min(queue.failures, len(self._retry_delays) - 1)]
        queue.failures += 1
        queue.must_reask = True
        await asyncio.sleep(min(pause, longest))
