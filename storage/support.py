"""The store of support over any database: it keeps the promises of `verification.support.store`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from storage import mapping
from storage import support_statements as sql
from storage.database import Connection, Row
from storage.encryption.sealing import Sealing
from storage.errors import DecryptionFailed
from verification.attempts import AttemptStatus
from verification.errors import Unreadable
from verification.ids import Account, PersonId, contact_of
from verification.invitations import Link, LinkId, LinkState
from verification.ports import NoticeKind, Unit
from verification.support.funnel import FunnelCount, FunnelIncrement, FunnelQuery, FunnelStatistics
from verification.support.store import AttemptSummary, AuditEntry, Dispute, UnansweredQuestion

T = TypeVar("T")

_CHUNK = 2000


class SqlDialogueSupport:
    """The part of a unit that dialogues need for support."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        self._connection = connection
        self._sealing = sealing

    async def open_link(self, link: LinkId, person: PersonId, now: datetime) -> Link | None:
        opened = await self._connection.fetch(sql.OPEN_LINK, link, person, mapping.to_micros(now))
        if not opened:
            await self._connection.fetch(sql.EXPIRE_LINK, link, mapping.to_micros(now))
            return None
        return mapping.read_link((await self._connection.fetch(sql.LINK, link))[0])

    async def is_bound(self, person: PersonId, account: Account) -> bool:
        # The lock orders this against a revocation: that comes before this answer, or after this unit has ended.
        return bool(await self._connection.fetch_for_update(sql.IS_BOUND, person, account))

    async def add_to_funnel(self, increments: Sequence[FunnelIncrement]) -> None:
        # Sorted, so that transactions that count the same rows never deadlock.
        for values in sorted(map(mapping.increment_values, increments)):
            await self._connection.fetch(sql.ADD_FUNNEL_COUNT, *values)
        for time_values in sorted(
            mapping.duration_values(increment) for increment in increments if increment.bucket is not None
        ):
            await self._connection.fetch(sql.ADD_FUNNEL_DURATION, *time_values)

    async def count_question(self, topic: str, day: date) -> None:
        await self._connection.fetch(sql.COUNT_QUESTION, day.isoformat(), topic)

    async def add_unanswered(self, question: UnansweredQuestion) -> None:
        sealed = self._sealing.seal(question.text, mapping.unanswered_aad(question.id))
        await self._connection.fetch(sql.ADD_UNANSWERED, question.id, sealed, mapping.to_micros(question.at))

    async def add_dispute(self, dispute: Dispute) -> None:
        moment = mapping.to_micros(dispute.at)
        await self._connection.fetch(sql.ADD_DISPUTE, dispute.attempt, dispute.reason, dispute.method, moment)


async def write_audit_entry(entry: AuditEntry, connection: Connection) -> None:
    """Store an audit entry."""
    await connection.fetch(sql.ADD_AUDIT_ENTRY, entry.actor, entry.action, entry.subject, mapping.to_micros(entry.at))


class SqlSupportView:
    """What support may read."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        self._connection = connection
        self._sealing = sealing

    async def link(self, link: LinkId) -> Link | None:
        rows = await self._connection.fetch(sql.LINK, link)
        return mapping.read_link(rows[0]) if rows else None

    async def links(
        self,
        *,
        campaign: str | None = None,
        account: Account | None = None,
        limit: int,
        skip: int = 0,
        state_at: tuple[LinkState, datetime] | None = None,
    ) -> Sequence[Link]:
        moment = None if state_at is None else (state_at[0], mapping.to_micros(state_at[1]))
        statement, values = sql.select_links(campaign, account, moment)
        return [mapping.read_link(row) for row in await self._connection.fetch(statement, limit, skip, *values)]

    async def attempt(self, code: str) -> Sequence[AttemptSummary]:
        rows = await self._connection.fetch(sql.ATTEMPTS_BY_CODE, f"attempt-{code}", f"attempt-{code}g")
        return [mapping.read_attempt_summary(row, self._sealing) for row in rows]

    async def disputes(self, code: str) -> Sequence[Dispute]:
        rows = await self._connection.fetch(sql.DISPUTES_BY_CODE, f"attempt-{code}", f"attempt-{code}g")
        return [mapping.read_dispute(row) for row in rows]

    async def attempts(self, *, account: Account | None = None, limit: int, skip: int = 0) -> Sequence[AttemptSummary]:
        statement, account_values = (
            (sql.ATTEMPT_SUMMARIES, ()) if account is None else (sql.ATTEMPT_SUMMARIES_OF, (account,))
        )
        return [
            mapping.read_attempt_summary(row)
            for row in await self._connection.fetch(statement, limit, skip, *account_values)
        ]

    async def funnel_statistics(self, query: FunnelQuery) -> FunnelStatistics:
        counts = await self.counts(query)
        durations = await self._connection.fetch(sql.select_durations(query), *mapping.query_values(query))
        return FunnelStatistics(counts, await _read_in_chunks(durations, mapping.read_duration_count))

    async def counts(self, query: FunnelQuery) -> Sequence[FunnelCount]:
        """Load the counts without the durations."""
        rows = await self._connection.fetch(sql.select_counts(query), *mapping.query_values(query))
        return await _read_in_chunks(rows, mapping.read_count)

    async def campaigns(self) -> Sequence[str]:
        return [campaign for (campaign,) in await self._connection.fetch(sql.CAMPAIGNS)]

    async def questions(self, *, since: date, until: date) -> Mapping[str, int]:
        rows = await self._connection.fetch(sql.QUESTIONS, since.isoformat(), until.isoformat())
        return {topic: int(count) for topic, count in rows}

    async def unanswered_questions(self, limit: int) -> Sequence[UnansweredQuestion]:
        questions = []
        for row in await self._connection.fetch(sql.UNANSWERED, limit):
            try:
                questions.append(mapping.read_unanswered_question(row, self._sealing))
            except DecryptionFailed:
                # A damaged question must not hide the others.
                continue
        return questions

    async def audit_log(self, *, limit: int, skip: int = 0) -> Sequence[AuditEntry]:
        return [mapping.read_audit_entry(row) for row in await self._connection.fetch(sql.AUDIT_LOG, limit, skip)]


class SqlSupportUnit(SqlSupportView):
    """One use by support that may write, inside a unit's transaction."""

    def __init__(self, connection: Connection, sealing: Sealing, unit: Unit) -> None:
        super().__init__(connection, sealing)
        self._unit = unit

    async def add_link(self, link: Link) -> Link:
        await self._connection.fetch(sql.ADD_LINK, *mapping.link_values(link))
        return mapping.read_link((await self._connection.fetch(sql.LINK, link.id))[0])

    async def revoke(self, link: LinkId, now: datetime) -> Link | None:
        rows = await self._connection.fetch(sql.REVOKE, link, mapping.to_micros(now))
        if not rows:
            return None
        revoked_link = await self.link(link)
        if revoked_link is not None and revoked_link.person is not None:
            await self._end_attempt(revoked_link.person, revoked_link.account, now)
        return revoked_link

    async def _end_attempt(self, person: PersonId, account: Account, now: datetime) -> None:
        """Cancel the attempt that the link allowed, so that its code disappears; another link may still allow it."""
        try:
            attempt = await self._unit.live_attempt(account)
        except Unreadable:
            # The core ends it when it expires.
            return
        if attempt is None or attempt.contact != contact_of(person):
            return
        if not await self._connection.fetch(sql.IS_BOUND, person, account):
            cancelled = attempt.with_status(AttemptStatus.CANCELLED)
            await self._unit.save_attempt(cancelled)
            await self._unit.post_notice(NoticeKind.ENDED, cancelled, now)


async def _read_in_chunks(rows: Sequence[Row], read: Callable[[Row], T]) -> Sequence[T]:
    """Read rows in chunks, because there may be very many, so that other tasks run in between."""
    records: list[T] = []
    for first in range(0, len(rows), _CHUNK):
        records += map(read, rows[first : first + _CHUNK])
        await asyncio.sleep(0)
    return records
