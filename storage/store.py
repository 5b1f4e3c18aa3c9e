"""The store over any database: it keeps the promises of `verification.dialogue_store.DialogueStore`."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from storage import mapping
from storage import statements as sql
from storage import support_statements as support_sql
from storage.bot_ownership import BotOwnership
from storage.database import (
    Connection,
    Database,
    DatabaseCounts,
    OnBusy,
    OnSilence,
    Row,
    StillHeld,
    fetch_alone,
    ignore_silence,
)
from storage.encryption.key_rotation import KeyRotation
from storage.encryption.sealing import AssociatedData, IndexKind, Sealing
from storage.errors import DecryptionFailed, WrongKeys
from storage.support import SqlSupportUnit, SqlSupportView, write_audit_entry
from storage.unit import SqlUnit
from verification.dialogue_store import WORKER, DeletedCounts, Heartbeat, Lease, PendingDeletion, PendingReply
from verification.ids import Account, FrontEnd, PersonId
from verification.invitations import Purpose
from verification.ports import Notice
from verification.result_outbox import MAX_BLOCKING_TRIES, MAX_CLOCK_SKEW, DeliveryStatus, OutgoingResult, ResultBacklog
from verification.support.funnel import Dimension, FunnelCount, FunnelQuery
from verification.support.store import AuditEntry

T = TypeVar("T")

_ALL_TIME = FunnelQuery(since=date.min, until=date.max, by=Dimension.CAMPAIGN)
_TOKEN = AssociatedData("token")
_SEALED_CHECK = AssociatedData("key_checks:sealed:value")


class SqlResultOutbox:
    """The port `verification.result_outbox.ResultOutbox` states each method's promise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, now: datetime, *, until: datetime, limit: int) -> Sequence[OutgoingResult]:
        latest_tried = mapping.to_micros(now + MAX_CLOCK_SKEW)
        # One claim at a time: two programs then get different results instead of waiting for the same rows.
        values = (mapping.to_micros(now), mapping.to_micros(until), latest_tried, MAX_BLOCKING_TRIES, limit)
        leased = await fetch_alone(self._database, sql.CLAIM_RESULTS, *values, lock_key="claim results")
        return sorted(map(mapping.read_result, leased), key=lambda result: result.id)

    async def backlog(self) -> ResultBacklog:
        """Count what is not delivered, of all programs."""
        [(undelivered, since, abandoned)] = await fetch_alone(self._database, sql.RESULT_BACKLOG)
        return ResultBacklog(
            undelivered=int(undelivered),
            since=None if since is None else mapping.from_micros(since),
            abandoned=int(abandoned),
        )

    async def postpone(self, result: OutgoingResult, until: datetime) -> None:
        await fetch_alone(self._database, sql.POSTPONE_RESULT, result.id, result.tries + 1, mapping.to_micros(until))

    async def settle(self, result: OutgoingResult, status: DeliveryStatus, now: datetime) -> None:
        await fetch_alone(self._database, sql.SETTLE_RESULT, result.id, status, mapping.to_micros(now))


class SqlStore:
    """The ports state each method's promise."""

    _unit_type: type[SqlUnit] = SqlUnit

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database = database
        self._sealing = sealing

    @property
    def counts(self) -> DatabaseCounts:
        """What this process has asked of its database."""
        return self._database.counts

    async def transact(self, lock_key: str, body: Callable[[SqlUnit], Coroutine[Any, Any, T]]) -> T:
        async def run(connection: Connection) -> tuple[T, bool]:
            self._sealing.renew_keys()
            unit = self._unit_type(connection, self._sealing)
            return await body(unit), unit.erased

        result, erased = await self._database.run(run, lock_key)
        if erased:
            await self._database.purge_deleted()
        return result

    @asynccontextmanager
    async def support_unit(self, entry: AuditEntry) -> AsyncIterator[SqlSupportUnit]:
        async with self._database.transaction("desk") as connection:
            await write_audit_entry(entry, connection)
            self._sealing.renew_keys()
            yield SqlSupportUnit(connection, self._sealing, SqlUnit(connection, self._sealing))

    @asynccontextmanager
    async def support_view(self, entry: AuditEntry) -> AsyncIterator[SqlSupportView]:
        async with self._database.transaction("desk") as connection:
            await write_audit_entry(entry, connection)
        async with self._database.read_transaction() as connection:
            yield SqlSupportView(connection, self._sealing)

    async def funnel_totals(self) -> Sequence[FunnelCount]:
        async with self._database.read_transaction() as connection:
            return await SqlSupportView(connection, self._sealing).counts(_ALL_TIME)

    def keyed_digest(self, purpose: Purpose, text: str) -> bytes:
        return self._sealing.index(purpose, text)

    def seal_token(self, text: str) -> bytes:
        self._sealing.renew_keys()
        return self._sealing.seal(text, _TOKEN)

    def open_token(self, sealed: bytes) -> str | None:
        try:
            return self._sealing.open(sealed, _TOKEN)
        except DecryptionFailed:
            return None

    async def claim_notices(
        self, front_end: FrontEnd, now: datetime, *, until: datetime, limit: int
    ) -> Sequence[Notice]:
        # One claim at a time: two programs then get different notices instead of waiting for the same rows.
        leased = await fetch_alone(
            self._database,
            sql.CLAIM_NOTICES,
            mapping.to_micros(now),
            mapping.to_micros(until),
            limit,
            front_end,
            lock_key=f"claim:{front_end}",
        )
        return sorted(map(mapping.read_notice, leased), key=lambda notice: notice.id)

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
        holder = None if worker is None else WORKER + worker

        async def mark(connection: Connection) -> None:
            for message_id in deleted:
                await connection.fetch(sql.DELETION_DONE, person, message_id)
            await connection.fetch(sql.MARK_SHOWN, person, revision, self._sealed_panel(person, panel), holder)

        await self._database.run(mark, soon=soon)

    async def due_reminders(self, front_end: FrontEnd, now: datetime, limit: int) -> Sequence[PersonId]:
        rows = await fetch_alone(self._database, sql.DUE_REMINDERS, front_end, mapping.to_micros(now), limit)
        return [PersonId(person) for (person,) in rows]

    async def mark_blocked(self, person: PersonId, panel: str) -> None:
        async def mark(connection: Connection) -> None:
            await connection.fetch(sql.MARK_BLOCKED, person, self._sealed_panel(person, panel))

        await self._database.run(mark)

    def _sealed_panel(self, person: PersonId, panel: str) -> bytes:
        self._sealing.renew_keys()
        return self._sealing.seal(panel, mapping.dialogue_aad(person, "panel"), stays=False)

    async def pending_replies(self, front_end: FrontEnd, limit: int) -> Sequence[PendingReply]:
        return [
            PendingReply(PersonId(person), revision, holder)
            for person, revision, holder in await fetch_alone(self._database, sql.PENDING_REPLIES, front_end, limit)
        ]

    async def acquire_lease(
        self, person: PersonId, program: str, alive: AbstractSet[str], min_shown: int
    ) -> Lease | None:
        async def acquire(connection: Connection) -> Row | None:
            rows = await connection.fetch_for_update(sql.LEASE, person)
            if not rows:
                return None
            holder, shown, _ = rows[0]
            # A worker has shown all that it will show before its work is done.
            is_behind = shown < min_shown and not (holder or "").startswith(WORKER)
            if (holder != program and holder in alive) or is_behind:
                return None
            await connection.fetch(sql.ACQUIRE_LEASE, person, program)
            return rows[0]

        row = await self._database.run(acquire, person)
        if row is None:
            return None
        holder, shown, panel = row
        return Lease(shown, mapping.read_panel(person, panel, self._sealing), already_held=holder == program)

    async def release_lease(self, person: PersonId, program: str) -> None:
        await fetch_alone(self._database, sql.RELEASE_LEASE, person, program)

    async def heartbeat(self, front_end: FrontEnd, *, name: str, program: str) -> Sequence[Heartbeat]:
        async def beat(connection: Connection) -> Sequence[Row]:
            await connection.fetch(sql.HEARTBEAT, name, program, front_end)
            return await connection.fetch(sql.HEARTBEATS, front_end)

        beats = await self._database.run(beat)
        return [
            Heartbeat(name=beat_name, program=beat_program, count=count) for beat_name, beat_program, count in beats
        ]

    async def unregister(self, *, name: str, program: str) -> None:
        await fetch_alone(self._database, sql.UNREGISTER, name, program)

    async def check_writable(self, name: str) -> None:
        """Write a row of this name and take it away again, in one transaction; raises `StoreUnavailable`."""

        async def write(connection: Connection) -> None:
            await connection.fetch(sql.HEARTBEAT, name, name, "")
            await connection.fetch(sql.UNREGISTER, name, name)

        await self._database.run(write)

    async def backlog(self) -> Mapping[str, tuple[int, datetime | None]]:
        """How many replies and notices wait, and since when (UTC) the oldest."""
        rows = await fetch_alone(self._database, sql.BACKLOG)
        return {
            str(queue): (int(count), None if since is None else mapping.from_micros(since))
            for queue, count, since in rows
        }

    async def pending_deletions(self, front_end: FrontEnd, limit: int) -> Sequence[PendingDeletion]:
        return mapping.read_pending_deletions(
            await fetch_alone(self._database, sql.PENDING_DELETIONS, front_end, limit)
        )

    async def deletion_done(self, deletion: PendingDeletion) -> None:
        await fetch_alone(self._database, sql.DELETION_DONE, deletion.person, deletion.message_id)

    async def store_dead_letter(self, event_id: str, *, person: PersonId | None, raw: str, now: datetime) -> None:
        async def store(connection: Connection) -> None:
            self._sealing.renew_keys()
            sealed = self._sealing.seal(raw, mapping.dead_letter_aad(event_id))
            await connection.fetch(sql.STORE_DEAD_LETTER, event_id, person, sealed, mapping.to_micros(now))

        await self._database.run(store)

    async def purge_rate_limit_records(self, before: datetime) -> DeletedCounts:
        return await self._purge(sql.PURGE_RATE_LIMIT_RECORDS, before)

    async def purge_audit_log(self, before: datetime) -> DeletedCounts:
        return await self._purge(sql.PURGE_AUDIT_LOG, before)

    async def purge_processed(self, before: datetime) -> DeletedCounts:
        return await self._purge(sql.PURGE_PROCESSED, before)

    async def purge_before(self, before: datetime) -> DeletedCounts:
        return await self._purge(sql.PURGE_BEFORE, before)

    async def people_of(self, account: Account) -> Sequence[PersonId]:
        """List the people in whose chats this account appeared."""
        return [PersonId(person) for (person,) in await fetch_alone(self._database, sql.PEOPLE_OF, account)]

    def result_outbox(self) -> SqlResultOutbox:
        """The outbox of the results for another server."""
        return SqlResultOutbox(self._database)

    async def sign_out(self, session: str, now: datetime) -> None:
        """Note that a session of the desk is over, and forget those that were over a day ago."""

        async def note(connection: Connection) -> None:
            await connection.fetch(support_sql.FORGET_SIGN_OUTS, mapping.to_micros(now - timedelta(days=1)))
            await connection.fetch(support_sql.SIGN_OUT, session, mapping.to_micros(now))

        await self._database.run(note)

    async def is_signed_out(self, session: str) -> bool:
        """Whether a session of the desk was signed out."""
        return bool(await fetch_alone(self._database, support_sql.IS_SIGNED_OUT, session))

    def bot_ownership(self, front_end: FrontEnd) -> BotOwnership:
        """Which bot of a front end the database belongs to."""
        return BotOwnership(self._database, front_end)

    def key_rotation(self) -> KeyRotation:
        """A rotation that reseals everything with the first key."""
        return KeyRotation(self._database, self._sealing)

    def polling_lease(
        self, front_end: FrontEnd, on_busy: OnBusy, on_silence: OnSilence = ignore_silence
    ) -> AbstractAsyncContextManager[StillHeld]:
        return self._database.polling_lease(front_end, on_busy, on_silence)

    async def _purge(self, conditions: Mapping[str, str], before: datetime) -> DeletedCounts:
        deleted = dict.fromkeys(conditions, 0)
        for table, condition in conditions.items():
            statement, count = sql.delete_some(table, condition), sql.PURGE_BATCH
            while count == sql.PURGE_BATCH:
                count = len(await fetch_alone(self._database, statement, mapping.to_micros(before), lock_key="forget"))
                deleted[table] += count
        await self._database.purge_deleted()
        return deleted

    async def check_keys(self) -> None:
        """Compare the keys with those of the database, or store them in a new one; raises `WrongKeys`.

        With another index key the quota would count every number from zero again.
        """
        await self._database.run(self._check_keys, "keys")

    async def _check_keys(self, connection: Connection) -> None:
        index = self._sealing.index(IndexKind.KEY, "")
        index_check = await connection.fetch(sql.KEY_CHECK, "index")
        if index_check and bytes(index_check[0][0]) != index:
            raise WrongKeys("INDEX_KEY is not the one this database was made with")
        sealed_check = await connection.fetch(sql.KEY_CHECK, "sealed")
        if sealed_check:
            self._open_check(bytes(sealed_check[0][0]))
        await self._refuse_orphans(connection)
        if not (sealed_check and self._sealing.is_current(bytes(sealed_check[0][0]))):
            await connection.fetch(sql.STORE_KEY_CHECK, "sealed", self._sealing.seal("", _SEALED_CHECK))
        if not index_check:
            await connection.fetch(sql.STORE_KEY_CHECK, "index", index)

    async def _refuse_orphans(self, connection: Connection) -> None:
        """Refuse keys without one that is still in use: values sealed with it could not be opened any more."""
        prefixes = self._sealing.prefixes()
        conditions = [f"substr({{column}}, 1, {len(prefix)}) = ${number}" for number, prefix in enumerate(prefixes, 1)]
        sealed_with_known_key = " OR ".join(conditions)
        for table, _, column in sql.SEALED:
            sealed_with_other_key = f"NOT ({sealed_with_known_key.format(column=column)})"
            statement = f"SELECT 1 FROM {table} WHERE {sealed_with_other_key} LIMIT 1"  # noqa: S608 - only our own names
            if await connection.fetch(statement, *prefixes):
                raise WrongKeys("ENCRYPTION_KEYS lacks a key that something in this database is sealed with")

    def _open_check(self, sealed: bytes) -> None:
        try:
            self._sealing.open(sealed, _SEALED_CHECK)
        except DecryptionFailed:
            raise WrongKeys("ENCRYPTION_KEYS does not hold the key this database was last sealed with") from None
