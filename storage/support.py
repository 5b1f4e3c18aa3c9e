"""What support needs, over any database: it keeps the promises of `verification.support.store`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from storage import mapping
from storage import support_statements as sql
from storage.database import Connection, Row
from storage.errors import DecryptionFailed
from storage.sealing import Sealing
from verification.attempts import AttemptStatus
from verification.errors import Unreadable
from verification.ids import Account, PersonId, contact_of
from verification.invitations import Link, LinkId, LinkState
from verification.ports import NoticeKind, Unit
from verification.support.funnel import FunnelCount, FunnelIncrement, FunnelQuery, FunnelStatistics
from verification.support.store import AttemptSummary, AuditEntry, UnansweredQuestion

T = TypeVar("T")

_CHUNK = 2000


class SqlDialogueSupport:
    """What a dialogue's transaction does for the desk; part of the unit of work."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        self._connection = connection
        self._sealing = sealing

    async def open_link(self, link: LinkId, person: PersonId, now: datetime) -> Link | None:
        opened = await self._connection.fetch(sql.OPEN_LINK, link, person, mapping.to_micros(now))
        return mapping.read_link((await self._connection.fetch(sql.LINK, link))[0]) if opened else None

    async def is_bound(self, person: PersonId, account: Account) -> bool:
        # Locked, so that a link is taken back before this is answered, or after what follows from the answer is done.
        return bool(await self._connection.fetch_for_update(sql.IS_BOUND, person, account))

    async def add_to_funnel(self, increments: Sequence[FunnelIncrement]) -> None:
        # In one order everywhere: transactions that count the same things never wait for each other in a ring.
        for values in sorted(map(mapping.increment_values, increments)):
            await self._connection.fetch(sql.ADD_FUNNEL_COUNT, *values)
        for timed in sorted(mapping.time_values(tally) for tally in increments if tally.bucket is not None):
            await self._connection.fetch(sql.ADD_FUNNEL_TIME, *timed)

    async def count_question(self, topic: str, day: date) -> None:
        await self._connection.fetch(sql.COUNT_QUESTION, day.isoformat(), topic)

    async def keep_unanswered(self, question: UnansweredQuestion) -> None:
        sealed = self._sealing.seal(question.text, mapping.unanswered_aad(question.id))
        await self._connection.fetch(sql.KEEP_UNANSWERED, question.id, sealed, mapping.to_micros(question.at))


async def write_audit_entry(entry: AuditEntry, connection: Connection) -> None:
    """Write down who uses the desk for what."""
    await connection.fetch(sql.ADD_AUDIT_ENTRY, entry.actor, entry.action, entry.subject, mapping.to_micros(entry.at))


class SqlSupportView:
    """What may be looked at."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        self._connection = connection
        self._sealing = sealing

    async def link(self, link: LinkId) -> Link | None:
        found = await self._connection.fetch(sql.LINK, link)
        return mapping.read_link(found[0]) if found else None

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
        found = await self._connection.fetch(sql.ATTEMPTS_BY_CODE, f"attempt-{code}", f"attempt-{code}g")
        return [mapping.read_attempt_summary(row, self._sealing) for row in found]

    async def attempts(self, *, account: Account | None = None, limit: int, skip: int = 0) -> Sequence[AttemptSummary]:
        statement, of = (sql.ATTEMPT_SUMMARIES, ()) if account is None else (sql.ATTEMPT_SUMMARIES_OF, (account,))
        return [mapping.read_attempt_summary(row) for row in await self._connection.fetch(statement, limit, skip, *of)]

    async def funnel_statistics(self, query: FunnelQuery) -> FunnelStatistics:
        counts = await self.counts(query)
        times = await self._connection.fetch(sql.select_times(query), *mapping.query_values(query))
        return FunnelStatistics(counts, await _read_in_chunks(times, mapping.read_duration_count))

    async def counts(self, query: FunnelQuery) -> Sequence[FunnelCount]:
        """Give the counts alone."""
        found = await self._connection.fetch(sql.select_counts(query), *mapping.query_values(query))
        return await _read_in_chunks(found, mapping.read_count)

    async def campaigns(self) -> Sequence[str]:
        return [campaign for (campaign,) in await self._connection.fetch(sql.CAMPAIGNS)]

    async def questions(self, *, since: date, until: date) -> Mapping[str, int]:
        found = await self._connection.fetch(sql.QUESTIONS, since.isoformat(), until.isoformat())
        return {topic: int(count) for topic, count in found}

    async def unanswered_questions(self, limit: int) -> Sequence[UnansweredQuestion]:
        found = []
        for row in await self._connection.fetch(sql.UNANSWERED, limit):
            try:
                found.append(mapping.read_unanswered_question(row, self._sealing))
            except DecryptionFailed:
                # One that is damaged must not hide the others.
                continue
        return found

    async def audit_log(self, *, limit: int, skip: int = 0) -> Sequence[AuditEntry]:
        return [mapping.read_audit_entry(row) for row in await self._connection.fetch(sql.AUDIT_LOG, limit, skip)]


class SqlSupportUnit(SqlSupportView):
    """One use of the desk that may change something, in the transaction of a unit of work."""

    def __init__(self, connection: Connection, sealing: Sealing, unit: Unit) -> None:
        super().__init__(connection, sealing)
        self._unit = unit

    async def add_link(self, link: Link) -> Link:
        await self._connection.fetch(sql.ADD_LINK, *mapping.link_values(link))
        return mapping.read_link((await self._connection.fetch(sql.LINK, link.id))[0])

    async def revoke(self, link: LinkId, now: datetime) -> Link | None:
        revoked = await self._connection.fetch(sql.REVOKE, link, mapping.to_micros(now))
        if not revoked:
            return None
        ended = await self.link(link)
        if ended is not None and ended.person is not None:
            await self._end_attempt(ended.person, ended.account, now)
        return ended

    async def _end_attempt(self, person: PersonId, account: Account, now: datetime) -> None:
        """A code that nobody may use any more must not stay on a screen; another link may still allow it."""
        try:
            attempt = await self._unit.live_attempt(account)
        except Unreadable:
            # It is given up when its time is over.
            return
        if attempt is None or attempt.contact != contact_of(person):
            return
        if not await self._connection.fetch(sql.IS_BOUND, person, account):
            over = attempt.with_status(AttemptStatus.CANCELLED)
            await self._unit.save_attempt(over)
            await self._unit.post_notice(NoticeKind.ENDED, over, now)


async def _read_in_chunks(found: Sequence[Row], read: Callable[[Row], T]) -> Sequence[T]:
    """Read rows, of which there may be very many, without holding up whatever else the program does."""
    records: list[T] = []
    for first in range(0, len(found), _CHUNK):
        records += map(read, found[first : first + _CHUNK])
        await asyncio.sleep(0)
    return records
