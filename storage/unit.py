"""A unit of work over any database: it keeps the promises of `verification.dialogue_store.DialogueUnit`."""

from collections.abc import Sequence
from datetime import datetime

from storage import mapping
from storage import statements as sql
from storage.database import Connection
from storage.encryption.sealing import IndexKind, Sealing
from storage.support import SqlDialogueSupport, write_audit_entry
from verification.attempts import Attempt, AttemptId, Method
from verification.callers.store import CallerRequest, ListPosition
from verification.dialogue_store import (
    Consent,
    DeletedCounts,
    Dialogue,
    LinkBinding,
    PendingDeletion,
    PersonRecords,
    TurnRecords,
)
from verification.identity import Identity, NetworkIdentity
from verification.ids import Account, FrontEnd, PersonId, front_end_of
from verification.limits import RateLimitRecord
from verification.ports import MAX_ACCOUNTS, DueAttempt, Notice, NoticeKind, QuotaSlot
from verification.support.store import AttemptSummary, AuditEntry


class SqlUnit(SqlDialogueSupport):
    """One transaction; the ports state each method's promise."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        super().__init__(connection, sealing)
        self.erased = False

    async def attempt(self, attempt: AttemptId) -> Attempt | None:
        return await self._attempt(sql.ATTEMPT, attempt)

    async def attempt_by_token(self, token: str) -> Attempt | None:
        return await self._attempt(sql.ATTEMPT_BY_TOKEN, self._sealing.index(IndexKind.TOKEN, token))

    async def live_attempt(self, account: Account) -> Attempt | None:
        return await self._attempt(sql.LIVE_ATTEMPT, account)

    async def save_attempt(self, attempt: Attempt) -> None:
        await self._connection.fetch(sql.SAVE_ATTEMPT, *mapping.attempt_values(attempt, self._sealing))

    async def due_attempts(self, moment: datetime, limit: int) -> Sequence[DueAttempt]:
        return mapping.read_due_attempts(
            await self._connection.fetch(sql.DUE_ATTEMPTS, mapping.to_micros(moment), limit)
        )

    async def live_attempts(self, method: Method, limit: int) -> Sequence[AttemptId]:
        return [AttemptId(attempt) for (attempt,) in await self._connection.fetch(sql.LIVE_ATTEMPTS, method, limit)]

    async def abandon(self, attempt: AttemptId) -> None:
        await self._connection.fetch(sql.ABANDON, attempt)

    async def claim_due_polls(
        self, method: Method, *, now: datetime, before: datetime, limit: int
    ) -> Sequence[AttemptId]:
        claimed = await self._connection.fetch(
            sql.CLAIM_DUE_POLLS, method, mapping.to_micros(now), mapping.to_micros(before), limit
        )
        return [AttemptId(attempt) for (attempt,) in claimed]

    async def slot_of(self, account: Account) -> QuotaSlot | None:
        rows = await self._connection.fetch(sql.SLOT_OF, account)
        return mapping.read_quota_slot(rows[0]) if rows else None

    async def accounts_of(self, identity: Identity | NetworkIdentity) -> frozenset[Account]:
        rows = await self._connection.fetch(sql.ACCOUNTS_OF, self._identity_index(identity))
        return frozenset(Account(account) for (account,) in rows)

    async def take_slot(
        self, attempt: Attempt, identity: Identity | NetworkIdentity, now: datetime, *, simulated: bool = False
    ) -> bool:
        if attempt.account in await self.accounts_of(identity):
            return True
        index = self._identity_index(identity)
        # Slots are tried in turn: of two concurrent transactions the one that loses a slot tries the next.
        for slot in range(1, MAX_ACCOUNTS + 1):
            values = (attempt.account, attempt.id, attempt.method, mapping.to_micros(now), int(simulated))
            rows = await self._connection.fetch(sql.TAKE_SLOT, index, slot, *values)
            if rows:
                return True
        return False

    async def rate_limit_records(
        self, attempt: Attempt, identity: Identity | None, since: datetime, number_limit: int
    ) -> Sequence[RateLimitRecord]:
        own = self._rate_limit_indexes(attempt, identity)
        # In one order, so that two transactions with some of the same keys never deadlock.
        for key in sorted({index.hex() for index in own}):
            await self._connection.lock(f"limits:{key}")
        rows = await self._connection.fetch(sql.RATE_LIMIT_RECORDS, *own, mapping.to_micros(since), number_limit)
        return [mapping.read_rate_limit_record(row, own) for row in rows]

    async def add_rate_limit_record(
        self, attempt: Attempt, identity: Identity | None, *, provider_called: bool
    ) -> None:
        account, contact, number = self._rate_limit_indexes(attempt, identity)
        await self._connection.fetch(sql.DELETE_RATE_LIMIT_RECORD, attempt.id, contact, number)
        tried_at = mapping.to_micros(attempt.created_at)
        await self._connection.fetch(
            sql.ADD_RATE_LIMIT_RECORD, attempt.id, account, contact, number, int(provider_called), tried_at
        )

    async def budget_spent(self, since: datetime, budget: int) -> datetime | None:
        rows = await self._connection.fetch(sql.BUDGET_SPENT, mapping.to_micros(since), budget - 1)
        return mapping.from_micros(rows[0][0]) if rows else None

    async def post_notice(
        self,
        kind: NoticeKind,
        attempt: Attempt,
        now: datetime,
        *,
        leased_until: datetime | None = None,
        simulated: bool = False,
    ) -> Notice | None:
        rows = await self._connection.fetch(
            sql.POST_NOTICE,
            attempt.contact,
            kind,
            attempt.id,
            attempt.account,
            attempt.method,
            attempt.status,
            attempt.reason,
            mapping.to_micros(attempt.expires_at),
            mapping.to_micros(now),
            int(simulated),
            front_end_of(attempt.contact),
            0 if leased_until is None else mapping.to_micros(leased_until),
        )
        is_leased = leased_until is not None and rows[0][-1] == mapping.to_micros(leased_until)
        return mapping.read_notice(rows[0][:-1]) if is_leased else None

    async def settle_notice(self, notice: Notice) -> bool:
        return bool(await self._connection.fetch(sql.SETTLE_NOTICE, notice.id))

    async def post_result(self, attempt: Attempt, now: datetime, *, simulated: bool) -> None:
        await self._connection.fetch(sql.POST_RESULT, *mapping.result_values(attempt, now, simulated=simulated))

    async def add_audit_entry(self, entry: AuditEntry) -> None:
        await write_audit_entry(entry, self._connection)

    async def add_caller_request(self, request: CallerRequest) -> CallerRequest:
        await self._connection.fetch(sql.ADD_CALLER_REQUEST, *mapping.caller_request_values(request))
        rows = await self._connection.fetch(sql.CALLER_REQUEST, request.request_index)
        return mapping.read_caller_request(rows[0])

    async def caller_request(self, attempt: AttemptId) -> CallerRequest | None:
        rows = await self._connection.fetch(sql.CALLER_REQUEST_OF, attempt)
        return mapping.read_caller_request(rows[0]) if rows else None

    async def forget_caller_request(self, attempt: AttemptId) -> None:
        await self._connection.fetch(sql.FORGET_CALLER_REQUEST, attempt)

    async def caller_attempts(
        self, front_end: FrontEnd, *, account: Account | None, after: ListPosition | None, limit: int
    ) -> Sequence[AttemptSummary]:
        position = (mapping.LATEST, "") if after is None else (mapping.to_micros(after.at), after.attempt)
        statement, values = (sql.CALLER_ATTEMPTS, ()) if account is None else (sql.CALLER_ATTEMPTS_OF, (account,))
        rows = await self._connection.fetch(statement, front_end, *position, limit, *values)
        return [mapping.read_attempt_summary(row) for row in rows]

    async def mark_seen(self, event_id: str, now: datetime) -> bool:
        return bool(await self._connection.fetch(sql.MARK_SEEN, event_id, mapping.to_micros(now)))

    async def begin_turn(self, person: PersonId, event_id: str | None, account: Account) -> TurnRecords:
        [row] = await self._connection.fetch(sql.BEGIN_TURN, person, event_id or "", account)
        seen, *slot, holder = row[0], *row[1:5], row[5]
        return TurnRecords(
            is_seen=seen is not None,
            dialogue=None if holder is None else mapping.read_dialogue(row[5:], self._sealing),
            slot=None if slot[0] is None else mapping.read_quota_slot(slot),
        )

    async def dialogue(self, person: PersonId) -> Dialogue | None:
        rows = await self._connection.fetch(sql.DIALOGUE, person)
        return mapping.read_dialogue(rows[0], self._sealing) if rows else None

    async def save_dialogue(
        self, person: PersonId, text: str, *, language: str | None, now: datetime, remind_at: datetime | None = None
    ) -> int:
        # A dialogue that goes on has a reminder, and is replaced by the next answer.
        sealed = self._sealing.seal(text, mapping.dialogue_aad(person, "text"), stays=remind_at is None)
        reminder = None if remind_at is None else mapping.to_micros(remind_at)
        [(revision,)] = await self._connection.fetch(
            sql.SAVE_DIALOGUE, person, sealed, language, mapping.to_micros(now), front_end_of(person), reminder
        )
        return int(revision)

    async def take_reminder(self, person: PersonId, now: datetime, next_at: datetime | None = None) -> bool:
        again = None if next_at is None else mapping.to_micros(next_at)
        return bool(await self._connection.fetch(sql.TAKE_REMINDER, person, mapping.to_micros(now), again))

    async def mark_unblocked(self, person: PersonId) -> None:
        await self._connection.fetch(sql.MARK_UNBLOCKED, person)

    async def record_consent(self, consent: Consent) -> None:
        await self._connection.fetch(
            sql.RECORD_CONSENT,
            consent.person,
            consent.account,
            consent.kind,
            consent.version,
            consent.language,
            mapping.to_micros(consent.at),
        )

    async def schedule_deletion(self, deletion: PendingDeletion) -> None:
        person, written_at = deletion.person, mapping.to_micros(deletion.at)
        await self._connection.fetch(
            sql.SCHEDULE_DELETION, person, deletion.message_id, written_at, front_end_of(person)
        )

    async def records(self, person: PersonId) -> PersonRecords:
        consents = await self._connection.fetch(sql.CONSENTS, person)
        attempts = await self._connection.fetch(sql.PAST_ATTEMPTS, person)
        bindings = await self._connection.fetch(sql.LINK_BINDINGS, person)
        return PersonRecords(
            [mapping.read_consent(row) for row in consents],
            [mapping.read_past_attempt(row) for row in attempts],
            tuple(LinkBinding(Account(account), mapping.from_micros(opened_at)) for account, opened_at in bindings),
        )

    async def free_slot(self, account: Account) -> None:
        """Free the quota slot, if any, of an account that was closed or verified anew elsewhere."""
        await self._connection.fetch(sql.FREE_SLOT, account)

    async def erase(self, person: PersonId, account: Account) -> DeletedCounts:
        self.erased = True
        by_account = {
            table: await self._delete(table, condition, person, account)
            for table, condition in sql.ERASE_OF_ACCOUNT.items()
        }
        return by_account | {
            table: await self._delete(table, condition, person) for table, condition in sql.ERASE_OF_PERSON.items()
        }

    async def _delete(self, table: str, condition: str, *values: str) -> int:
        return len(await self._connection.fetch(sql.delete(table, condition), *values))

    async def _attempt(self, statement: str, key: str | bytes) -> Attempt | None:
        # Locked, because a unit with another key may change the same attempt: the phone's verdict and a cancellation.
        rows = await self._connection.fetch_for_update(statement, key)
        return mapping.read_attempt(rows[0], self._sealing) if rows else None

    def _rate_limit_indexes(self, attempt: Attempt, identity: Identity | None) -> tuple[bytes, bytes, bytes]:
        account = self._sealing.index(IndexKind.ACCOUNT, attempt.account)
        contact = self._sealing.index(IndexKind.CONTACT, attempt.contact)
        number = contact if identity is None else self._identity_index(identity)
        # Half of each tells apart what a day brings, and each stands in the table and in an index.
        return account[:16], contact[:16], number[:16]

    def _identity_index(self, identity: Identity | NetworkIdentity) -> bytes:
        if isinstance(identity, NetworkIdentity):
            return self._sealing.index(IndexKind.NETWORK_IDENTITY, identity.identifier)
        # Only the number counts for the quota, because a name can be written in several ways.
        return self._sealing.index(IndexKind.NUMBER, identity.number.plain)
