"""What a front end's dialogue needs kept, beside what the core needs: opaque to the core.

A dialogue's text and panel mean nothing to whoever keeps them. `revision` counts the turns of a person; `shown` is the
last of them whose answer reached the chat: a dialogue whose `revision` is ahead is owed an answer.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType, Protocol

from verification.ports import Place, Store, Unit

Person = NewType("Person", str)
"""The dialogue's own key: the front end and its address of the person, `telegram:100012345`."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A person's dialogue as it is kept."""

    person: Person
    text: str = field(repr=False)
    language: str | None
    revision: int
    shown: int
    panel: str


@dataclass(frozen=True, slots=True)
class Consent:
    """That a person agreed: to what (`kind` and text `version`), in which language, when."""

    person: Person
    account: str
    kind: str
    version: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt as its person may see it: without name and number."""

    account: str
    method: str
    status: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Records:
    """Everything kept about a person, for their own eyes; `place` is the one their account holds."""

    consents: Sequence[Consent]
    attempts: Sequence[PastAttempt]
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Litter:
    """A message that must vanish from the chat: the person's own that holds secrets, or a question that is over."""

    person: Person
    message_id: int
    at: datetime


class DialogueUnit(Unit, Protocol):
    """One transaction: leaving commits, an error rolls back."""

    async def first_sight(self, event_id: str, now: datetime) -> bool:
        """Remember an event's id; False when it was seen before."""

    async def dialogue(self, person: Person) -> Dialogue | None:
        """Load a person's dialogue."""

    async def save_dialogue(self, person: Person, text: str, language: str | None, now: datetime) -> int:
        """Keep a dialogue's next revision, sealed, and say its number; a language of None leaves the kept one."""

    async def record_consent(self, consent: Consent) -> None:
        """Keep a consent."""

    async def litter(self, litter: Litter) -> None:
        """Remember a message to delete, until it is."""

    async def records(self, person: Person) -> Records:
        """Everything kept about a person: their consents, and the attempts told to them."""

    async def erase(self, person: Person, account: str) -> None:
        """Delete everything about the person but the place their account may hold.

        Messages of theirs that must still vanish from the chat stay listed until they have.
        """


class DialogueStore(Store, Protocol):
    """Keeps what the dialogue must not lose."""

    def unit(self, alone_with: str) -> AbstractAsyncContextManager[DialogueUnit]:
        """Open a unit that runs alone with this key: another unit with the same key waits until it is left."""

    async def mark_shown(self, person: Person, revision: int, panel: str) -> None:
        """Note that a revision's answer reached the chat, and where its panel is; an older revision never wins."""

    async def owed(self, limit: int) -> Sequence[Person]:
        """List people whose last revision has not reached the chat."""

    async def litter(self, limit: int) -> Sequence[Litter]:
        """List messages still to delete, oldest first."""

    async def swept(self, litter: Litter) -> None:
        """Forget a message that is gone."""

    async def bury(self, event_id: str, raw: str, now: datetime) -> None:
        """Set aside, sealed, an update that could not be handled."""

    async def retire(self, before: datetime) -> None:
        """Delete dialogues unchanged, consents given and attempts ended since before this; places stay."""

    async def prune(self, before: datetime) -> None:
        """Forget event ids, settled notices and buried updates older than this."""

    def polling_turn(self, busy: Callable[[], None]) -> AbstractAsyncContextManager[Callable[[], Awaitable[bool]]]:
        """Wait until no other program with this store fetches updates; hold that turn until left, or dead.

        `busy` is called once when another program has it. What is entered says whether the turn is still held: a
        database that was away may have given it to another.
        """
