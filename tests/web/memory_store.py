"""A store at the core's port that keeps everything in memory, one unit at a time; an error rolls back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from verification import Attempt, AttemptId, Identity, Method, Status
from verification.limits import Try
from verification.ports import PLACES, Due, News, Notice, Place


@dataclass(slots=True)
class MemoryUnit:
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    places: dict[str, dict[str, Place]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    tried: dict[AttemptId, tuple[Attempt, str, bool]] = field(default_factory=dict)

    def copied(self) -> "MemoryUnit":
        places = {number: dict(taken) for number, taken in self.places.items()}
        return MemoryUnit(dict(self.attempts), places, list(self.notices), dict(self.tried))

    async def attempt(self, attempt: AttemptId) -> Attempt | None:
        return self.attempts.get(attempt)

    async def attempt_by_token(self, token: str) -> Attempt | None:
        return next((attempt for attempt in self.attempts.values() if attempt.token == token), None)

    async def live_attempt(self, account: str) -> Attempt | None:
        return next(
            (attempt for attempt in self.attempts.values() if attempt.account == account and attempt.live), None
        )

    async def verified(self, account: str) -> Place | None:
        return next((taken[account] for taken in self.places.values() if account in taken), None)

    async def save_attempt(self, attempt: Attempt) -> None:
        other = await self.live_attempt(attempt.account)
        assert not attempt.live or other is None or other.id == attempt.id, "a second live attempt of one account"
        self.attempts[attempt.id] = attempt

    async def due(self, moment: datetime, limit: int) -> Sequence[Due]:
        due = [attempt for attempt in self.attempts.values() if attempt.live and attempt.expires_at <= moment]
        oldest = sorted(due, key=lambda attempt: attempt.expires_at)[:limit]
        return [Due(attempt.id, attempt.expires_at, attempt.fading) for attempt in oldest]

    async def give_up(self, attempt: AttemptId) -> None:
        raise AssertionError(f"{attempt} can be read")

    async def take_asks(self, method: Method, now: datetime, before: datetime, limit: int) -> Sequence[AttemptId]:
        del now, before
        under_way = (Status.OPENED, Status.CONFIRMING)
        taken = [each.id for each in self.attempts.values() if each.method is method and each.status in under_way]
        return taken[:limit]

    async def accounts_of(self, identity: Identity) -> frozenset[str]:
        return frozenset(self.places.get(identity.number.plain, {}))

    async def take_place(self, attempt: Attempt, identity: Identity, now: datetime) -> bool:
        taken = self.places.setdefault(identity.number.plain, {})
        if len(taken) >= PLACES or await self.verified(attempt.account) is not None:
            return False
        taken[attempt.account] = Place(attempt.account, attempt.method, now)
        return True

    async def tries(self, attempt: Attempt, identity: Identity, since: datetime, crowd: int) -> Sequence[Try]:
        del crowd
        tried = [
            Try(
                made.created_at,
                number,
                asked,
                same_account=made.account == attempt.account,
                same_person=made.contact == attempt.contact,
                same_number=number == identity.number.plain,
            )
            for made, number, asked in self.tried.values()
            if made.created_at > since
        ]
        return [each for each in tried if each.same_account or each.same_person or each.same_number]

    async def note_try(self, attempt: Attempt, identity: Identity, *, asked: bool) -> None:
        self.tried[attempt.id] = (attempt, identity.number.plain, asked)

    async def budget_spent(self, since: datetime, budget: int) -> datetime | None:
        asked = sorted(made.created_at for made, _, asked in self.tried.values() if asked and made.created_at > since)
        return asked[-budget] if len(asked) >= budget else None

    async def post(self, news: News, attempt: Attempt, now: datetime) -> None:
        del now
        self.notices.append(
            Notice(
                id=len(self.notices) + 1,
                contact=attempt.contact,
                news=news,
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
    async def unit(self, alone_with: str) -> AsyncIterator[MemoryUnit]:
        async with self._alone:
            self.meanwhile(alone_with)
            unit = self.kept.copied()
            yield unit
            self.kept = unit

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        del now, until
        return self.kept.notices[:limit]

    async def settle(self, notice: Notice) -> None:
        self.kept.notices = [kept for kept in self.kept.notices if kept.id != notice.id]

    def put(self, attempt_id: AttemptId, **changes: object) -> None:
        """Change a kept attempt behind the core's back, to reach what only time or other parts can do."""
        self.kept.attempts[attempt_id] = replace(self.kept.attempts[attempt_id], **changes)  # type: ignore[arg-type]
