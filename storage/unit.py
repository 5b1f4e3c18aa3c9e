"""A unit of work over any database: it keeps the promises of `verification.dialogue_store.DialogueUnit`."""

from collections.abc import Sequence
from datetime import datetime

from storage import mapping
from storage import statements as sql
from storage.database import Connection
from storage.sealing import Indexed, Sealing
from storage.support import Front
from verification.attempts import Attempt, AttemptId, Method
from verification.dialogue_store import Bond, Consent, Dialogue, Gone, Litter, Person, Records
from verification.identity import Identity
from verification.limits import Try
from verification.ports import PLACES, Due, News, Place


class Unit(Front):
    """One transaction; each method says its promise in the ports."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        super().__init__(connection, sealing)
        self.erased = False

    async def attempt(self, attempt: AttemptId) -> Attempt | None:
        return await self._attempt(sql.ATTEMPT, attempt)

    async def attempt_by_token(self, token: str) -> Attempt | None:
        return await self._attempt(sql.ATTEMPT_BY_TOKEN, self._sealing.index(Indexed.TOKEN, token))

    async def live_attempt(self, account: str) -> Attempt | None:
        return await self._attempt(sql.LIVE_ATTEMPT, account)

    async def save_attempt(self, attempt: Attempt) -> None:
        await self._connection.fetch(sql.SAVE_ATTEMPT, *mapping.attempt_values(attempt, self._sealing))

    async def due(self, moment: datetime, limit: int) -> Sequence[Due]:
        return mapping.due(await self._connection.fetch(sql.DUE, mapping.ticks(moment), limit))

    async def give_up(self, attempt: AttemptId) -> None:
        await self._connection.fetch(sql.GIVE_UP, attempt)

    async def take_asks(self, method: Method, now: datetime, before: datetime, limit: int) -> Sequence[AttemptId]:
        taken = await self._connection.fetch(sql.TAKE_ASKS, method, mapping.ticks(now), mapping.ticks(before), limit)
        return [AttemptId(attempt) for (attempt,) in taken]

    async def verified(self, account: str) -> Place | None:
        found = await self._connection.fetch(sql.VERIFIED, account)
        return mapping.place(found[0]) if found else None

    async def accounts_of(self, identity: Identity) -> frozenset[str]:
        found = await self._connection.fetch(sql.ACCOUNTS_OF, self._identity_index(identity))
        return frozenset(account for (account,) in found)

    async def take_place(self, attempt: Attempt, identity: Identity, now: datetime) -> bool:
        if attempt.account in await self.accounts_of(identity):
            return True
        index = self._identity_index(identity)
        # Slot by slot, so that where transactions run side by side the loser of one slot goes on to the next.
        for slot in range(1, PLACES + 1):
            taken = await self._connection.fetch(
                sql.TAKE_PLACE, index, slot, attempt.account, attempt.id, attempt.method, mapping.ticks(now)
            )
            if taken:
                return True
        return False

    async def tries(self, attempt: Attempt, identity: Identity, since: datetime, crowd: int) -> Sequence[Try]:
        own = self._try_indexes(attempt, identity)
        found = await self._connection.fetch(sql.TRIES, *own, mapping.ticks(since), crowd)
        return [mapping.one_try(row, own) for row in found]

    async def note_try(self, attempt: Attempt, identity: Identity, *, asked: bool) -> None:
        account, contact, number = self._try_indexes(attempt, identity)
        await self._connection.fetch(sql.FORGET_TRY, attempt.id, contact, number)
        tried_at = mapping.ticks(attempt.created_at)
        await self._connection.fetch(sql.NOTE_TRY, attempt.id, account, contact, number, int(asked), tried_at)

    async def budget_spent(self, since: datetime, budget: int) -> datetime | None:
        found = await self._connection.fetch(sql.BUDGET_SPENT, mapping.ticks(since), budget - 1)
        return mapping.moment(found[0][0]) if found else None

    async def post(self, news: News, attempt: Attempt, now: datetime) -> None:
        await self._connection.fetch(
            sql.POST,
            attempt.contact,
            news,
            attempt.id,
            attempt.account,
            attempt.method,
            attempt.status,
            attempt.reason,
            mapping.ticks(attempt.expires_at),
            mapping.ticks(now),
        )

    async def post_result(self, attempt: Attempt, now: datetime, *, simulated: bool) -> None:
        told = (attempt.id, attempt.account, attempt.method, attempt.status, attempt.reason)
        await self._connection.fetch(sql.POST_RESULT, *told, int(simulated), mapping.ticks(now))

    async def first_sight(self, event_id: str, now: datetime) -> bool:
        return bool(await self._connection.fetch(sql.FIRST_SIGHT, event_id, mapping.ticks(now)))

    async def dialogue(self, person: Person) -> Dialogue | None:
        found = await self._connection.fetch(sql.DIALOGUE, person)
        return mapping.dialogue(found[0], self._sealing) if found else None

    async def save_dialogue(self, person: Person, text: str, language: str | None, now: datetime) -> int:
        sealed = self._sealing.seal(text, mapping.dialogue_place(person, "text"))
        [(revision,)] = await self._connection.fetch(sql.SAVE_DIALOGUE, person, sealed, language, mapping.ticks(now))
        return int(revision)

    async def welcome_back(self, person: Person) -> None:
        await self._connection.fetch(sql.WELCOME_BACK, person)

    async def record_consent(self, consent: Consent) -> None:
        await self._connection.fetch(
            sql.RECORD_CONSENT,
            consent.person,
            consent.account,
            consent.kind,
            consent.version,
            consent.language,
            mapping.ticks(consent.at),
        )

    async def litter(self, litter: Litter) -> None:
        await self._connection.fetch(sql.ADD_LITTER, litter.person, litter.message_id, mapping.ticks(litter.at))

    async def records(self, person: Person) -> Records:
        consents = await self._connection.fetch(sql.CONSENTS, person)
        attempts = await self._connection.fetch(sql.PAST_ATTEMPTS, person)
        bonds = await self._connection.fetch(sql.BONDS, person)
        return Records(
            [mapping.consent(row) for row in consents],
            [mapping.past_attempt(row) for row in attempts],
            tuple(Bond(account, mapping.moment(opened_at)) for account, opened_at in bonds),
        )

    async def erase(self, person: Person, account: str) -> Gone:
        self.erased = True
        of_both = {
            table: await self._delete(table, which, person, account) for table, which in sql.ERASE_OF_ACCOUNT.items()
        }
        return of_both | {
            table: await self._delete(table, which, person) for table, which in sql.ERASE_OF_PERSON.items()
        }

    async def _delete(self, table: str, which: str, *values: str) -> int:
        return len(await self._connection.fetch(sql.delete(table, which), *values))

    async def _attempt(self, statement: str, key: str | bytes) -> Attempt | None:
        # Units with other keys may be at the same attempt: the phone's verdict and the chat's change of mind.
        found = await self._connection.fetch_locked(statement, key)
        return mapping.attempt(found[0], self._sealing) if found else None

    def _try_indexes(self, attempt: Attempt, identity: Identity) -> tuple[bytes, bytes, bytes]:
        return (
            self._sealing.index(Indexed.ACCOUNT, attempt.account),
            self._sealing.index(Indexed.CONTACT, attempt.contact),
            self._identity_index(identity),
        )

    def _identity_index(self, identity: Identity) -> bytes:
        # The number alone: the quota counts cards, however the name is written.
        return self._sealing.index(Indexed.NUMBER, identity.number.plain)
