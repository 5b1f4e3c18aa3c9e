"""A store at the core's port that keeps everything in memory, one unit at a time; an error rolls back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from verification import Attempt, AttemptId, AttemptStatus, Identity, Method
from verification.ids import Account
from verification.limits import RateLimitRecord
from verification.ports import MAX_ACCOUNTS, DueAttempt, Notice, NoticeKind, QuotaSlot


@dataclass(slots=True)
class MemoryUnit:
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    slots: dict[str, dict[Account, QuotaSlot]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    tried: dict[AttemptId, tuple[Attempt, str, bool]] = field(default_factory=dict)

    def copied(self) -> "MemoryUnit":
        places = {number: dict(taken) for number, taken in self.slots.items()}
        return MemoryUnit(dict(self.attempts), places, list(self.notices), dict(self.tried))

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

    async def due(self, moment: datetime, limit: int) -> Sequence[DueAttempt]:
        due = [attempt for attempt in self.attempts.values() if attempt.live and attempt.expires_at <= moment]
        oldest = sorted(due, key=lambda attempt: attempt.expires_at)[:limit]
        return [DueAttempt(attempt.id, attempt.expires_at, attempt.expiry_announced) for attempt in oldest]

    async def abandon(self, attempt: AttemptId) -> None:
        raise AssertionError(f"{attempt} can be read")

    async def claim_due_polls(
        self, method: Method, *, now: datetime, before: datetime, limit: int
    ) -> Sequence[AttemptId]:
        del now, before
        under_way = (AttemptStatus.OPENED, AttemptStatus.CONFIRMING)
        taken = [each.id for each in self.attempts.values() if each.method is method and each.status in under_way]
        return taken[:limit]

    async def accounts_of(self, identity: Identity) -> frozenset[Account]:
        return frozenset(self.slots.get(identity.number.plain, {}))

    async def take_slot(self, attempt: Attempt, identity: Identity, now: datetime) -> bool:
        taken = self.slots.setdefault(identity.number.plain, {})
        if len(taken) >= MAX_ACCOUNTS or await self.slot_of(attempt.account) is not None:
            return False
        taken[attempt.account] = QuotaSlot(attempt.account, attempt.method, now)
        return True

    async def rate_limit_records(
        self, attempt: Attempt, identity: Identity, since: datetime, number_limit: int
    ) -> Sequence[RateLimitRecord]:
        del number_limit
        tried = [
            RateLimitRecord(
                at=made.created_at,
                number=number,
                asked=asked,
                same_account=made.account == attempt.account,
                same_person=made.contact == attempt.contact,
                same_number=number == identity.number.plain,
            )
            for made, number, asked in self.tried.values()
            if made.created_at > since
        ]
        return [each for each in tried if each.same_account or each.same_person or each.same_number]

    async def add_rate_limit_record(self, attempt: Attempt, identity: Identity, *, asked: bool) -> None:
        self.tried[attempt.id] = (attempt, identity.number.plain, asked)

    async def budget_spent(self, since: datetime, budget: int) -> datetime | None:
        asked = sorted(made.created_at for made, _, asked in self.tried.values() if asked and made.created_at > since)
        return asked[-budget] if len(asked) >= budget else None

    async def post_notice(self, kind: NoticeKind, attempt: Attempt, now: datetime) -> None:
        del now
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
            )
        )

    async def post_result(self, attempt: Attempt, now: datetime, *, simulated: bool) -> None:
        raise AssertionError(f"{attempt.id}: nobody is told of results here ({now}, {simulated})")


class MemoryStore:
    """The store; `meanwhile` runs before each unit and hears its key, to let something else come first."""

    def __init__(self) -> None:
        self.kept = MemoryUnit()
        self.meanwhile: Callable[[str], None] = lambda alone_with: None
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def unit(self, lock_key: str) -> AsyncIterator[MemoryUnit]:
        async with self._alone:
            self.meanwhile(lock_key)
            unit = self.kept.copied()
            yield unit
            self.kept = unit

    async def claim_notices(self, now: datetime, *, until: datetime, limit: int) -> Sequence[Notice]:
        del now, until
        return self.kept.notices[:limit]

    async def settle_notice(self, notice: Notice) -> None:
        self.kept.notices = [kept for kept in self.kept.notices if kept.id != notice.id]

    def put(self, attempt_id: AttemptId, **changes: object) -> None:
        """Change a kept attempt behind the core's back, to reach what only time or other parts can do."""
        self.kept.attempts[attempt_id] = replace(self.kept.attempts[attempt_id], **changes)  # type: ignore[arg-type]
