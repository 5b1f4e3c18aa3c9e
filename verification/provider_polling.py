"""The poller of providers: asks how far a person has come, every few seconds and when a callback hints at news.

These rules hold for every answer, in any order. Nothing counts before the person has pressed the button on our own
page, which shows account and match code. The first verdict stands; the same verdict again changes nothing; a different
one is counted and logged.

No verdict is lost over the end of an attempt. When its time is over, it is still polled for `GRACE`; then it is asked
about once more, however long the program was away, and expires only if there is no verdict. A verdict that comes after
that is counted and logged as late.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from verification.attempts import LIVE_STATUSES, ON_PHONE_STATUSES, Attempt, AttemptId, AttemptStatus, Method
from verification.core import Core
from verification.errors import AttemptOver, ContradictoryVerdict, ProviderUnavailable, Unreadable
from verification.ports import PollableProvider, ProviderAnswer, Store, Unit

log = logging.getLogger(__name__)

POLL_INTERVAL = timedelta(seconds=5)
"""Between two polls of one attempt, counted over all programs together; a notification polls at once."""
GRACE = timedelta(seconds=60)
"""How long after its time an attempt still waits for a verdict."""
_LOOP_INTERVAL = 1.0
_WORKERS = 8
_MAX_QUEUED = 1000

_POLLED_STATUSES = frozenset(AttemptStatus) - LIVE_STATUSES | set(ON_PHONE_STATUSES)
"""A notification polls an attempt that has ended too, so that a late or contradictory verdict is noticed."""


class ProviderPoller:
    """The polling loop and its queue; `count` is called with the outcome of each poll, for the metrics."""

    def __init__(
        self,
        store: Store,
        core: Core,
        providers: Mapping[Method, PollableProvider],
        clock: Callable[[], datetime],
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._core = core
        self._providers = providers
        self._clock = clock
        self._count = count
        self._queued = set[AttemptId]()
        self._queue = asyncio.Queue[AttemptId]()

    def notify(self, attempt: AttemptId) -> None:
        """Queue an attempt that may have news. When the queue is full it is dropped: the next `poll_due` finds it."""
        if attempt not in self._queued and len(self._queued) < _MAX_QUEUED:
            self._queued.add(attempt)
            self._queue.put_nowait(attempt)

    async def run(self) -> None:
        """Poll until cancelled; an error is logged, and polling goes on."""
        if not self._providers:
            return
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_WORKERS):
                tasks.create_task(self._worker())
            while True:
                await self._run_logged(self.poll_due)
                await asyncio.sleep(_LOOP_INTERVAL)

    async def poll_due(self) -> int:
        """Queue the attempts in progress that were not polled lately; returns how many."""
        now, count = self._clock(), 0
        for method in self._providers:
            due = await self._store.transact("asks", partial(self._claim_due, method=method, now=now))
            for attempt in due:
                self.notify(attempt)
            count += len(due)
        return count

    async def _claim_due(self, unit: Unit, method: Method, now: datetime) -> Sequence[AttemptId]:
        return await unit.claim_due_polls(
            method, now=now, before=now - POLL_INTERVAL, limit=_MAX_QUEUED - len(self._queued)
        )

    async def poll_one(self, attempt_id: AttemptId) -> None:
        """Poll one attempt and apply the answer by the rules above."""
        try:
            attempt = await self._store.transact(attempt_id, lambda unit: unit.attempt(attempt_id))
        except Unreadable:
            await self._core.expire(attempt_id)
            raise
        provider = None if attempt is None else self._providers.get(attempt.method)
        if attempt is None or provider is None or attempt.status not in _POLLED_STATUSES:
            log.info("news of attempt %s is ignored: %s", attempt_id, attempt and attempt.status)
            self._count("ignored")
            return
        # This precedes the poll: what the provider says when the grace is over is the last answer.
        is_last = attempt.status in ON_PHONE_STATUSES and attempt.expires_at + GRACE <= self._clock()
        self._count(await self._poll(provider, attempt))
        if is_last:
            await self._core.expire(attempt_id)

    async def _poll(self, provider: PollableProvider, attempt: Attempt) -> str:
        """Poll a provider, apply the answer, and return the outcome."""
        try:
            answer = await provider.poll(attempt)
        except ProviderUnavailable as error:
            log.info("the provider did not answer about attempt %s: %s", attempt.id, error)
            return "unavailable"
        return await self._apply_answer(attempt, answer)

    async def _apply_answer(self, attempt: Attempt, answer: ProviderAnswer) -> str:
        try:
            if not isinstance(answer.news, AttemptStatus):
                await self._core.complete(attempt.id, answer.news)
                return "verdict"
            if attempt.live and _progress_rank(attempt.status) < _progress_rank(answer.news):
                await self._core.progress(attempt.id, answer.news, answer.provider_state)
            elif attempt.live and answer.provider_state is not None:
                await self._core.progress(attempt.id, attempt.status, answer.provider_state)
        except AttemptOver:
            log.warning("the provider's answer about attempt %s comes too late: it has ended", attempt.id)
            return "late"
        except ContradictoryVerdict:
            log.error("the provider contradicts its verdict on attempt %s; the first verdict stands", attempt.id)  # noqa: TRY400
            return "contradicted"
        return "progress"

    async def _worker(self) -> None:
        while True:
            attempt = await self._queue.get()
            # This precedes the poll: a notification during the poll may be newer than the answer.
            self._queued.discard(attempt)
            await self._run_logged(partial(self.poll_one, attempt))

    async def _run_logged(self, action: Callable[[], Awaitable[object]]) -> None:
        try:
            await action()
        except Exception:
            log.exception("a poll of a provider failed; it will be repeated")


def _progress_rank(status: AttemptStatus) -> int:
    return ON_PHONE_STATUSES.index(status) if status in ON_PHONE_STATUSES else -1
