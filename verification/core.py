"""The core: begin an attempt, follow it, judge it once, let it expire.

`begin` reserves in one unit, asks the provider outside any unit, and records in a second one; repeated with the same
id it gives the same opening, so a front end that crashed in between simply asks again. The place in the quota is taken
in the unit that records the success, and by the schema, so no race can make a fourth.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from verification.attempts import LIVE, Attempt, AttemptId, AttemptStatus, Method, Passed, Reason, Rejected, Verdict
from verification.errors import (
    AlreadyVerified,
    AttemptOver,
    ContradictoryVerdict,
    ProviderUnavailable,
    QuotaReached,
    TooManyAttempts,
    Unreadable,
)
from verification.identity import Identity
from verification.ids import Account, Contact
from verification.limits import DAY, AttemptLimits, refused_until
from verification.ports import MAX_ACCOUNTS, NoticeKind, Provider, QuotaSlot, Store, Unit

log = logging.getLogger(__name__)

_BATCH = 100
_RESERVE_LOCK = "reserving"
"""What is counted for a limit is counted and used up by one at a time, however many programs there are."""


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """What a front end asks for: `id` is made by it once, and makes asking again harmless."""

    id: AttemptId
    account: Account
    contact: Contact
    identity: Identity
    method: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanCode:
    """What the person needs to go on: where the code leads, and what to compare."""

    attempt: AttemptId
    phone_url: str = field(repr=False)
    match_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CoreDeps:
    """The outside facts the core may use.

    `clock` gives aware UTC times, `token` at least 128 random bits in URL characters, `match_code` two digits, and
    `link` turns a token into the address a phone opens. `announce` is called when there may be news to tell.
    """

    clock: Callable[[], datetime]
    token: Callable[[], str]
    match_code: Callable[[], str]
    phone_url: Callable[[str], str]
    on_notice: Callable[[], None] = lambda: None


class Core:
    """The rules of verification, over a store and the providers."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[Method, Provider],
        deps: CoreDeps,
        *,
        ttl: timedelta,
        limits: AttemptLimits = AttemptLimits(),  # noqa: B008 - frozen
        posts_results: bool = False,
    ) -> None:
        """Put the rules to work; with `posts_results` every verdict is owed to another server too."""
        self._store = store
        self._providers = providers
        self._deps = deps
        self._ttl = ttl
        self._limits = limits
        self._posts_results = posts_results
        self._notice_before = min(timedelta(seconds=30), ttl / 4)

    async def begin(self, request: AttemptRequest) -> ScanCode:
        """Open an attempt; raises a `Refused` or `ProviderUnavailable`. The same id gives the same opening."""
        async with self._store.unit(_RESERVE_LOCK) as unit:
            attempt = await self._reserve(unit, request)
        if attempt is None:
            raise QuotaReached(request.id)
        if attempt.status is not AttemptStatus.RESERVED:
            return self._scan_code(attempt)
        try:
            session = await self._providers[request.method].open(attempt.id, request.identity)
        except ProviderUnavailable:
            async with self._store.unit(request.account) as unit:
                await unit.add_rate_limit_record(attempt, request.identity, asked=False)
            await self.cancel(request.id)
            raise
        async with self._store.unit(request.account) as unit:
            attempt = await self._load(unit, request.id)
            if attempt.status is AttemptStatus.RESERVED:
                expires_at = self._deps.clock() + self._ttl
                attempt = replace(
                    attempt.with_status(AttemptStatus.WAITING),
                    provider_state=session.provider_state,
                    expires_at=expires_at,
                )
                await unit.save_attempt(attempt)
        if not attempt.live:
            raise AttemptOver(attempt.id)
        return self._scan_code(attempt)

    async def find_by_token(self, token: str) -> Attempt | None:
        """Find the attempt a scanned code belongs to, whatever has become of it."""
        async with self._store.unit(f"token:{token}") as unit:
            return await unit.attempt_by_token(token)

    async def progress(self, attempt_id: AttemptId, status: AttemptStatus, provider_state: str) -> Attempt:
        """Record how far the person has come on the phone; raises `AttemptOver` when it is too late.

        Opening the page gives the full time again: whoever is there must not be cut off half way. An end is a verdict
        and comes by `complete` alone, which counts the places.
        """
        if status not in LIVE:
            raise ValueError(f"{status} is an end, not progress")
        now = self._deps.clock()
        async with self._unit_with_notices(attempt_id) as unit:
            attempt = await self._load(unit, attempt_id)
            if not attempt.live or attempt.expires_at <= now:
                raise AttemptOver(attempt_id)
            if status is attempt.status:
                if provider_state != attempt.provider_state:
                    attempt = replace(attempt, provider_state=provider_state)
                    await unit.save_attempt(attempt)
                return attempt
            attempt = replace(
                attempt.with_status(status),
                provider_state=provider_state,
                expires_at=now + self._ttl,
                expiry_announced=False,
            )
            await unit.save_attempt(attempt)
            await unit.post_notice(NoticeKind.PROGRESS, attempt, now)
            return attempt

    async def complete(self, attempt_id: AttemptId, verdict: Verdict) -> Attempt:
        """Record the verdict, once.

        The same verdict again changes nothing; a different one raises `ContradictedOutcome`; one that comes too late
        raises `AttemptOver`. A success whose number has no place left is recorded as a failure for that reason.
        """
        now = self._deps.clock()
        async with self._unit_with_notices(attempt_id) as unit:
            attempt = await self._load(unit, attempt_id)
            if attempt.has_verdict(verdict):
                return attempt
            if attempt.status in (AttemptStatus.SUCCEEDED, AttemptStatus.FAILED):
                raise ContradictoryVerdict(attempt_id)
            if not attempt.live or attempt.expires_at <= now:
                raise AttemptOver(attempt_id)
            judged = attempt.with_verdict(await self._apply_quota(unit, attempt, verdict, now))
            await unit.save_attempt(judged)
            await unit.post_notice(NoticeKind.ENDED, judged, now)
            if self._posts_results:
                await unit.post_result(judged, now, simulated=self._providers[judged.method].simulated)
            return judged

    async def cancel(self, attempt_id: AttemptId) -> None:
        """End a live attempt without a verdict; one that is over stays as it is."""
        async with self._store.unit(attempt_id) as unit:
            attempt = await unit.attempt(attempt_id)
            if attempt is not None and attempt.live:
                await unit.save_attempt(attempt.with_status(AttemptStatus.CANCELLED))

    async def slot_of(self, account: Account) -> QuotaSlot | None:
        """The place this account holds, if it is verified."""
        async with self._store.unit(account) as unit:
            return await unit.slot_of(account)

    async def expire_due(self) -> int:
        """Expire what is due and announce what soon will be; says how many attempts it touched."""
        now = self._deps.clock()
        touched = await self._due_attempts(now)
        for attempt_id in touched:
            try:
                await self._expire_or_announce(attempt_id, now)
            except Unreadable:
                await self._abandon(attempt_id)
        return len(touched)

    async def _due_attempts(self, now: datetime) -> Sequence[AttemptId]:
        limit = _BATCH
        while True:
            async with self._store.unit("sweep") as unit:
                due = await unit.due(now + self._notice_before, limit)
            touched = [attempt.id for attempt in due if attempt.expires_at <= now or not attempt.expiry_announced]
            if touched or len(due) < limit:
                return touched
            # All of them are announced and not over yet: whoever comes behind them must not wait for their end.
            limit *= 2

    async def _expire_or_announce(self, attempt_id: AttemptId, now: datetime) -> None:
        async with self._unit_with_notices(attempt_id) as unit:
            attempt = await self._load(unit, attempt_id)
            if not attempt.live or attempt.expires_at > now + self._notice_before:
                return
            if attempt.expires_at <= now:
                attempt = attempt.with_status(AttemptStatus.EXPIRED)
                news = NoticeKind.ENDED
            elif attempt.expiry_announced:
                return
            else:
                attempt = replace(attempt, expiry_announced=True)
                news = NoticeKind.EXPIRING_SOON
            await unit.save_attempt(attempt)
            await unit.post_notice(news, attempt, now)

    async def _abandon(self, attempt_id: AttemptId) -> None:
        """Nothing can come of it any more, and its account waits for it."""
        log.error("attempt %s cannot be read; it is given up", attempt_id)
        async with self._store.unit(attempt_id) as unit:
            await unit.abandon(attempt_id)

    @asynccontextmanager
    async def _unit_with_notices(self, attempt_id: AttemptId) -> AsyncIterator[Unit]:
        async with self._store.unit(attempt_id) as unit:
            yield unit
        self._deps.on_notice()

    async def _reserve(self, unit: Unit, request: AttemptRequest) -> Attempt | None:
        """None when no place is left: that answer is kept as a try, or numbers could be sounded out without end."""
        known = await unit.attempt(request.id)
        if known is not None:
            if not known.live:
                raise AttemptOver(request.id)
            return known
        # First of all: a verdict that is just being recorded is waited for here, and seen below.
        other = await unit.live_attempt(request.account)
        if await unit.slot_of(request.account) is not None:
            raise AlreadyVerified(request.account)
        attempt = self._new_attempt(request)
        await self._check_limits(unit, attempt, request.identity)
        full = len(await unit.accounts_of(request.identity) - {request.account}) >= MAX_ACCOUNTS
        await unit.add_rate_limit_record(attempt, request.identity, asked=not full)
        if full:
            return None
        if other is not None:
            over = other.with_status(AttemptStatus.CANCELLED)
            await unit.save_attempt(over)
            if over.contact != request.contact:
                # Another chat is at the same account: the code it shows is dead now.
                await unit.post_notice(NoticeKind.ENDED, over, attempt.created_at)
        await unit.save_attempt(attempt)
        return attempt

    def _new_attempt(self, request: AttemptRequest) -> Attempt:
        now = self._deps.clock()
        return Attempt(
            id=request.id,
            account=request.account,
            contact=request.contact,
            method=request.method,
            status=AttemptStatus.RESERVED,
            match_code=self._deps.match_code(),
            created_at=now,
            expires_at=now + self._ttl,
            identity=request.identity,
            token=self._deps.token(),
        )

    async def _check_limits(self, unit: Unit, attempt: Attempt, identity: Identity) -> None:
        since = attempt.created_at - DAY
        until = refused_until(
            await unit.rate_limit_records(attempt, identity, since, self._limits.number), self._limits
        )
        if until is not None:
            raise TooManyAttempts(until)
        spent = await unit.budget_spent(since, self._limits.overall)
        if spent is not None:
            raise TooManyAttempts(spent + DAY, everybody=True)

    async def _apply_quota(self, unit: Unit, attempt: Attempt, verdict: Verdict, now: datetime) -> Verdict:
        if not isinstance(verdict, Passed):
            return verdict
        if attempt.identity is None:
            raise AttemptOver(attempt.id)
        taken = await unit.take_slot(attempt, attempt.identity, now)
        return verdict if taken else Rejected(Reason.QUOTA)

    async def _load(self, unit: Unit, attempt_id: AttemptId) -> Attempt:
        attempt = await unit.attempt(attempt_id)
        if attempt is None:
            raise AttemptOver(attempt_id)
        return attempt

    def _scan_code(self, attempt: Attempt) -> ScanCode:
        link = self._deps.phone_url(attempt.token)
        return ScanCode(
            attempt=attempt.id, phone_url=link, match_code=attempt.match_code, expires_at=attempt.expires_at
        )
