"""What a front end's dialogue needs kept, beside what the core needs: opaque to the core.

A dialogue's text and panel mean nothing to whoever keeps them. `revision` counts the turns of a person; `shown` is the
last of them whose answer reached the chat: a dialogue whose `revision` is ahead is owed an answer. Where several
programs write to people, one at a time holds a person: it alone shows answers until it lets go or dies.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from verification.ids import Account, PersonId
from verification.invitations import Purpose
from verification.ports import QuotaSlot, Store, Unit
from verification.support.store import DialogueSupportUnit

DeletedCounts = Mapping[str, int]
"""How many records were deleted, by kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """A person's dialogue as it is kept."""

    person: PersonId
    text: str = field(repr=False)
    language: str | None
    revision: int
    shown: int
    panel: str
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class PendingReply:
    """Somebody whose last answer has not reached the chat, and the program that holds them, if any."""

    person: PersonId
    revision: int
    holder: str | None


@dataclass(frozen=True, slots=True)
class Lease:
    """A person as a program finds them that now holds them; `mine`: it held them before."""

    shown: int
    panel: str
    already_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A program's sign of life: its place among the programs, this start of it, and how often it was heard."""

    name: str
    program: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """That a person agreed: to what (`kind` and text `version`), in which language, when."""

    person: PersonId
    account: Account
    kind: str
    version: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """An attempt as its person may see it: without name and number."""

    account: Account
    method: str
    status: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LinkBinding:
    """That a link bound a person to an account."""

    account: Account
    at: datetime


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """Everything kept about a person, for their own eyes; `place` is the one their account holds."""

    consents: Sequence[Consent]
    attempts: Sequence[PastAttempt]
    link_bindings: Sequence[LinkBinding] = ()
    quota_slot: QuotaSlot | None = None


@dataclass(frozen=True, slots=True)
class PendingDeletion:
    """A message that must vanish from the chat: the person's own that holds secrets, or a question that is over."""

    person: PersonId
    message_id: int
    at: datetime


class DialogueUnit(Unit, DialogueSupportUnit, Protocol):
    """One transaction: leaving commits, an error rolls back."""

    async def mark_seen(self, event_id: str, now: datetime) -> bool:
        """Remember an event's id; False when it was seen before."""

    async def dialogue(self, person: PersonId) -> Dialogue | None:
        """Load a person's dialogue."""

    async def save_dialogue(self, person: PersonId, text: str, *, language: str | None, now: datetime) -> int:
        """Keep a dialogue's next revision, sealed, and say its number; a language of None leaves the kept one."""

    async def mark_unblocked(self, person: PersonId) -> None:
        """Note that somebody who blocked the bot can be written to again."""

    async def record_consent(self, consent: Consent) -> None:
        """Keep a consent."""

    async def schedule_deletion(self, deletion: PendingDeletion) -> None:
        """Remember a message to delete, until it is."""

    async def records(self, person: PersonId) -> PersonRecords:
        """Everything kept about a person: their consents, and the attempts told to them."""

    async def erase(self, person: PersonId, account: Account) -> DeletedCounts:
        """Delete everything about the person but the place their account may hold.

        Messages of theirs that must still vanish from the chat stay listed until they have.
        """


class DialogueStore(Store, Protocol):
    """Keeps what the dialogue must not lose."""

    def keyed_digest(self, purpose: Purpose, text: str) -> bytes:
        """Give a digest that nobody makes without the key: 32 bytes."""

    def unit(self, lock_key: str) -> AbstractAsyncContextManager[DialogueUnit]:
        """Open a unit that runs alone with this key: another unit with the same key waits until it is left."""

    async def mark_shown(self, person: PersonId, revision: int, panel: str) -> None:
        """Note that a revision's answer reached the chat, and where its panel is; an older revision never wins.

        Whoever held the person lets go.
        """

    async def mark_blocked(self, person: PersonId, panel: str) -> None:
        """Note that somebody blocked the bot: they are owed nothing until they return. Whoever held them lets go."""

    async def pending_replies(self, limit: int) -> Sequence[PendingReply]:
        """List people whose last revision has not reached the chat, who have waited longest first."""

    async def acquire_lease(
        self, person: PersonId, program: str, alive: AbstractSet[str], min_shown: int
    ) -> Lease | None:
        """Hold a person for a program; None while one of the others alive does, or less than `least` is shown.

        A person without a dialogue is None too.
        """

    async def release_lease(self, person: PersonId, program: str) -> None:
        """Let go of a person whom this program holds."""

    async def heartbeat(self, *, name: str, program: str) -> Sequence[Heartbeat]:
        """Give a sign of life, and hear everybody's. A new program of a name takes the place of the former."""

    async def unregister(self, *, name: str, program: str) -> None:
        """Take a program's sign of life away, unless another has its place."""

    async def pending_deletions(self, limit: int) -> Sequence[PendingDeletion]:
        """List messages still to delete, oldest first."""

    async def deletion_done(self, deletion: PendingDeletion) -> None:
        """Forget a message that is gone."""

    async def store_dead_letter(self, event_id: str, *, person: PersonId | None, raw: str, now: datetime) -> None:
        """Set aside, sealed, an update that could not be handled, and whose it is where that can be told."""

    async def purge_before(self, before: datetime) -> DeletedCounts:
        """Delete dialogues unchanged, consents given and attempts ended since before this; places stay."""

    async def purge_rate_limit_records(self, before: datetime) -> DeletedCounts:
        """Forget what was tried before this."""

    async def purge_audit_log(self, before: datetime) -> DeletedCounts:
        """Forget who used the desk before this."""

    async def purge_processed(self, before: datetime) -> DeletedCounts:
        """Forget event ids, settled notices and results, and buried updates older than this."""

    def polling_lease(self, on_busy: Callable[[], None]) -> AbstractAsyncContextManager[Callable[[], Awaitable[bool]]]:
        """Wait until no other program with this store fetches updates; hold that turn until left, or dead.

        `busy` is called once when another program has it. What is entered says whether the turn is still held: a
        database that was away may have given it to another.
        """
