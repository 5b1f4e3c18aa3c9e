"""The programs that write to people from one database: who of them lives, and who shows a person's answers.

A program lives while its beats go on, counted by this program's own clock: no other machine's time is trusted. One at
a time holds a person, so that their answers come in order and each finds the last one's panel. What a dead program owed
is shown by the others.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from verification.dialogue_store import DialogueStore, Lease, PendingReply
from verification.ids import PersonId

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL = 1.0
"""Seconds between two signs of life."""
_DEAD_AFTER = 4.0
_UNREGISTER_AFTER = 60.0
_POLL_INTERVAL = 0.05
_CLAIM_GRACE = 3.0
"""Seconds that a committed turn may need until its own program holds its person."""
_MAX_WAIT = 30.0
"""Seconds after which a person is taken from a program that lives and does not let go."""

IsOrphaned = Callable[[PendingReply], bool]


@dataclass(slots=True)
class _Peer:
    """A program as it was last heard; times are of the loop's clock."""

    name: str
    count: int
    seen_at: float


@dataclass(frozen=True, slots=True)
class _Unclaimed:
    """Somebody who is owed an answer by nobody in particular, and since when that was seen."""

    revision: int
    since: float


@dataclass(slots=True, kw_only=True)
class Replicas:
    """This program among the others. `name` is its place, kept over restarts; `program` is this start of it."""

    store: DialogueStore
    name: str
    program: str
    is_outage: Callable[[BaseException], bool]
    _peers: dict[str, _Peer] = field(default_factory=dict)
    _unclaimed: dict[PersonId, _Unclaimed] = field(default_factory=dict)

    @property
    def alive(self) -> frozenset[str]:
        """The programs that live, this one among them."""
        now = _now()
        heard = (program for program, life in self._peers.items() if now - life.seen_at < _DEAD_AFTER)
        return frozenset((self.program, *heard))

    @asynccontextmanager
    async def heartbeating(self, resume: Callable[[IsOrphaned], Awaitable[None]]) -> AsyncIterator[None]:
        """Beat until left, and let what dead programs owed be resumed."""
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
                log.warning("the store is out of reach; other programs cannot be heard")

    async def heartbeat(self) -> None:
        """Give a sign of life, and hear the others'."""
        now, beats = _now(), await self.store.heartbeat(name=self.name, program=self.program)
        known, self._peers = self._peers, {}
        for beat in beats:
            life = known.get(beat.program)
            if life is None or life.count != beat.count:
                life = _Peer(beat.name, beat.count, now)
            self._peers[beat.program] = life
            if now - life.seen_at > _UNREGISTER_AFTER:
                await self.store.unregister(name=beat.name, program=beat.program)

    async def acquire(self, person: PersonId, revision: int) -> Lease | None:
        """Wait until this program may show a revision to its person; None when there is no such dialogue any more."""
        begun = _now()
        while True:
            waited = _now() - begun
            # Whoever committed the turn before may be just about to show it; after a while, they are gone.
            least = revision - 1 if waited < _CLAIM_GRACE else 0
            alive = self.alive if waited < _MAX_WAIT else frozenset[str]()
            held = await self.store.acquire_lease(person, self.program, alive, least)
            if held is not None or waited >= _MAX_WAIT:
                return held
            await asyncio.sleep(_POLL_INTERVAL)

    async def take_over(self, owed: PendingReply) -> bool:
        """Hold somebody whom nobody is at; False when another program was faster."""
        held = await self.store.acquire_lease(owed.person, self.program, self.alive, 0)
        if held is not None and held.shown >= owed.revision:
            await self.release(owed.person)
            return False
        return held is not None

    async def release(self, person: PersonId) -> None:
        """Let others show things to this person."""
        await self.store.release_lease(person, self.program)

    def is_orphaned(self, owed: PendingReply) -> bool:
        """Whether nobody is at it: the program that held the person is dead, or none has come to hold them."""
        if owed.holder is not None:
            self._unclaimed.pop(owed.person, None)
            return owed.holder not in self.alive
        seen = self._unclaimed.get(owed.person)
        if seen is None or seen.revision != owed.revision:
            self._unclaimed[owed.person] = seen = _Unclaimed(owed.revision, _now())
        return _now() - seen.since >= _CLAIM_GRACE


def _now() -> float:
    return asyncio.get_running_loop().time()
