"""The core: opens attempts, records their progress and verdict, and expires them.

`begin` reserves an attempt in a first transaction, calls the provider outside any transaction, and stores the
provider's session in a second one. A front end that crashed in between calls `begin` again with the same id and gets
the same attempt. The transaction that records a success also takes the quota slot, and the schema limits the slots, so
no race can verify a fourth account.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from verification.attempts import (
    LIVE_STATUSES,
    Attempt,
    AttemptId,
    AttemptStatus,
    Method,
    Passed,
    Reason,
    Rejected,
    Verdict,
)
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
"""Attempts that one call of `expire_due` starts with."""
_RESERVE_LOCK = "reserving"
"""Serialises reservations across all programs: a limit is checked and used up in one transaction."""


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """A front end's request; it makes `id` once, so that repeating the request is harmless."""

    id: AttemptId
    account: Account
    contact: Contact
    identity: Identity
    method: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanCode:
    """What the person needs to continue: the address that the QR code holds, and the match code to compare."""

    attempt: AttemptId
    phone_url: str = field(repr=False)
    match_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CoreDeps:
    """What the core needs besides the store and the providers.

    `clock` returns aware UTC times; `token` returns at least 128 random bits as URL characters; `match_code` returns
    two digits; `phone_url` turns a token into the address that a phone opens. `on_notice` is called when there may be
    new notices.
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
        """Create a core; attempts expire after `ttl`; with `posts_results` verdicts also go to the result outbox."""
        self._store = store
        self._providers = providers
        self._deps = deps
        self._ttl = ttl
        self._limits = limits
        self._posts_results = posts_results
        self._notice_before = min(timedelta(seconds=30), ttl / 4)

    async def begin(self, request: AttemptRequest) -> ScanCode:
        """Open an attempt, or return the one that this id opened before.

        Raises a `RequestRefused` when a rule forbids it, and `ProviderUnavailable` when the provider opens no session.
        """
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
                await unit.add_rate_limit_record(attempt, request.identity, provider_called=False)
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
        """Find the attempt of a scanned code, in any status."""
        async with self._store.unit(f"token:{token}") as unit:
            return await unit.attempt_by_token(token)

    async def progress(self, attempt_id: AttemptId, status: AttemptStatus, provider_state: str) -> Attempt:
        """Record how far the person has come on the phone; raises `AttemptOver` when the attempt has ended.

        A new status restarts the time limit, so that a person who is on the page is not cut off halfway. Only
        `complete` records a verdict, because only it checks the quota.
        """
        if status not in LIVE_STATUSES:
            raise ValueError(f"{status} is not a live status")
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

        Recording the same verdict again changes nothing; a different one raises `ContradictoryVerdict`; one that comes
        too late raises `AttemptOver`. A success without a free quota slot is recorded as a failure with `Reason.QUOTA`.
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
            decided = attempt.with_verdict(await self._apply_quota(unit, attempt, verdict, now))
            await unit.save_attempt(decided)
            await unit.post_notice(NoticeKind.ENDED, decided, now)
            if self._posts_results:
                await unit.post_result(decided, now, simulated=self._providers[decided.method].simulated)
            return decided

    async def cancel(self, attempt_id: AttemptId) -> None:
        """Cancel a live attempt; one that has ended stays as it is."""
        async with self._store.unit(attempt_id) as unit:
            attempt = await unit.attempt(attempt_id)
            if attempt is not None and attempt.live:
                await unit.save_attempt(attempt.with_status(AttemptStatus.CANCELLED))

    async def slot_of(self, account: Account) -> QuotaSlot | None:
        """The quota slot of this account; None when it is not verified."""
        async with self._store.unit(account) as unit:
            return await unit.slot_of(account)

    async def expire_due(self) -> int:
        """Expire attempts that are due and announce those that soon will be; returns how many it handled."""
        now = self._deps.clock()
        attempt_ids = await self._due_attempts(now)
        for attempt_id in attempt_ids:
            try:
                await self._expire_or_announce(attempt_id, now)
            except Unreadable:
                await self._abandon(attempt_id)
        return len(attempt_ids)

    async def _due_attempts(self, now: datetime) -> Sequence[AttemptId]:
        limit = _BATCH
        while True:
            async with self._store.unit("sweep") as unit:
                due = await unit.due_attempts(now + self._notice_before, limit)
            attempt_ids = [attempt.id for attempt in due if attempt.expires_at <= now or not attempt.expiry_announced]
            if attempt_ids or len(due) < limit:
                return attempt_ids
            # A full batch of attempts that are announced but not expired must not delay the attempts after them.
            limit *= 2

    async def _expire_or_announce(self, attempt_id: AttemptId, now: datetime) -> None:
        async with self._unit_with_notices(attempt_id) as unit:
            attempt = await self._load(unit, attempt_id)
            if not attempt.live or attempt.expires_at > now + self._notice_before:
                return
            if attempt.expires_at <= now:
                attempt = attempt.with_status(AttemptStatus.EXPIRED)
                kind = NoticeKind.ENDED
            elif attempt.expiry_announced:
                return
            else:
                attempt = replace(attempt, expiry_announced=True)
                kind = NoticeKind.EXPIRING_SOON
            await unit.save_attempt(attempt)
            await unit.post_notice(kind, attempt, now)

    async def _abandon(self, attempt_id: AttemptId) -> None:
        """End an attempt that cannot be read, because it blocks new attempts of its account."""
        log.error("attempt %s cannot be read; it ends as expired", attempt_id)
        async with self._store.unit(attempt_id) as unit:
            await unit.abandon(attempt_id)

    @asynccontextmanager
    async def _unit_with_notices(self, attempt_id: AttemptId) -> AsyncIterator[Unit]:
        async with self._store.unit(attempt_id) as unit:
            yield unit
        self._deps.on_notice()

    async def _reserve(self, unit: Unit, request: AttemptRequest) -> Attempt | None:
        """Store a new attempt, or return the one with this id; None when the number has no free quota slot.

        A refusal for the quota is recorded too, for the daily limits: otherwise anybody could probe numbers without
        end.
        """
        existing = await unit.attempt(request.id)
        if existing is not None:
            if not existing.live:
                raise AttemptOver(request.id)
            return existing
        # This comes first: it waits for a verdict that another transaction is recording, and the next check sees it.
        other = await unit.live_attempt(request.account)
        if await unit.slot_of(request.account) is not None:
            raise AlreadyVerified(request.account)
        attempt = self._new_attempt(request)
        await self._check_limits(unit, attempt, request.identity)
        quota_reached = len(await unit.accounts_of(request.identity) - {request.account}) >= MAX_ACCOUNTS
        await unit.add_rate_limit_record(attempt, request.identity, provider_called=not quota_reached)
        if quota_reached:
            return None
        if other is not None:
            cancelled = other.with_status(AttemptStatus.CANCELLED)
            await unit.save_attempt(cancelled)
            if cancelled.contact != request.contact:
                # Another chat shows the code of the cancelled attempt and must withdraw it.
                await unit.post_notice(NoticeKind.ENDED, cancelled, attempt.created_at)
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
        oldest = await unit.budget_spent(since, self._limits.overall)
        if oldest is not None:
            raise TooManyAttempts(oldest + DAY, is_overall=True)

    async def _apply_quota(self, unit: Unit, attempt: Attempt, verdict: Verdict, now: datetime) -> Verdict:
        if not isinstance(verdict, Passed):
            return verdict
        if attempt.identity is None:
            raise AttemptOver(attempt.id)
        has_slot = await unit.take_slot(attempt, attempt.identity, now)
        return verdict if has_slot else Rejected(Reason.QUOTA)

    async def _load(self, unit: Unit, attempt_id: AttemptId) -> Attempt:
        attempt = await unit.attempt(attempt_id)
        if attempt is None:
            raise AttemptOver(attempt_id)
        return attempt

    def _scan_code(self, attempt: Attempt) -> ScanCode:
        phone_url = self._deps.phone_url(attempt.token)
        return ScanCode(
            attempt=attempt.id, phone_url=phone_url, match_code=attempt.match_code, expires_at=attempt.expires_at
        )
