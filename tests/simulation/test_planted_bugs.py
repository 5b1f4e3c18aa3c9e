"""The simulator is worth what it finds: programs with a bug in them, each as somebody might write it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest

from storage import Store
from storage.support import DeskUnit
from storage.unit import Unit
from tests.fakes import fixed_sealing
from tests.simulation.disk import SimulatedDatabase, _Transaction
from tests.simulation.run_stories import found
from verification.attempts import Attempt, Status
from verification.dialogue_store import Litter, Owed, Person
from verification.identity import Identity
from verification.invitations import Link, LinkId
from verification.ports import Notice
from verification.support.funnel import STEPS, Tally
from verification.support.store import Use

# A story that a planted bug cuts short leaves coroutines behind, and when they are collected is nobody's choice.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Forgetful(Unit):
    """Takes every event for a new one."""

    async def first_sight(self, event_id: str, now: datetime) -> bool:
        await super().first_sight(event_id, now)
        return True


class Generous(Unit):
    """Finds a place for everybody."""

    async def take_place(self, attempt: Attempt, identity: Identity, now: datetime) -> bool:
        return True


class Careless(Unit):
    """Leaves what was typed where it was typed."""

    async def litter(self, litter: Litter) -> None:
        return


class Lazy(Unit):
    """Keeps a dialogue but for every third time."""

    saved = 0

    async def save_dialogue(self, person: Person, text: str, language: str | None, now: datetime) -> int:
        Lazy.saved += 1
        if Lazy.saved % 3 == 0:
            return 1
        return await super().save_dialogue(person, text, language, now)


class Boastful(Unit):
    """Counts the first of all steps twice."""

    async def tally(self, tallies: Sequence[Tally]) -> None:
        await super().tally([*tallies, *(tally for tally in tallies if tally.step is STEPS[0])])


class Reviving(Unit):
    """Gives an expired attempt another chance."""

    async def save_attempt(self, attempt: Attempt) -> None:
        await super().save_attempt(replace(attempt, status=Status.WAITING) if attempt.fading else attempt)


class Hospitable(Unit):
    """Lets a link open to everybody."""

    async def open_link(self, link: LinkId, person: str, now: datetime) -> Link | None:
        await self._connection.fetch("UPDATE links SET person = NULL, expires_at = $2 WHERE id = $1", link, 2**62)
        return await super().open_link(link, person, now)


class Trusting(Unit):
    """Takes everybody for bound to any account."""

    async def is_bound(self, person: str, account: str) -> bool:
        return True


class StoreOf(Store):
    """A store with units of a kind."""

    def __init__(self, database: SimulatedDatabase, kind: type[Unit]) -> None:
        super().__init__(database, fixed_sealing())
        self._kind = kind

    @asynccontextmanager
    async def unit(self, alone_with: str) -> AsyncIterator[Unit]:
        async with self._database.transaction(alone_with) as connection:
            yield self._kind(connection, self._sealing)


class Unsettling(Store):
    """Forgets that a notice was told."""

    async def settle(self, notice: Notice) -> None:
        return


class Lingering(Store):
    """Lets a code live on whose link was taken back."""

    @asynccontextmanager
    async def desk(self, use: Use) -> AsyncIterator[DeskUnit]:
        async with super().desk(use) as desk:
            desk._end_attempt = _nothing  # type: ignore[method-assign]  # the bug that is planted
            yield desk


async def _nothing(person: str, account: str, now: datetime) -> None:
    del person, account, now


class Hasty(Store):
    """Takes every answer for shown before it is."""

    async def owed(self, limit: int) -> Sequence[Owed]:
        return []


class Promising(SimulatedDatabase):
    """Says that something is committed, and commits it when it is next at it."""

    @asynccontextmanager
    async def transaction(self, alone_with: str | None = None) -> AsyncIterator[_Transaction]:
        async with self._turn:
            if self._disk.is_open:
                await self.carry_out("COMMIT", self._disk.commit)
            await self.carry_out("BEGIN", self._disk.begin)
            yield _Transaction(self)


def promising(database: SimulatedDatabase) -> Store:
    return Store(Promising(database._disk, database._weather, database._life), fixed_sealing())


def of(kind: type[Unit]) -> Callable[[SimulatedDatabase], Store]:
    return lambda database: StoreOf(database, kind)


@pytest.mark.parametrize("kind", [Forgetful, Generous, Careless, Lazy, Boastful, Reviving, Hospitable, Trusting])
def test_the_simulator_finds_a_planted_bug_in_a_unit(kind: type[Unit]) -> None:
    assert any(found(seed, make_store=of(kind)) for seed in range(1, 200))


@pytest.mark.parametrize("kind", [Unsettling, Hasty, Lingering])
def test_the_simulator_finds_a_planted_bug_in_a_store(kind: type[Store]) -> None:
    assert any(found(seed, make_store=lambda database: kind(database, fixed_sealing())) for seed in range(1, 200))


def test_the_simulator_finds_a_planted_commit_that_comes_after_its_answer() -> None:
    assert any(found(seed, make_store=promising) for seed in range(1, 200))
