"""The store over any database: it keeps the promises of `verification.dialogue_store.DialogueStore`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, datetime

from storage import mapping
from storage import statements as sql
from storage.database import Busy, Connection, Database, Row, StillMine, Value
from storage.errors import Unsealable, WrongKeys
from storage.key_rotation import Resealing
from storage.results import Results
from storage.sealing import Indexed, Sealing
from storage.support import DeskUnit, DeskView, note
from storage.unit import Unit
from verification.dialogue_store import Beat, Gone, Held, Litter, Owed, Person
from verification.invitations import Purpose
from verification.ports import Notice
from verification.support.funnel import Counted, Dimension, Wanted
from verification.support.store import Use

_EVER = Wanted(date.min, date.max, by=Dimension.CAMPAIGN)
_SEALED_CHECK = "key_checks:sealed:value"


class Store:
    """Keeps everything; each method says its promise in the ports."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database = database
        self._sealing = sealing

    @asynccontextmanager
    async def unit(self, alone_with: str) -> AsyncIterator[Unit]:
        async with self._database.transaction(alone_with) as connection:
            unit = Unit(connection, self._sealing)
            yield unit
        if unit.erased:
            await self._database.scrub()

    @asynccontextmanager
    async def desk(self, use: Use) -> AsyncIterator[DeskUnit]:
        async with self._database.transaction("desk") as connection:
            await note(use, connection)
            yield DeskUnit(connection, self._sealing, Unit(connection, self._sealing))

    @asynccontextmanager
    async def look(self, use: Use) -> AsyncIterator[DeskView]:
        async with self._database.transaction("desk") as connection:
            await note(use, connection)
        async with self._database.reading() as connection:
            yield DeskView(connection, self._sealing)

    async def totals(self) -> Sequence[Counted]:
        async with self._database.reading() as connection:
            return await DeskView(connection, self._sealing).counts(_EVER)

    def keyed(self, purpose: Purpose, text: str) -> bytes:
        return self._sealing.index(purpose, text)

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        # Alone, so that two programs share out what there is instead of waiting for the same rows.
        async with self._database.transaction("claim") as connection:
            leased = await connection.fetch(sql.CLAIM, mapping.ticks(now), mapping.ticks(until), limit)
        return sorted(map(mapping.notice, leased), key=lambda notice: notice.id)

    async def settle(self, notice: Notice) -> None:
        await self._run(sql.SETTLE, notice.id)

    async def mark_shown(self, person: Person, revision: int, panel: str) -> None:
        async with self._database.transaction() as connection:
            sealed = self._sealing.seal(panel, mapping.dialogue_place(person, "panel"))
            await connection.fetch(sql.MARK_SHOWN, person, revision, sealed)

    async def mark_blocked(self, person: Person, panel: str) -> None:
        async with self._database.transaction() as connection:
            sealed = self._sealing.seal(panel, mapping.dialogue_place(person, "panel"))
            await connection.fetch(sql.MARK_BLOCKED, person, sealed)

    async def owed(self, limit: int) -> Sequence[Owed]:
        return [Owed(Person(person), revision, holder) for person, revision, holder in await self._run(sql.OWED, limit)]

    async def hold(self, person: Person, program: str, alive: AbstractSet[str], least: int) -> Held | None:
        async with self._database.transaction(person) as connection:
            found = await connection.fetch_locked(sql.HOLDER, person)
            if not found:
                return None
            [(holder, shown, panel)] = found
            if (holder != program and holder in alive) or shown < least:
                return None
            await connection.fetch(sql.HOLD, person, program)
        return Held(shown, mapping.panel(person, panel, self._sealing), mine=holder == program)

    async def let_go(self, person: Person, program: str) -> None:
        await self._run(sql.LET_GO, person, program)

    async def beat(self, name: str, program: str) -> Sequence[Beat]:
        async with self._database.transaction() as connection:
            await connection.fetch(sql.BEAT, name, program)
            return [Beat(*row) for row in await connection.fetch(sql.BEATS)]

    async def leave(self, name: str, program: str) -> None:
        await self._run(sql.LEAVE, name, program)

    async def litter(self, limit: int) -> Sequence[Litter]:
        return mapping.litter(await self._run(sql.LITTER, limit))

    async def swept(self, litter: Litter) -> None:
        await self._run(sql.SWEPT, litter.person, litter.message_id)

    async def bury(self, event_id: str, person: Person | None, raw: str, now: datetime) -> None:
        async with self._database.transaction() as connection:
            sealed = self._sealing.seal(raw, mapping.dead_update_place(event_id))
            await connection.fetch(sql.BURY, event_id, person, sealed, mapping.ticks(now))

    async def forget_tries(self, before: datetime) -> Gone:
        return await self._forget(sql.FORGET_TRIES, before)

    async def forget_uses(self, before: datetime) -> Gone:
        return await self._forget(sql.FORGET_USES, before)

    async def prune(self, before: datetime) -> Gone:
        return await self._forget(sql.PRUNE, before)

    async def retire(self, before: datetime) -> Gone:
        return await self._forget(sql.RETIRE, before)

    async def people_of(self, account: str) -> Sequence[Person]:
        """List the people whose chats this account was talked about in."""
        return [Person(person) for (person,) in await self._run(sql.PEOPLE_OF, account)]

    def results(self) -> Results:
        """The results that another server is owed."""
        return Results(self._database)

    def resealing(self) -> Resealing:
        """Begin to bring everything sealed under the first key."""
        return Resealing(self._database, self._sealing)

    def polling_turn(self, busy: Busy) -> AbstractAsyncContextManager[StillMine]:
        return self._database.polling_turn(busy)

    async def _forget(self, old: Mapping[str, str], before: datetime) -> Gone:
        async with self._database.transaction("forget") as connection:
            gone = {
                table: len(await connection.fetch(sql.delete(table, which), mapping.ticks(before)))
                for table, which in old.items()
            }
        await self._database.scrub()
        return gone

    async def check_keys(self) -> None:
        """Compare the keys with those the database was made with, or note them in a new one; raises `WrongKeys`.

        With another index key the quota would count every number from nothing again.
        """
        index = self._sealing.index(Indexed.KEY, "")
        async with self._database.transaction("keys") as connection:
            known = await connection.fetch(sql.KEY_CHECK, "index")
            if known and bytes(known[0][0]) != index:
                raise WrongKeys("INDEX_KEY is not the one this database was made with")
            sealed = await connection.fetch(sql.KEY_CHECK, "sealed")
            if sealed:
                self._open_check(bytes(sealed[0][0]))
            await self._refuse_orphans(connection)
            if not (sealed and self._sealing.is_current(bytes(sealed[0][0]))):
                await connection.fetch(sql.KEEP_KEY_CHECK, "sealed", self._sealing.seal("", _SEALED_CHECK))
            if not known:
                await connection.fetch(sql.KEEP_KEY_CHECK, "index", index)

    async def _refuse_orphans(self, connection: Connection) -> None:
        """A key was taken out too early: what it sealed would be lost to its people one by one."""
        prefixes = self._sealing.prefixes()
        opens = [f"substr({{column}}, 1, {len(prefix)}) = ${place}" for place, prefix in enumerate(prefixes, 1)]
        known = " OR ".join(opens)
        for table, _, column in sql.SEALED:
            sealed_otherwise = f"NOT ({known.format(column=column)})"
            statement = f"SELECT 1 FROM {table} WHERE {sealed_otherwise} LIMIT 1"  # noqa: S608 - names of our own
            if await connection.fetch(statement, *prefixes):
                raise WrongKeys("ENCRYPTION_KEYS lacks a key that something in this database is sealed with")

    def _open_check(self, sealed: bytes) -> None:
        try:
            self._sealing.open(sealed, _SEALED_CHECK)
        except Unsealable:
            raise WrongKeys("ENCRYPTION_KEYS does not hold the key this database was last sealed with") from None

    async def _run(self, statement: str, *values: Value) -> Sequence[Row]:
        async with self._database.transaction() as connection:
            return await connection.fetch(statement, *values)
