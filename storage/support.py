"""What support needs, over any database: it keeps the promises of `verification.support.store`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from storage import mapping
from storage import support_statements as sql
from storage.database import Connection, Row
from storage.errors import Unsealable
from storage.sealing import Sealing
from verification.attempts import Status
from verification.errors import Unreadable
from verification.invitations import Link, LinkId, LinkState
from verification.ports import News, Unit
from verification.support.funnel import Counted, Figures, Tally, Wanted
from verification.support.store import Glimpse, Missed, Use

T = TypeVar("T")

_AT_ONCE = 2000


class Front:
    """What a dialogue's transaction does for the desk; part of the unit of work."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        self._connection = connection
        self._sealing = sealing

    async def open_link(self, link: LinkId, person: str, now: datetime) -> Link | None:
        opened = await self._connection.fetch(sql.OPEN_LINK, link, person, mapping.ticks(now))
        return mapping.link((await self._connection.fetch(sql.LINK, link))[0]) if opened else None

    async def is_bound(self, person: str, account: str) -> bool:
        # Locked, so that a link is taken back before this is answered, or after what follows from the answer is done.
        return bool(await self._connection.fetch_locked(sql.IS_BOUND, person, account))

    async def tally(self, tallies: Sequence[Tally]) -> None:
        # In one order everywhere: transactions that count the same things never wait for each other in a ring.
        for values in sorted(map(mapping.tally_values, tallies)):
            await self._connection.fetch(sql.TALLY, *values)
        for timed in sorted(mapping.time_values(tally) for tally in tallies if tally.took is not None):
            await self._connection.fetch(sql.TALLY_TIME, *timed)

    async def count_question(self, topic: str, day: date) -> None:
        await self._connection.fetch(sql.COUNT_QUESTION, day.isoformat(), topic)

    async def keep_missed(self, missed: Missed) -> None:
        sealed = self._sealing.seal(missed.text, mapping.missed_place(missed.id))
        await self._connection.fetch(sql.KEEP_MISSED, missed.id, sealed, mapping.ticks(missed.at))


async def note(use: Use, connection: Connection) -> None:
    """Write down who uses the desk for what."""
    await connection.fetch(sql.USE, use.actor, use.action, use.subject, mapping.ticks(use.at))


class DeskView:
    """What may be looked at."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        self._connection = connection
        self._sealing = sealing

    async def link(self, link: LinkId) -> Link | None:
        found = await self._connection.fetch(sql.LINK, link)
        return mapping.link(found[0]) if found else None

    async def links(
        self,
        *,
        campaign: str | None = None,
        account: str | None = None,
        limit: int,
        skip: int = 0,
        standing: tuple[LinkState, datetime] | None = None,
    ) -> Sequence[Link]:
        moment = None if standing is None else (standing[0], mapping.ticks(standing[1]))
        statement, values = sql.links(campaign, account, moment)
        return [mapping.link(row) for row in await self._connection.fetch(statement, limit, skip, *values)]

    async def attempt(self, code: str) -> Sequence[Glimpse]:
        found = await self._connection.fetch(sql.GLIMPSE, f"attempt-{code}", f"attempt-{code}g")
        return [mapping.glimpse(row, self._sealing) for row in found]

    async def attempts(self, *, account: str | None = None, limit: int, skip: int = 0) -> Sequence[Glimpse]:
        statement, of = (sql.GLIMPSES, ()) if account is None else (sql.GLIMPSES_OF, (account,))
        return [mapping.glimpse(row) for row in await self._connection.fetch(statement, limit, skip, *of)]

    async def figures(self, wanted: Wanted) -> Figures:
        counts = await self.counts(wanted)
        times = await self._connection.fetch(sql.times(wanted), *mapping.cohorts(wanted))
        return Figures(counts, await _read(times, mapping.took))

    async def counts(self, wanted: Wanted) -> Sequence[Counted]:
        """Give the counts alone."""
        found = await self._connection.fetch(sql.counts(wanted), *mapping.cohorts(wanted))
        return await _read(found, mapping.counted)

    async def campaigns(self) -> Sequence[str]:
        return [campaign for (campaign,) in await self._connection.fetch(sql.CAMPAIGNS)]

    async def questions(self, since: date, until: date) -> Mapping[str, int]:
        found = await self._connection.fetch(sql.QUESTIONS, since.isoformat(), until.isoformat())
        return {topic: int(count) for topic, count in found}

    async def missed(self, limit: int) -> Sequence[Missed]:
        found = []
        for row in await self._connection.fetch(sql.MISSED, limit):
            try:
                found.append(mapping.missed(row, self._sealing))
            except Unsealable:
                # One that is damaged must not hide the others.
                continue
        return found

    async def uses(self, limit: int, skip: int = 0) -> Sequence[Use]:
        return [mapping.use(row) for row in await self._connection.fetch(sql.USES, limit, skip)]


class DeskUnit(DeskView):
    """One use of the desk that may change something, in the transaction of a unit of work."""

    def __init__(self, connection: Connection, sealing: Sealing, unit: Unit) -> None:
        super().__init__(connection, sealing)
        self._unit = unit

    async def add_link(self, link: Link) -> Link:
        await self._connection.fetch(sql.ADD_LINK, *mapping.link_values(link))
        return mapping.link((await self._connection.fetch(sql.LINK, link.id))[0])

    async def revoke(self, link: LinkId, now: datetime) -> Link | None:
        revoked = await self._connection.fetch(sql.REVOKE, link, mapping.ticks(now))
        if not revoked:
            return None
        ended = await self.link(link)
        if ended is not None and ended.person is not None:
            await self._end_attempt(ended.person, ended.account, now)
        return ended

    async def _end_attempt(self, person: str, account: str, now: datetime) -> None:
        """A code that nobody may use any more must not stay on a screen; another link may still allow it."""
        try:
            attempt = await self._unit.live_attempt(account)
        except Unreadable:
            # It is given up when its time is over.
            return
        if attempt is None or attempt.contact != person:
            return
        if not await self._connection.fetch(sql.IS_BOUND, person, account):
            over = attempt.moved(Status.CANCELLED)
            await self._unit.save_attempt(over)
            await self._unit.post(News.ENDED, over, now)


async def _read(found: Sequence[Row], read: Callable[[Row], T]) -> Sequence[T]:
    """Read rows, of which there may be very many, without holding up whatever else the program does."""
    records: list[T] = []
    for first in range(0, len(found), _AT_ONCE):
        records += map(read, found[first : first + _AT_ONCE])
        await asyncio.sleep(0)
    return records
