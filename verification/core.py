"""The core: opens attempts, records their progress and verdict, and expires them.

`begin` reserves an attempt in a first transaction, calls the provider outside any transaction, and stores the
provider's session in a second one. A front end that crashed in between calls `begin` again with the same id and gets
the same attempt. The transaction that records a success also takes the quota slot, and the schema limits the slots, so
no race can verify a fourth account.
"""

import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from msgspec.structs import replace

from verification.attempts import (
    LIVE_STATUSES,
    ON_PHONE_STATUSES,
    VERDICT_STATUSES,
    Attempt,
    AttemptId,
    AttemptStatus,
    Method,
    Move,
    Passed,
    Progress,
    ProviderApp,
    Reason,
    Rejected,
    Verdict,
)
from verification.errors import (
    AlreadyVerified,
    AttemptOver,
    ContradictoryVerdict,
    MethodOff,
    ProviderUnavailable,
    QuotaReached,
    RequestRefused,
    TooManyAttempts,
    Unreadable,
)
from verification.identity import Identity
from verification.ids import Account, Contact, FrontEnd, front_end_of
from verification.limits import DAY, AttemptLimits, refused_until
from verification.ports import (
    MAX_ACCOUNTS,
    DueAttempt,
    Notice,
    NoticeKind,
    Provider,
    ProviderSession,
    QuotaSlot,
    Store,
    Unit,
)
from verification.record import Record

log = logging.getLogger(__name__)

A = TypeVar("A")

_BATCH = 100
"""Attempts that one call of `expire_due` starts with."""


class AttemptRequest(Record):
    """A front end's request; it makes `id` once, so that repeating the request is harmless.

    `identity` is None for a method that takes none.
    """

    id: AttemptId
    account: Account
    contact: Contact
    identity: Identity | None
    method: Method


class ScanCode(Record, kw_only=True):
    """What the person needs to continue: the address that the QR code holds, and the match code to compare.

    `simulated`: the provider proves nothing. `app`: what its pages need.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"phone_url"})

    attempt: AttemptId
    phone_url: str
    match_code: str
    expires_at: datetime
    simulated: bool = False
    app: ProviderApp | None = None


class CoreDeps(Record):
    """What the core needs besides the store and the providers.

    `clock` returns aware UTC times; `token` returns at least 128 random bits as URL characters; `match_code` returns
    two digits; `phone_url` turns a token into the address that a phone opens. `on_notice` is called after a commit that
    may have posted a notice. With a `notice_lease` it is handed the new notice, leased for that long, if its contact
    belongs to `front_end` and no older one of its contact is still on its way. The notices of other front ends wait for
    those to claim them. A front end that `hears_by_webhook` gets no notices: what happens goes to the result outbox.
    """

    clock: Callable[[], datetime]
    token: Callable[[], str]
    match_code: Callable[[], str]
    phone_url: Callable[[str], str]
    on_notice: Callable[[Notice | None], None] = lambda _: None
    notice_lease: timedelta | None = None
    front_end: FrontEnd | None = None
    hears_by_webhook: Callable[[FrontEnd], bool] = lambda _: False


class Core:
    """The rules of verification, over a store and the providers; a method without a provider is off."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[Method, Provider],
        deps: CoreDeps,
        *,
        ttl: timedelta,
        limits: AttemptLimits = AttemptLimits(),  # noqa: B008 - frozen
        posts_results: bool = False,
        polled: Collection[Method] = (),
    ) -> None:
        """Create a core; attempts expire after `ttl`; with `posts_results` verdicts also go to the result outbox.

        The provider of a method in `polled` decides elsewhere: what it says counts until its poller calls `expire`.
        """
        self._store = store
        self._providers = providers
        self._deps = deps
        self._ttl = ttl
        self._limits = limits
        self._posts_results = posts_results
        self._polled = polled
        self._notice_before = min(timedelta(seconds=30), ttl / 4)

    async def begin(self, request: AttemptRequest) -> ScanCode:
        """Open an attempt, or return the one that this id opened before.

        Raises a `RequestRefused` when a rule forbids it, and `ProviderUnavailable` when the provider opens no session.
        A front end that works in transactions of its own calls `reserve`, `open_session` and `start` instead.
        """

        async def reserve(unit: Unit) -> Attempt | RequestRefused:
            try:
                return await self.reserve(unit, request)
            except (QuotaReached, MethodOff) as refusal:
                # Returned, because what it stores must be committed.
                return refusal

        attempt = await self._store.transact(request.account, reserve)
        if isinstance(attempt, RequestRefused):
            raise attempt
        if attempt.status is not AttemptStatus.RESERVED:
            return self._scan_code(attempt)
        session = await self.open_session(attempt)
        return await self._store.transact(request.account, lambda unit: self.start(unit, request.id, session))

    async def reserve(self, unit: Unit, request: AttemptRequest) -> Attempt:
        """Store a new attempt in the caller's transaction, or return the live one with this id.

        Raises a `RequestRefused` when a rule forbids it. A refusal for the quota is recorded too, for the daily limits:
        otherwise anybody could probe numbers without end. A refusal because the method is off ends the attempt that
        this id may have. So the caller commits after a refusal.
        """
        existing = await unit.attempt(request.id)
        if request.method not in self._providers:
            if existing is not None and existing.live:
                await unit.save_attempt(existing.with_status(AttemptStatus.CANCELLED))
            raise MethodOff(request.method)
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
        quota_reached = await self._lacks_slot(unit, request)
        await unit.add_rate_limit_record(attempt, request.identity, provider_called=not quota_reached)
        if quota_reached:
            raise QuotaReached(request.id)
        if other is not None:
            cancelled = other.with_status(AttemptStatus.CANCELLED)
            await unit.save_attempt(cancelled)
            if cancelled.contact != request.contact:
                # Another chat shows the code of the cancelled attempt and must withdraw it.
                await self._post(unit, NoticeKind.ENDED, cancelled, attempt.created_at, handed_over=False)
        await unit.save_attempt(attempt)
        return attempt

    async def is_quota_reached(self, unit: Unit, request: AttemptRequest) -> bool:
        """Whether three other accounts are verified with this number, in the caller's transaction.

        It is asked before a method is chosen, so the method of the request does not count. The question counts as an
        attempt without a provider; beyond the daily limits the answer is always no, so that nobody can probe numbers.
        """
        attempt = self._new_attempt(request)
        if await self._refused_until(unit, attempt, request.identity) is not None:
            return False
        await unit.add_rate_limit_record(attempt, request.identity, provider_called=False)
        return await self._lacks_slot(unit, request)

    async def _lacks_slot(self, unit: Unit, request: AttemptRequest) -> bool:
        """Whether a typed number has no place left; without one, only the verdict tells who the person is."""
        if request.identity is None:
            return False
        return len(await unit.accounts_of(request.identity) - {request.account}) >= MAX_ACCOUNTS

    async def open_session(self, attempt: Attempt) -> ProviderSession:
        """Open the provider's session for a reserved attempt, outside any transaction.

        Raises `ProviderUnavailable`; the attempt is cancelled then, and counts as one without a call. Raises
        `AttemptOver` when the attempt has ended.
        """
        if not attempt.live:
            raise AttemptOver(attempt.id)
        return_url = f"{self._deps.phone_url(attempt.token)}/back"
        try:
            return await self._providers[attempt.method].open(attempt.id, attempt.identity, return_url)
        except ProviderUnavailable:
            await self._store.transact(
                attempt.account, partial(self._give_up, attempt=attempt, identity=attempt.identity)
            )
            raise

    async def start(self, unit: Unit, attempt_id: AttemptId, session: ProviderSession) -> ScanCode:
        """Store the session in the caller's transaction: the attempt waits for its code to be scanned.

        Raises `AttemptOver` when the attempt has ended meanwhile.
        """
        attempt = await self._load(unit, attempt_id)
        if attempt.status is AttemptStatus.RESERVED:
            attempt = replace(
                attempt.with_status(AttemptStatus.WAITING),
                provider_state=session.provider_state,
                expires_at=self._deps.clock() + self._ttl,
            )
            await unit.save_attempt(attempt)
        if not attempt.live:
            raise AttemptOver(attempt.id)
        return self._scan_code(attempt)

    async def _give_up(self, unit: Unit, attempt: Attempt, identity: Identity | None) -> None:
        stored = await unit.attempt(attempt.id)
        if stored is not None:
            await unit.add_rate_limit_record(stored, identity, provider_called=False)
            if stored.live:
                await unit.save_attempt(stored.with_status(AttemptStatus.CANCELLED))

    async def find_by_token(self, token: str) -> Attempt | None:
        """Find the attempt of a scanned code, in any status."""
        return await self._store.transact(f"token:{token}", lambda unit: unit.attempt_by_token(token))

    async def move(self, token: str, decide: Callable[[Attempt], Move | None]) -> Attempt | None:
        """Find the attempt of a scanned code and, in the same transaction, move it as `decide` says of it.

        `decide` is asked only about a live attempt in time. Returns the attempt as it is then; None when there is none.
        Raises what `progress` and `complete` raise.
        """
        now = self._deps.clock()

        async def body(unit: Unit) -> tuple[Attempt | None, Notice | None]:
            attempt = await unit.attempt_by_token(token)
            if attempt is None or not attempt.live or attempt.expires_at <= now:
                return attempt, None
            match decide(attempt):
                case None:
                    return attempt, None
                case Progress(status, provider_state):
                    return await self._progress(unit, attempt, now, status, provider_state)
                case verdict:
                    return await self._complete(unit, attempt, now, verdict)

        return await self._with_notice(f"token:{token}", body)

    async def progress(self, attempt_id: AttemptId, status: AttemptStatus, provider_state: str | None) -> Attempt:
        """Record how far the person has come on the phone; raises `AttemptOver` when the attempt has ended.

        `provider_state` is what the provider remembers from here on; None: the same as before.

        A new status restarts the time limit, so that a person who is on the page is not cut off halfway. Only
        `complete` records a verdict, because only it checks the quota.
        """
        if status not in LIVE_STATUSES:
            raise ValueError(f"{status} is not a live status")
        now = self._deps.clock()

        async def body(unit: Unit) -> tuple[Attempt, Notice | None]:
            return await self._progress(unit, await self._load(unit, attempt_id), now, status, provider_state)

        return await self._with_notice(attempt_id, body)

    async def complete(self, attempt_id: AttemptId, verdict: Verdict) -> Attempt:
        """Record the verdict, once.

        Recording the same verdict again changes nothing; a different one raises `ContradictoryVerdict`; one that comes
        too late raises `AttemptOver`. Too late is after the end; where nobody polls the provider, after the time limit.
        A success without a free quota slot is recorded as a failure with `Reason.QUOTA`.
        """
        now = self._deps.clock()

        async def body(unit: Unit) -> tuple[Attempt, Notice | None]:
            return await self._complete(unit, await self._load(unit, attempt_id), now, verdict)

        return await self._with_notice(attempt_id, body)

    async def _progress(
        self, unit: Unit, attempt: Attempt, now: datetime, status: AttemptStatus, provider_state: str | None
    ) -> tuple[Attempt, Notice | None]:
        if self._is_over(attempt, now):
            raise AttemptOver(attempt.id)
        if provider_state is None:
            provider_state = attempt.provider_state
        if status is attempt.status:
            if provider_state != attempt.provider_state:
                attempt = replace(attempt, provider_state=provider_state)
                await unit.save_attempt(attempt)
            return attempt, None
        attempt = replace(
            attempt.with_status(status),
            provider_state=provider_state,
            expires_at=now + self._ttl,
            expiry_announced=False,
        )
        await unit.save_attempt(attempt)
        return attempt, await self._post(unit, NoticeKind.PROGRESS, attempt, now)

    async def _complete(
        self, unit: Unit, attempt: Attempt, now: datetime, verdict: Verdict
    ) -> tuple[Attempt, Notice | None]:
        if attempt.has_verdict(verdict):
            return attempt, None
        if attempt.status in (AttemptStatus.SUCCEEDED, AttemptStatus.FAILED):
            raise ContradictoryVerdict(attempt.id)
        if self._is_over(attempt, now):
            raise AttemptOver(attempt.id)
        simulated = self._is_simulated(attempt.method)
        decided = attempt.with_verdict(await self._apply_quota(unit, attempt, verdict, now, simulated=simulated))
        await unit.save_attempt(decided)
        if self._posts_results:
            await unit.post_result(decided, now, simulated=simulated)
        return decided, await self._post(unit, NoticeKind.ENDED, decided, now, simulated=simulated)

    def _is_over(self, attempt: Attempt, now: datetime) -> bool:
        return not attempt.live or (attempt.expires_at <= now and not self._is_polled(attempt))

    def _is_polled(self, attempt: Attempt | DueAttempt) -> bool:
        """Whether its person is on the provider's pages, so that its poller asks once more before it expires."""
        return attempt.method in self._polled and attempt.status in ON_PHONE_STATUSES

    def _is_simulated(self, method: Method) -> bool:
        provider = self._providers.get(method)
        return provider is not None and provider.simulated

    async def _post(
        self,
        unit: Unit,
        kind: NoticeKind,
        attempt: Attempt,
        now: datetime,
        *,
        simulated: bool = False,
        handed_over: bool = True,
    ) -> Notice | None:
        front_end = front_end_of(attempt.contact)
        if self._deps.hears_by_webhook(front_end):
            # Of a verdict every front end's outbox hears already.
            if self._posts_results and kind is not NoticeKind.EXPIRING_SOON and attempt.status not in VERDICT_STATUSES:
                await unit.post_result(attempt, now, simulated=self._is_simulated(attempt.method))
            return None
        lease = self._deps.notice_lease if handed_over and front_end == self._deps.front_end else None
        leased_until = now + lease if lease else None
        return await unit.post_notice(kind, attempt, now, leased_until=leased_until, simulated=simulated)

    async def _with_notice(
        self, lock_key: str, body: Callable[[Unit], Coroutine[Any, Any, tuple[A, Notice | None]]]
    ) -> A:
        """Run a transaction, and hand its notice over once it is committed."""
        attempt, notice = await self._store.transact(lock_key, body)
        self._deps.on_notice(notice)
        return attempt

    async def cancel(self, attempt_id: AttemptId) -> None:
        """Cancel a live attempt; one that has ended stays as it is."""

        async def body(unit: Unit) -> None:
            attempt = await unit.attempt(attempt_id)
            if attempt is not None and attempt.live:
                await unit.save_attempt(attempt.with_status(AttemptStatus.CANCELLED))

        await self._store.transact(attempt_id, body)

    async def slot_of(self, account: Account) -> QuotaSlot | None:
        """The quota slot of this account; None when it is not verified."""
        return await self._store.transact(account, lambda unit: unit.slot_of(account))

    async def expire(self, attempt_id: AttemptId) -> None:
        """Expire a live attempt whose time is over: its provider was asked once more, and had no verdict."""
        await self._expire(attempt_id, self._deps.clock())

    async def expire_due(self) -> int:
        """Expire attempts that are due and announce those that soon will be; returns how many it handled.

        An attempt that is polled is left to its poller, which calls `expire`.
        """
        now = self._deps.clock()
        attempt_ids = await self._due_attempts(now)
        for attempt_id in attempt_ids:
            await self._expire(attempt_id, now)
        return len(attempt_ids)

    async def _due_attempts(self, now: datetime) -> Sequence[AttemptId]:
        limit = _BATCH
        while True:
            due = await self._store.transact(
                "sweep", partial(self._due_until, moment=now + self._notice_before, limit=limit)
            )
            attempt_ids = [attempt.id for attempt in due if self._is_due(attempt, now)]
            if attempt_ids or len(due) < limit:
                return attempt_ids
            # A full batch of attempts that are announced but not expired must not delay the attempts after them.
            limit *= 2

    def _is_due(self, attempt: DueAttempt, now: datetime) -> bool:
        return not self._is_polled(attempt) if attempt.expires_at <= now else not attempt.expiry_announced

    async def _due_until(self, unit: Unit, moment: datetime, limit: int) -> Sequence[DueAttempt]:
        return await unit.due_attempts(moment, limit)

    async def _expire(self, attempt_id: AttemptId, now: datetime) -> None:
        try:
            await self._expire_or_announce(attempt_id, now)
        except Unreadable:
            await self._abandon(attempt_id)

    async def _expire_or_announce(self, attempt_id: AttemptId, now: datetime) -> None:
        async def body(unit: Unit) -> tuple[None, Notice | None]:
            attempt = await self._load(unit, attempt_id)
            if not attempt.live or attempt.expires_at > now + self._notice_before:
                return None, None
            if attempt.expires_at <= now:
                attempt = attempt.with_status(AttemptStatus.EXPIRED)
                kind = NoticeKind.ENDED
            elif attempt.expiry_announced:
                return None, None
            else:
                attempt = replace(attempt, expiry_announced=True)
                kind = NoticeKind.EXPIRING_SOON
            await unit.save_attempt(attempt)
            return None, await self._post(unit, kind, attempt, now)

        await self._with_notice(attempt_id, body)

    async def end_attempts_of_methods_off(self) -> int:
        """Cancel live attempts whose method is off, and post notices of it; returns how many it ended."""
        count = 0
        for method in [method for method in Method if method not in self._providers]:
            while attempt_ids := await self._store.transact("sweep", partial(self._live_of, method=method)):
                for attempt_id in attempt_ids:
                    try:
                        await self._withdraw(attempt_id)
                    except Unreadable:
                        await self._abandon(attempt_id)
                count += len(attempt_ids)
        return count

    async def _live_of(self, unit: Unit, method: Method) -> Sequence[AttemptId]:
        return await unit.live_attempts(method, _BATCH)

    async def _withdraw(self, attempt_id: AttemptId) -> None:
        now = self._deps.clock()

        async def body(unit: Unit) -> tuple[None, Notice | None]:
            attempt = await self._load(unit, attempt_id)
            if not attempt.live:
                return None, None
            cancelled = attempt.with_status(AttemptStatus.CANCELLED)
            await unit.save_attempt(cancelled)
            return None, await self._post(unit, NoticeKind.ENDED, cancelled, now)

        await self._with_notice(attempt_id, body)

    async def _abandon(self, attempt_id: AttemptId) -> None:
        """End an attempt that cannot be read, because it blocks new attempts of its account."""
        log.error("attempt %s cannot be read; it ends as expired", attempt_id)
        await self._store.transact(attempt_id, lambda unit: unit.abandon(attempt_id))

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

    async def _check_limits(self, unit: Unit, attempt: Attempt, identity: Identity | None) -> None:
        until = await self._refused_until(unit, attempt, identity)
        if until is not None:
            raise TooManyAttempts(until)
        oldest = await unit.budget_spent(attempt.created_at - DAY, self._limits.overall)
        if oldest is not None:
            raise TooManyAttempts(oldest + DAY, is_overall=True)

    async def _refused_until(self, unit: Unit, attempt: Attempt, identity: Identity | None) -> datetime | None:
        since = attempt.created_at - DAY
        records = await unit.rate_limit_records(attempt, identity, since, self._limits.number)
        return refused_until(records, self._limits)

    async def _apply_quota(
        self, unit: Unit, attempt: Attempt, verdict: Verdict, now: datetime, *, simulated: bool
    ) -> Verdict:
        if not isinstance(verdict, Passed):
            return verdict
        identity = attempt.identity if attempt.method.takes_identity else verdict.network_identity
        if identity is None:
            raise AttemptOver(attempt.id)
        has_slot = await unit.take_slot(attempt, identity, now, simulated=simulated)
        return verdict if has_slot else Rejected(Reason.QUOTA)

    async def _load(self, unit: Unit, attempt_id: AttemptId) -> Attempt:
        attempt = await unit.attempt(attempt_id)
        if attempt is None:
            raise AttemptOver(attempt_id)
        return attempt

    def _scan_code(self, attempt: Attempt) -> ScanCode:
        provider = self._providers.get(attempt.method)
        return ScanCode(
            attempt=attempt.id,
            phone_url=self._deps.phone_url(attempt.token),
            match_code=attempt.match_code,
            expires_at=attempt.expires_at,
            simulated=self._is_simulated(attempt.method),
            app=None if provider is None else provider.app,
        )
