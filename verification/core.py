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

from verification.attempts import LIVE, Attempt, AttemptId, Method, Outcome, Passed, Reason, Rejected, Status
from verification.errors import (
    AlreadyVerified,
    AttemptOver,
    ContradictedOutcome,
    ProviderUnavailable,
    QuotaReached,
    TooMany,
    Unreadable,
)
from verification.identity import Identity
from verification.limits import DAY, Limits, refused_until
from verification.ports import PLACES, News, Place, Provider, Store, Unit

log = logging.getLogger(__name__)

_SWEEP = 100
_RESERVING = "reserving"
"""What is counted for a limit is counted and used up by one at a time, however many programs there are."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a front end asks for: `id` is made by it once, and makes asking again harmless."""

    id: AttemptId
    account: str
    contact: str
    identity: Identity
    method: Method


@dataclass(frozen=True, slots=True)
class Opening:
    """What the person needs to go on: where the code leads, and what to compare."""

    attempt: AttemptId
    link: str = field(repr=False)
    match_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Outside:
    """The outside facts the core may use.

    `clock` gives aware UTC times, `token` at least 128 random bits in URL characters, `match_code` two digits, and
    `link` turns a token into the address a phone opens. `announce` is called when there may be news to tell.
    """

    clock: Callable[[], datetime]
    token: Callable[[], str]
    match_code: Callable[[], str]
    link: Callable[[str], str]
    announce: Callable[[], None] = lambda: None


class Core:
    """The rules of verification, over a store and the providers."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[Method, Provider],
        outside: Outside,
        *,
        ttl: timedelta,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        posts_results: bool = False,
    ) -> None:
        """Put the rules to work; with `posts_results` every verdict is owed to another server too."""
        self._store = store
        self._providers = providers
        self._outside = outside
        self._ttl = ttl
        self._limits = limits
        self._posts_results = posts_results
        self._notice_before = min(timedelta(seconds=30), ttl / 4)

    async def begin(self, wish: Wish) -> Opening:
        """Open an attempt; raises a `Refused` or `ProviderUnavailable`. The same id gives the same opening."""
        async with self._store.unit(_RESERVING) as unit:
            attempt = await self._reserve(unit, wish)
        if attempt is None:
            raise QuotaReached(wish.id)
        if attempt.status is not Status.RESERVED:
            return self._opening(attempt)
        try:
            session = await self._providers[wish.method].open(attempt.id, wish.identity)
        except ProviderUnavailable:
            async with self._store.unit(wish.account) as unit:
                await unit.note_try(attempt, wish.identity, asked=False)
            await self.cancel(wish.id)
            raise
        async with self._store.unit(wish.account) as unit:
            attempt = await self._known(unit, wish.id)
            if attempt.status is Status.RESERVED:
                expires_at = self._outside.clock() + self._ttl
                attempt = replace(attempt.moved(Status.WAITING), page=session.page, expires_at=expires_at)
                await unit.save_attempt(attempt)
        if not attempt.live:
            raise AttemptOver(attempt.id)
        return self._opening(attempt)

    async def find(self, token: str) -> Attempt | None:
        """Find the attempt a scanned code belongs to, whatever has become of it."""
        async with self._store.unit(f"token:{token}") as unit:
            return await unit.attempt_by_token(token)

    async def progress(self, attempt_id: AttemptId, status: Status, page: str) -> Attempt:
        """Record how far the person has come on the phone; raises `AttemptOver` when it is too late.

        Opening the page gives the full time again: whoever is there must not be cut off half way. An end is a verdict
        and comes by `complete` alone, which counts the places.
        """
        if status not in LIVE:
            raise ValueError(f"{status} is an end, not progress")
        now = self._outside.clock()
        async with self._telling(attempt_id) as unit:
            attempt = await self._known(unit, attempt_id)
            if not attempt.live or attempt.expires_at <= now:
                raise AttemptOver(attempt_id)
            if status is attempt.status:
                if page != attempt.page:
                    attempt = replace(attempt, page=page)
                    await unit.save_attempt(attempt)
                return attempt
            attempt = replace(attempt.moved(status), page=page, expires_at=now + self._ttl, fading=False)
            await unit.save_attempt(attempt)
            await unit.post(News.PROGRESS, attempt, now)
            return attempt

    async def complete(self, attempt_id: AttemptId, outcome: Outcome) -> Attempt:
        """Record the verdict, once.

        The same verdict again changes nothing; a different one raises `ContradictedOutcome`; one that comes too late
        raises `AttemptOver`. A success whose number has no place left is recorded as a failure for that reason.
        """
        now = self._outside.clock()
        async with self._telling(attempt_id) as unit:
            attempt = await self._known(unit, attempt_id)
            if attempt.has_outcome(outcome):
                return attempt
            if attempt.status in (Status.SUCCEEDED, Status.FAILED):
                raise ContradictedOutcome(attempt_id)
            if not attempt.live or attempt.expires_at <= now:
                raise AttemptOver(attempt_id)
            judged = attempt.judged(await self._within_quota(unit, attempt, outcome, now))
            await unit.save_attempt(judged)
            await unit.post(News.ENDED, judged, now)
            if self._posts_results:
                await unit.post_result(judged, now, simulated=self._providers[judged.method].simulated)
            return judged

    async def cancel(self, attempt_id: AttemptId) -> None:
        """End a live attempt without a verdict; one that is over stays as it is."""
        async with self._store.unit(attempt_id) as unit:
            attempt = await unit.attempt(attempt_id)
            if attempt is not None and attempt.live:
                await unit.save_attempt(attempt.moved(Status.CANCELLED))

    async def verified(self, account: str) -> Place | None:
        """The place this account holds, if it is verified."""
        async with self._store.unit(account) as unit:
            return await unit.verified(account)

    async def sweep(self) -> int:
        """Expire what is due and announce what soon will be; says how many attempts it touched."""
        now = self._outside.clock()
        touched = await self._to_touch(now)
        for attempt_id in touched:
            try:
                await self._let_fade(attempt_id, now)
            except Unreadable:
                await self._give_up(attempt_id)
        return len(touched)

    async def _to_touch(self, now: datetime) -> Sequence[AttemptId]:
        limit = _SWEEP
        while True:
            async with self._store.unit("sweep") as unit:
                due = await unit.due(now + self._notice_before, limit)
            touched = [attempt.id for attempt in due if attempt.expires_at <= now or not attempt.fading]
            if touched or len(due) < limit:
                return touched
            # All of them are announced and not over yet: whoever comes behind them must not wait for their end.
            limit *= 2

    async def _let_fade(self, attempt_id: AttemptId, now: datetime) -> None:
        async with self._telling(attempt_id) as unit:
            attempt = await self._known(unit, attempt_id)
            if not attempt.live or attempt.expires_at > now + self._notice_before:
                return
            if attempt.expires_at <= now:
                attempt = attempt.moved(Status.EXPIRED)
                news = News.ENDED
            elif attempt.fading:
                return
            else:
                attempt = replace(attempt, fading=True)
                news = News.FADING
            await unit.save_attempt(attempt)
            await unit.post(news, attempt, now)

    async def _give_up(self, attempt_id: AttemptId) -> None:
        """Nothing can come of it any more, and its account waits for it."""
        log.error("attempt %s cannot be read; it is given up", attempt_id)
        async with self._store.unit(attempt_id) as unit:
            await unit.give_up(attempt_id)

    @asynccontextmanager
    async def _telling(self, attempt_id: AttemptId) -> AsyncIterator[Unit]:
        async with self._store.unit(attempt_id) as unit:
            yield unit
        self._outside.announce()

    async def _reserve(self, unit: Unit, wish: Wish) -> Attempt | None:
        """None when no place is left: that answer is kept as a try, or numbers could be sounded out without end."""
        known = await unit.attempt(wish.id)
        if known is not None:
            if not known.live:
                raise AttemptOver(wish.id)
            return known
        # First of all: a verdict that is just being recorded is waited for here, and seen below.
        other = await unit.live_attempt(wish.account)
        if await unit.verified(wish.account) is not None:
            raise AlreadyVerified(wish.account)
        attempt = self._reserved(wish)
        await self._check_limits(unit, attempt, wish.identity)
        full = len(await unit.accounts_of(wish.identity) - {wish.account}) >= PLACES
        await unit.note_try(attempt, wish.identity, asked=not full)
        if full:
            return None
        if other is not None:
            over = other.moved(Status.CANCELLED)
            await unit.save_attempt(over)
            if over.contact != wish.contact:
                # Another chat is at the same account: the code it shows is dead now.
                await unit.post(News.ENDED, over, attempt.created_at)
        await unit.save_attempt(attempt)
        return attempt

    def _reserved(self, wish: Wish) -> Attempt:
        now = self._outside.clock()
        return Attempt(
            id=wish.id,
            account=wish.account,
            contact=wish.contact,
            method=wish.method,
            status=Status.RESERVED,
            match_code=self._outside.match_code(),
            created_at=now,
            expires_at=now + self._ttl,
            identity=wish.identity,
            token=self._outside.token(),
        )

    async def _check_limits(self, unit: Unit, attempt: Attempt, identity: Identity) -> None:
        since = attempt.created_at - DAY
        until = refused_until(await unit.tries(attempt, identity, since, self._limits.number), self._limits)
        if until is not None:
            raise TooMany(until)
        spent = await unit.budget_spent(since, self._limits.overall)
        if spent is not None:
            raise TooMany(spent + DAY, everybody=True)

    async def _within_quota(self, unit: Unit, attempt: Attempt, outcome: Outcome, now: datetime) -> Outcome:
        if not isinstance(outcome, Passed):
            return outcome
        if attempt.identity is None:
            raise AttemptOver(attempt.id)
        taken = await unit.take_place(attempt, attempt.identity, now)
        return outcome if taken else Rejected(Reason.QUOTA)

    async def _known(self, unit: Unit, attempt_id: AttemptId) -> Attempt:
        attempt = await unit.attempt(attempt_id)
        if attempt is None:
            raise AttemptOver(attempt_id)
        return attempt

    def _opening(self, attempt: Attempt) -> Opening:
        link = self._outside.link(attempt.token)
        return Opening(attempt.id, link, attempt.match_code, attempt.expires_at)
