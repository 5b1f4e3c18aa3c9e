"""The processes of this front end on one database: which of them are alive, and which one shows a person's replies.

Each process raises a counter in the store once a second, its heartbeat. A process is alive as long as the others see
its counter change; each measures that with its own clock, as the clocks of two machines may differ. To show a person's
replies, a process holds the lease on that person, so that the replies come in order and each finds the panel of the one
before. The lease of a crashed process is free for the others, and they ask again for what it owed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.engine.messages import FRONT_END
from verification.dialogue_store import WORKER, DialogueStore, Lease, PendingReply
from verification.ids import PersonId
from verification.record import Record

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL = 1.0
"""Seconds between two heartbeats."""
_DEAD_AFTER = 4.0
_UNREGISTER_AFTER = 60.0
_POLL_INTERVAL = 0.05
_CLAIM_GRACE = 3.0
"""Seconds that the process of a committed turn gets to acquire the lease before others do."""
_MAX_WAIT = 30.0
"""Seconds after which a lease is taken even from a process that is alive."""

IsOrphaned = Callable[[PendingReply], bool]


@dataclass(slots=True)
class _Peer:
    """Another process and when its counter last changed, by the clock of this loop."""

    name: str
    count: int
    seen_at: float


class _Unclaimed(Record):
    """An owed reply without a lease, and since when it was seen so."""

    revision: int
    since: float


@dataclass(slots=True, kw_only=True)
class Replicas:
    """This process among the others. `name` is its address, kept over restarts; `program` is the id of this start."""

    store: DialogueStore
    name: str
    program: str
    is_outage: Callable[[BaseException], bool]
    _peers: dict[str, _Peer] = field(default_factory=dict)
    _unclaimed: dict[PersonId, _Unclaimed] = field(default_factory=dict)

    @property
    def alive(self) -> frozenset[str]:
        """The ids of the processes that are alive, including this one."""
        now = _now()
        heard = (program for program, life in self._peers.items() if now - life.seen_at < _DEAD_AFTER)
        return frozenset((self.program, *heard))

    @asynccontextmanager
    async def heartbeating(self, resume: Callable[[IsOrphaned], Awaitable[None]]) -> AsyncIterator[None]:
        """Send heartbeats until left; after each, `resume` asks again for what crashed processes owed."""
        async with asyncio.TaskGroup() as tasks:
            beats = tasks.create_task(self._heartbeat_forever(resume))
            try:
                yield
            finally:
                beats.cancel()
        with suppress(Exception):
            await self.store.unregister(name=self.name, program=self.program)

    async def _heartbeat_forever(self, resume: Callable[[IsOrphaned], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            try:
                await self.heartbeat()
                await resume(self.is_orphaned)
            except Exception as error:
                if not self.is_outage(error):
                    raise
                log.warning("the store is out of reach; the other processes cannot be seen", exc_info=error)

    async def heartbeat(self) -> None:
        """Send a heartbeat, and look at those of the others."""
        now, beats = _now(), await self.store.heartbeat(FRONT_END, name=self.name, program=self.program)
        known, self._peers = self._peers, {}
        for beat in beats:
            life = known.get(beat.program)
            if life is None or life.count != beat.count:
                life = _Peer(beat.name, beat.count, now)
            self._peers[beat.program] = life
            if now - life.seen_at > _UNREGISTER_AFTER:
                await self.store.unregister(name=beat.name, program=beat.program)

    async def acquire(self, person: PersonId, revision: int) -> Lease | None:
        """Wait for the lease to show this revision; None when the dialogue was erased or the lease is not to be had."""
        begun = _now()
        while True:
            waited = _now() - begun
            # The process that committed the turn before may be about to show it; after a while, it has crashed.
            least = revision - 1 if waited < _CLAIM_GRACE else 0
            alive = self.alive if waited < _MAX_WAIT else frozenset[str]()
            held = await self.store.acquire_lease(person, self.program, alive, least)
            if held is not None or waited >= _MAX_WAIT:
                return held
            await asyncio.sleep(_POLL_INTERVAL)

    async def take_over(self, owed: PendingReply) -> bool:
        """Acquire the lease of an orphaned reply; False when another process was faster."""
        held = await self.store.acquire_lease(owed.person, self.program, self.alive, 0)
        if held is not None and held.shown >= owed.revision:
            await self.release(owed.person)
            return False
        return held is not None

    async def release(self, person: PersonId) -> None:
        """Give the lease back, so that others may show replies to this person."""
        await self.store.release_lease(person, self.program)

    def is_orphaned(self, owed: PendingReply) -> bool:
        """Whether no process works on it: the one with the lease has crashed, or none has come for the lease."""
        if owed.holder is not None:
            self._unclaimed.pop(owed.person, None)
            return owed.holder.removeprefix(WORKER) not in self.alive
        seen = self._unclaimed.get(owed.person)
        if seen is None or seen.revision != owed.revision:
            self._unclaimed[owed.person] = seen = _Unclaimed(owed.revision, _now())
        return _now() - seen.since >= _CLAIM_GRACE


def _now() -> float:
    return asyncio.get_running_loop().time()
