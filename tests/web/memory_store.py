"""A store for the core that holds everything in memory, one unit at a time; an error rolls back."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from verification import Attempt, AttemptId, AttemptStatus, Identity, Method
from verification.identity import NetworkIdentity
from verification.ids import Account, FrontEnd
from verification.limits import RateLimitRecord
from verification.ports import MAX_ACCOUNTS, DueAttempt, Notice, NoticeKind, QuotaSlot

T = TypeVar("T")


def _key(identity: Identity | NetworkIdentity) -> str:
    return identity.identifier if isinstance(identity, NetworkIdentity) else identity.number.plain


@dataclass(slots=True)
class MemoryUnit:
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    slots: dict[str, dict[Account, QuotaSlot]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    rate_limits: dict[AttemptId, tuple[Attempt, str, bool]] = field(default_factory=dict)

    def copy(self) -> "MemoryUnit":
        slots = {number: dict(taken) for number, taken in self.slots.items()}
        return MemoryUnit(dict(self.attempts), slots, list(self.notices), dict(self.rate_limits))

    async def attempt(self, attempt: AttemptId) -> Attempt | None:
        return self.attempts.get(attempt)

    async def attempt_by_token(self, token: str) -> Attempt | None:
        return next((attempt for attempt in self.attempts.values() if attempt.token == token), None)

    async def live_attempt(self, account: Account) -> Attempt | None:
        return next(
            (attempt for attempt in self.attempts.values() if attempt.account == account and attempt.live), None
        )

    async def slot_of(self, account: Account) -> QuotaSlot | None:
        return next((taken[account] for taken in self.slots.values() if account in taken), None)

    async def save_attempt(self, attempt: Attempt) -> None:
        other = await self.live_attempt(attempt.account)
        assert not attempt.live or other is None or other.id == attempt.id, "a second live attempt of one account"
        self.attempts[attempt.id] = attempt

    async def due_attempts(self, moment: datetime, limit: int) -> Sequence[DueAttempt]:
        due = [attempt for attempt in self.attempts.values() if attempt.live and attempt.expires_at <= moment]
        oldest = sorted(due, key=lambda attempt: attempt.expires_at)[:limit]
        return [
            DueAttempt(each.id, each.method, each.status, each.expires_at, expiry_announced=each.expiry_announced)
            for each in oldest
        ]

    async def abandon(self, attempt: AttemptId) -> None:
        raise AssertionError(f"{attempt} can be read")

    async def live_attempts(self, method: Method, limit: int) -> Sequence[AttemptId]:
        return [each.id for each in self.attempts.values() if each.method is method and each.live][:limit]

    async def claim_due_polls(
        self, method: Method, *, now: datetime, before: datetime, limit: int
    ) -> Sequence[AttemptId]:
        del now, before
        in_progress = (AttemptStatus.OPENED, AttemptStatus.CONFIRMING)
        taken = [each.id for each in self.attempts.values() if each.method is method and each.status in in_progress]
        return taken[:limit]

    async def accounts_of(self, identity: Identity | NetworkIdentity) -> frozenset[Account]:
        return frozenset(self.slots.get(_key(identity), {}))

    async def take_slot(
        self, attempt: Attempt, identity: Identity | NetworkIdentity, now: datetime, *, simulated: bool = False
    ) -> bool:
        taken = self.slots.setdefault(_key(identity), {})
        if len(taken) >= MAX_ACCOUNTS or await self.slot_of(attempt.account) is not None:
            return False
        taken[attempt.account] = QuotaSlot(attempt.account, attempt.method, now, simulated)
        return True

    async def rate_limit_records(
        self, attempt: Attempt, identity: Identity | None, since: datetime, number_limit: int
    ) -> Sequence[RateLimitRecord]:
        del number_limit
        tried = [
            RateLimitRecord(
                at=earlier.created_at,
                number=number,
                provider_called=provider_called,
                same_account=earlier.account == attempt.account,
                same_person=earlier.contact == attempt.contact,
                same_number=number == (_key(identity) if identity else attempt.contact),
            )
            for earlier, number, provider_called in self.rate_limits.values()
            if earlier.created_at > since
        ]
        return [each for each in tried if each.same_account or each.same_person or each.same_number]

    async def add_rate_limit_record(
        self, attempt: Attempt, identity: Identity | None, *, provider_called: bool
    ) -> None:
        self.rate_limits[attempt.id] = (attempt, _key(identity) if identity else attempt.contact, provider_called)

    async def budget_spent(self, since: datetime, budget: int) -> datetime | None:
        calls = sorted(
            earlier.created_at
            for earlier, _, provider_called in self.rate_limits.values()
            if provider_called and earlier.created_at > since
        )
        return calls[-budget] if len(calls) >= budget else None

    async def post_notice(
        self,
        kind: NoticeKind,
        attempt: Attempt,
        now: datetime,
        *,
        leased_until: datetime | None = None,
        simulated: bool = False,
    ) -> Notice | None:
        del now, leased_until
        self.notices.append(
            Notice(
                id=len(self.notices) + 1,
                contact=attempt.contact,
                kind=kind,
                attempt=attempt.id,
                account=attempt.account,
                method=attempt.method,
                status=attempt.status,
                reason=attempt.reason,
                expires_at=attempt.expires_at,
                simulated=simulated,
            )
        )
        return None

    async def settle_notice(self, notice: Notice) -> bool:
        kept = [each for each in self.notices if each.id != notice.id]
        was_there, self.notices = len(kept) < len(self.notices), kept
        return was_there

    async def post_result(self, attempt: Attempt, now: datetime, *, simulated: bool) -> None:
        raise AssertionError(f"{attempt.id}: results are not supported here ({now}, {simulated})")


class MemoryStore:
    """The store; `before_unit` runs before each unit with its key, so that a test can change something first."""

    def __init__(self) -> None:
        self.committed = MemoryUnit()
        self.before_unit: Callable[[str], None] = lambda lock_key: None
        self._alone = asyncio.Lock()

    async def transact(self, lock_key: str, body: Callable[[MemoryUnit], Coroutine[Any, Any, T]]) -> T:
        async with self._alone:
            self.before_unit(lock_key)
            unit = self.committed.copy()
            result = await body(unit)
            self.committed = unit
            return result

    async def claim_notices(
        self, front_end: FrontEnd, now: datetime, *, until: datetime, limit: int
    ) -> Sequence[Notice]:
        del front_end, now, until
        return self.committed.notices[:limit]

    def put(self, attempt_id: AttemptId, **changes: object) -> None:
        """Change a stored attempt directly, to reach a state that only time or other parts can cause."""
        self.committed.attempts[attempt_id] = replace(self.committed.attempts[attempt_id], **changes)
