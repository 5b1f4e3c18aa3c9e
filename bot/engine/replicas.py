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

from verification.dialogue_store import DialogueStore, Held, Owed, Person

log = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two signs of life."""
_SILENT_FOR = 4.0
_FORGOTTEN_AFTER = 60.0
_LOOK = 0.05
_ON_ITS_WAY = 3.0
"""Seconds that a committed turn may need until its own program holds its person."""
_LONGEST_WAIT = 30.0
"""Seconds after which a person is taken from a program that lives and does not let go."""

Left = Callable[[Owed], bool]


@dataclass(slots=True)
class _Life:
    """A program as it was last heard; times are of the loop's clock."""

    name: str
    count: int
    heard_at: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Somebody who is owed an answer by nobody in particular, and since when that was seen."""

    revision: int
    since: float


@dataclass(slots=True)
class Replicas:
    """This program among the others. `name` is its place, kept over restarts; `program` is this start of it."""

    store: DialogueStore
    name: str
    program: str
    is_outage: Callable[[BaseException], bool]
    _lives: dict[str, _Life] = field(default_factory=dict)
    _waiting: dict[Person, _Waiting] = field(default_factory=dict)

    @property
    def alive(self) -> frozenset[str]:
        """The programs that live, this one among them."""
        now = _now()
        heard = (program for program, life in self._lives.items() if now - life.heard_at < _SILENT_FOR)
        return frozenset((self.program, *heard))

    @asynccontextmanager
    async def beating(self, resume: Callable[[Left], Awaitable[None]]) -> AsyncIterator[None]:
        """Beat until left, and let what dead programs owed be resumed."""
        async with asyncio.TaskGroup() as tasks:
            beats = tasks.create_task(self._beat_for_ever(resume))
            try:
                yield
            finally:
                beats.cancel()
        with suppress(Exception):
            await self.store.leave(self.name, self.program)

    async def _beat_for_ever(self, resume: Callable[[Left], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(BEAT)
            try:
                await self.beat()
                await resume(self.is_left)
            except Exception as error:
                if not self.is_outage(error):
                    raise
                log.warning("the store is out of reach; other programs cannot be heard")

    async def beat(self) -> None:
        """Give a sign of life, and hear the others'."""
        now, beats = _now(), await self.store.beat(self.name, self.program)
        known, self._lives = self._lives, {}
        for beat in beats:
            life = known.get(beat.program)
            if life is None or life.count != beat.count:
                life = _Life(beat.name, beat.count, now)
            self._lives[beat.program] = life
            if now - life.heard_at > _FORGOTTEN_AFTER:
                await self.store.leave(beat.name, beat.program)

    async def hold(self, person: Person, revision: int) -> Held | None:
        """Wait until this program may show a revision to its person; None when there is no such dialogue any more."""
        begun = _now()
        while True:
            waited = _now() - begun
            # Whoever committed the turn before may be just about to show it; after a while, they are gone.
            least = revision - 1 if waited < _ON_ITS_WAY else 0
            alive = self.alive if waited < _LONGEST_WAIT else frozenset[str]()
            held = await self.store.hold(person, self.program, alive, least)
            if held is not None or waited >= _LONGEST_WAIT:
                return held
            await asyncio.sleep(_LOOK)

    async def take_over(self, owed: Owed) -> bool:
        """Hold somebody whom nobody is at; False when another program was faster."""
        held = await self.store.hold(owed.person, self.program, self.alive, 0)
        if held is not None and held.shown >= owed.revision:
            await self.let_go(owed.person)
            return False
        return held is not None

    async def let_go(self, person: Person) -> None:
        """Let others show things to this person."""
        await self.store.let_go(person, self.program)

    def is_left(self, owed: Owed) -> bool:
        """Whether nobody is at it: the program that held the person is dead, or none has come to hold them."""
        if owed.holder is not None:
            self._waiting.pop(owed.person, None)
            return owed.holder not in self.alive
        seen = self._waiting.get(owed.person)
        if seen is None or seen.revision != owed.revision:
            self._waiting[owed.person] = seen = _Waiting(owed.revision, _now())
        return _now() - seen.since >= _ON_ITS_WAY


def _now() -> float:
    return asyncio.get_running_loop().time()
