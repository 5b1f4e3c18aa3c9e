"""The store of a front end's dialogues, in addition to the core's store; dialogues are opaque to the core.

The store never reads a dialogue's text or panel. `revision` counts a person's committed turns; `shown` is the last
revision whose answer reached the chat. A dialogue whose `revision` is ahead of `shown` has a pending reply. Where
several programs send messages, one at a time holds the lease on a person: only that program sends replies, until it
releases the lease or crashes. A dialogue, and everything that is owed to its person, belongs to the front end that the
person's key names: no other front end is given it.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from verification.ids import Account, FrontEnd, PersonId
from verification.invitations import Purpose
from verification.ports import QuotaSlot, Store, Unit
from verification.record import Record
from verification.support.store import DialogueSupportUnit

T = TypeVar("T")

DeletedCounts = Mapping[str, int]
"""How many records were deleted, by kind."""


WORKER = "worker:"
"""Precedes the id of a program that works for a person and leaves the lease to others."""


class Dialogue(Record, kw_only=True):
    """A person's dialogue as the store holds it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"text"})

    person: PersonId
    text: str
    language: str | None
    revision: int
    shown: int
    panel: str
    blocked: bool = False


class PendingReply(Record):
    """A person whose last answer has not reached the chat, and the program that holds the lease, if any."""

    person: PersonId
    revision: int
    holder: str | None


class Lease(Record):
    """A lease on a person, as a program acquired it; `already_held`: the same program held it before."""

    shown: int
    panel: str
    already_held: bool


class Heartbeat(Record, kw_only=True):
    """A running program's heartbeat: its name among the replicas, the id of this start, and a counter."""

    name: str
    program: str
    count: int


class Consent(Record, kw_only=True):
    """A person's consent: to what (`kind` and text `version`), in which language, when."""

    person: PersonId
    account: Account
    kind: str
    version: str
    language: str
    at: datetime


class PastAttempt(Record, kw_only=True):
    """An attempt as its person may see it: without name and number."""

    account: Account
    method: str
    status: str
    reason: str | None
    created_at: datetime


class LinkBinding(Record):
    """The fact that a link bound a person to an account."""

    account: Account
    at: datetime


class PersonRecords(Record):
    """Everything stored about a person, for themselves; `quota_slot` is the one that their account has taken."""

    consents: Sequence[Consent]
    attempts: Sequence[PastAttempt]
    link_bindings: Sequence[LinkBinding] = ()
    quota_slot: QuotaSlot | None = None


class PendingDeletion(Record):
    """A message to delete from the chat: a person's message with secrets, or a question that is over."""

    person: PersonId
    message_id: int
    at: datetime


class TurnRecords(Record, kw_only=True):
    """What is stored that a turn begins with: whether its event was seen, the dialogue, and an account's quota slot."""

    is_seen: bool
    dialogue: Dialogue | None
    slot: QuotaSlot | None


class DialogueUnit(Unit, DialogueSupportUnit, Protocol):
    """One transaction; see `Store.transact`."""

    async def mark_seen(self, event_id: str, now: datetime) -> bool:
        """Remember an event's id; False when it was seen before."""

    async def begin_turn(self, person: PersonId, event_id: str | None, account: Account) -> TurnRecords:
        """Load what a turn of this person begins with, at once; None as the event's id is no event that was seen."""

    async def dialogue(self, person: PersonId) -> Dialogue | None:
        """Load a person's dialogue."""

    async def save_dialogue(
        self, person: PersonId, text: str, *, language: str | None, now: datetime, remind_at: datetime | None = None
    ) -> int:
        """Store a dialogue's next revision, sealed, and return its number; with language None the stored one stays.

        `remind_at` is when the person is reminded, and replaces the time of before.
        """

    async def take_reminder(self, person: PersonId, now: datetime, next_at: datetime | None = None) -> bool:
        """Take a reminder that is due, so that nobody else sends it; False when it is not due any more.

        With `next_at` it is due again then. Of a person who has blocked the bot none is due.
        """

    async def mark_unblocked(self, person: PersonId) -> None:
        """Note that a person who had blocked the bot can get messages again."""

    async def record_consent(self, consent: Consent) -> None:
        """Store a consent."""

    async def schedule_deletion(self, deletion: PendingDeletion) -> None:
        """Remember a message to delete, until `deletion_done`."""

    async def records(self, person: PersonId) -> PersonRecords:
        """Load everything stored about a person: their consents, and the attempts whose notices they get."""

    async def erase(self, person: PersonId, account: Account) -> DeletedCounts:
        """Delete everything about the person except the quota slot that their account may have.

        Their messages that are still to be deleted from the chat stay listed until that is done.
        """


class DialogueStore(Store, Protocol):
    """Stores what the dialogues must not lose."""

    def keyed_digest(self, purpose: Purpose, text: str) -> bytes:
        """Compute a digest that requires the secret key: 32 bytes."""

    def seal_token(self, text: str) -> bytes:
        """Seal a text so that it can be handed out, as an address: nobody else can read it or make another."""

    def open_token(self, sealed: bytes) -> str | None:
        """Open what `seal_token` made; None for anything else, and once its key was removed."""

    async def transact(self, lock_key: str, body: Callable[[DialogueUnit], Coroutine[Any, Any, T]]) -> T:
        """Run `body` as one transaction, as `Store.transact` does."""

    async def mark_shown(
        self,
        person: PersonId,
        revision: int,
        panel: str,
        deleted: Sequence[int] = (),
        *,
        soon: bool = True,
        worker: str | None = None,
    ) -> None:
        """Note that a revision's answer reached the chat, and where its panel is; an older revision changes nothing.

        It also forgets the pending deletions of these messages, and releases the lease on the person. With `soon=False`
        it may wait a moment to share another's commit. `worker` is a program that works on a later revision without the
        lease: the pending reply names it as `WORKER` and its id.
        """

    async def mark_blocked(self, person: PersonId, panel: str) -> None:
        """Note that a person blocked the bot: they have no pending reply until they return. Releases the lease too."""

    async def pending_replies(self, front_end: FrontEnd, limit: int) -> Sequence[PendingReply]:
        """List people of a front end whose last revision has not reached the chat, longest wait first."""

    async def due_reminders(self, front_end: FrontEnd, now: datetime, limit: int) -> Sequence[PersonId]:
        """List people of a front end whose reminder is due, longest due first; `take_reminder` takes it."""

    async def acquire_lease(
        self, person: PersonId, program: str, alive: AbstractSet[str], min_shown: int
    ) -> Lease | None:
        """Acquire the lease on a person for a program, unless another program of `alive` holds it.

        None when it is held, when the person has no dialogue, or when its `shown` is below `min_shown` and no worker is
        named: see `mark_shown`.
        """

    async def release_lease(self, person: PersonId, program: str) -> None:
        """Release the lease on a person, if this program holds it."""

    async def heartbeat(self, front_end: FrontEnd, *, name: str, program: str) -> Sequence[Heartbeat]:
        """Store a heartbeat and return those of all programs of this front end.

        A new program replaces the former one of its name.
        """

    async def unregister(self, *, name: str, program: str) -> None:
        """Delete a program's heartbeat, unless another program has replaced it."""

    async def pending_deletions(self, front_end: FrontEnd, limit: int) -> Sequence[PendingDeletion]:
        """List messages of a front end's people still to delete, oldest first."""

    async def deletion_done(self, deletion: PendingDeletion) -> None:
        """Forget a message that is deleted."""

    async def store_dead_letter(self, event_id: str, *, person: PersonId | None, raw: str, now: datetime) -> None:
        """Store, sealed, an update that could not be handled, and its person where that is known."""

    async def purge_before(self, before: datetime) -> DeletedCounts:
        """Delete dialogues unchanged, consents given and attempts ended since before this; quota slots stay."""

    async def purge_rate_limit_records(self, before: datetime) -> DeletedCounts:
        """Delete rate limit records from before this time."""

    async def purge_audit_log(self, before: datetime) -> DeletedCounts:
        """Delete audit entries from before this time."""

    async def purge_processed(self, before: datetime) -> DeletedCounts:
        """Delete event ids, settled notices and results, and dead letters from before this time."""

    def polling_lease(
        self, front_end: FrontEnd, on_busy: Callable[[], None], on_silence: Callable[[float], None] = ...
    ) -> AbstractAsyncContextManager[Callable[[], Awaitable[bool]]]:
        """Wait until no other program of this front end fetches updates, then hold the polling lease until left.

        A program that crashes loses the lease, and so does one that shows no sign of life for ten seconds. `on_busy` is
        called once when another program has it, `on_silence` again and again with the seconds since its last sign of
        life. The context value shows a sign of life, and tells whether this program still holds the lease: another may
        have it after a lost database connection, or after this program was stopped.
        """
