"""Attempts that programs make over the HTTP API, each for people of its own.

A request is stored before its attempt, with the attempt's id. So a request that is repeated after a crash or a lost
answer leads to the same attempt. One that was refused is forgotten, and may be repeated when the reason has passed.
Opening and cancelling are audited, and so is each look at an account or a list; a look at one attempt of its own shows
a caller nothing new, and is not.
"""

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, reference_code
from verification.callers.keys import ApiCaller
from verification.callers.store import CallerRequest, CallerStore, CallerUnit, ListPosition
from verification.core import AttemptRequest, Core
from verification.errors import AttemptOver, ProviderUnavailable, RequestRefused
from verification.identity import Identity, mask_account
from verification.ids import Account
from verification.invitations import Purpose
from verification.ports import QuotaSlot
from verification.record import Record
from verification.support.store import AttemptSummary, AuditEntry


class CallerRequestConflict(Exception):
    """The same request asked for something else before."""


class NewAttempt(Record, kw_only=True):
    """What a caller asks for; repeating it with the same `idempotency_key` gives the same attempt.

    `language` is that of the pages on the phone, if the caller knows it.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"idempotency_key"})

    account: Account
    identity: Identity
    method: Method
    language: str | None
    idempotency_key: str


class CallerAttempt(Record):
    """An attempt as its caller sees it; `simulated`: its provider proves nothing."""

    attempt: Attempt
    language: str | None
    requested_at: datetime
    simulated: bool


class AccountStatus(Record):
    """Whether an account is verified, and the caller's attempt for it that has not ended."""

    slot: QuotaSlot | None
    attempt: AttemptId | None


class CallerAttempts:
    """The calls of front ends over HTTP.

    `new_id` makes unique texts; `simulated_methods` are those whose provider proves nothing.
    """

    def __init__(
        self,
        store: CallerStore,
        core: Core,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        simulated_methods: Collection[Method],
    ) -> None:
        self._store = store
        self._core = core
        self._clock = clock
        self._new_id = new_id
        self._simulated_methods = simulated_methods

    async def open(self, caller: ApiCaller, new: NewAttempt) -> CallerAttempt:
        """Open an attempt, or return the one that this request opened before, however it has ended since.

        Raises `CallerRequestConflict`, and what `Core.begin` raises except `AttemptOver`.
        """
        wanted = self._request(caller, new)
        stored = await self._store.transact(new.account, partial(self._record, caller=caller, wanted=wanted))
        if stored.fields_index != wanted.fields_index:
            raise CallerRequestConflict(stored.attempt)
        contact = caller.contact_of(new.account)
        try:
            await self._core.begin(AttemptRequest(stored.attempt, new.account, contact, new.identity, new.method))
        except AttemptOver:
            # The caller repeats a request whose answer it did not get.
            pass
        except (RequestRefused, ProviderUnavailable):
            await self._store.transact(new.account, lambda unit: unit.forget_caller_request(stored.attempt))
            raise
        opened = await self.attempt(caller, stored.attempt)
        if opened is None:
            # The same request, made at the same time, was refused.
            raise ProviderUnavailable(stored.attempt)
        return opened

    async def attempt(self, caller: ApiCaller, attempt_id: AttemptId) -> CallerAttempt | None:
        """Look at an attempt of this caller."""
        return await self._store.transact(attempt_id, partial(self._load, caller=caller, attempt_id=attempt_id))

    async def cancel(self, caller: ApiCaller, attempt_id: AttemptId) -> CallerAttempt | None:
        """Cancel an attempt of this caller; one that has ended stays as it is."""
        entry = self._entry(caller, "cancel attempt", reference_code(attempt_id))

        async def body(unit: CallerUnit) -> CallerAttempt | None:
            loaded = await self._load(unit, caller, attempt_id)
            if loaded is not None and loaded.attempt.live:
                await unit.add_audit_entry(entry)
                await unit.save_attempt(loaded.attempt.with_status(AttemptStatus.CANCELLED))
            return await self._load(unit, caller, attempt_id)

        return await self._store.transact(attempt_id, body)

    async def attempts(
        self, caller: ApiCaller, *, account: Account | None, after: ListPosition | None, limit: int
    ) -> Sequence[AttemptSummary]:
        """List attempts of this caller, newest first."""
        entry = self._entry(caller, "attempts", "" if account is None else mask_account(account))

        async def body(unit: CallerUnit) -> Sequence[AttemptSummary]:
            await unit.add_audit_entry(entry)
            return await unit.caller_attempts(caller.front_end, account=account, after=after, limit=limit)

        return await self._store.transact(caller.front_end, body)

    async def account_status(self, caller: ApiCaller, account: Account) -> AccountStatus:
        """Look at an account."""
        entry = self._entry(caller, "look at account", mask_account(account))

        async def body(unit: CallerUnit) -> AccountStatus:
            await unit.add_audit_entry(entry)
            live = await unit.live_attempt(account)
            is_own = live is not None and live.contact == caller.contact_of(account)
            return AccountStatus(await unit.slot_of(account), live.id if live is not None and is_own else None)

        return await self._store.transact(account, body)

    def _request(self, caller: ApiCaller, new: NewAttempt) -> CallerRequest:
        # The same key from two callers means two requests.
        request_index = self._digest(caller.name, new.idempotency_key)
        name, number = new.identity.name.plain, new.identity.number.plain
        return CallerRequest(
            request_index=request_index,
            fields_index=self._digest(new.account, name, number, new.method, new.language or ""),
            # Hexadecimal, because people read its beginning out to support.
            attempt=AttemptId(f"attempt-{self._digest(self._new_id())[:16].hex()}"),
            front_end=caller.front_end,
            account=new.account,
            language=new.language,
            at=self._clock(),
        )

    def _digest(self, *fields: str) -> bytes:
        return self._store.keyed_digest(Purpose.CALLER_REQUEST, json.dumps(fields))

    async def _record(self, unit: CallerUnit, caller: ApiCaller, wanted: CallerRequest) -> CallerRequest:
        stored = await unit.add_caller_request(wanted)
        subject = f"{reference_code(stored.attempt)} {mask_account(wanted.account)}"
        await unit.add_audit_entry(self._entry(caller, "open attempt", subject))
        return stored

    async def _load(self, unit: CallerUnit, caller: ApiCaller, attempt_id: AttemptId) -> CallerAttempt | None:
        request = await unit.caller_request(attempt_id)
        attempt = await unit.attempt(attempt_id)
        if request is None or request.front_end != caller.front_end or attempt is None:
            return None
        slot = await unit.slot_of(attempt.account) if attempt.status is AttemptStatus.SUCCEEDED else None
        # The provider may have been replaced since a success.
        simulated = attempt.method in self._simulated_methods if slot is None else slot.simulated
        return CallerAttempt(attempt, request.language, request.at, simulated)

    def _entry(self, caller: ApiCaller, action: str, subject: str) -> AuditEntry:
        return AuditEntry(actor=caller.actor, action=action, subject=subject, at=self._clock())
