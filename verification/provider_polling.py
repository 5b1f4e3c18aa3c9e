"""Asks providers how far people have come: when one rings, and every few seconds while somebody is under way.

What is heard this way is believed by these rules, whatever the order in which it comes. Nothing counts before the
person pressed on from our own page, where account and match code stand. The first verdict stands; the same again
changes nothing; another one is counted and logged. What comes after the end of an attempt's time is too late.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from verification.attempts import Attempt, AttemptId, AttemptStatus, Method, Verdict
from verification.core import Core
from verification.errors import AttemptOver, ContradictoryVerdict, ProviderUnavailable
from verification.ports import PollableProvider, Store

log = logging.getLogger(__name__)

POLL_INTERVAL = timedelta(seconds=5)
"""Between two questions about one attempt that nobody rang for, from all programs together."""
_LOOP_INTERVAL = 1.0
_WORKERS = 8
_MAX_QUEUED = 1000

_IN_PROGRESS = (AttemptStatus.OPENED, AttemptStatus.CONFIRMING)
_POLLED_STATUSES = frozenset({*_IN_PROGRESS, AttemptStatus.SUCCEEDED, AttemptStatus.FAILED})
"""An attempt with a verdict is asked about when somebody rings: a contradiction must not go unnoticed."""


class ProviderPoller:
    """The loop that asks, and the bell that wakes it; `count` hears what came of each question."""

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
        """There may be news of this attempt. Beyond a bound the ring is dropped: the next round finds it."""
        if attempt not in self._queued and len(self._queued) < _MAX_QUEUED:
            self._queued.add(attempt)
            self._queue.put_nowait(attempt)

    async def run(self) -> None:
        """Ask for ever; a fault is logged, and tried again."""
        if not self._providers:
            return
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_WORKERS):
                tasks.create_task(self._worker())
            while True:
                await self._run_logged(self.poll_due)
                await asyncio.sleep(_LOOP_INTERVAL)

    async def poll_due(self) -> int:
        """Ring for everybody who is under way and was not asked about lately; says for how many."""
        now, found = self._clock(), 0
        for method in self._providers:
            async with self._store.unit("asks") as unit:
                due = await unit.claim_due_polls(
                    method, now=now, before=now - POLL_INTERVAL, limit=_MAX_QUEUED - len(self._queued)
                )
            for attempt in due:
                self.notify(attempt)
            found += len(due)
        return found

    async def poll_one(self, attempt_id: AttemptId) -> None:
        """Ask about one attempt, and believe the answer as far as the rules allow."""
        async with self._store.unit(attempt_id) as unit:
            attempt = await unit.attempt(attempt_id)
        provider = None if attempt is None else self._providers.get(attempt.method)
        if attempt is None or provider is None or attempt.status not in _POLLED_STATUSES:
            self._count("ignored")
            return
        try:
            heard = await provider.poll(attempt_id)
        except ProviderUnavailable as error:
            log.info("no answer about attempt %s: %s", attempt_id, error)
            self._count("unavailable")
            return
        self._count(await self._apply_answer(attempt, heard))

    async def _apply_answer(self, attempt: Attempt, heard: AttemptStatus | Verdict) -> str:
        try:
            if not isinstance(heard, AttemptStatus):
                await self._core.complete(attempt.id, heard)
                return "verdict"
            if attempt.live and _IN_PROGRESS.index(attempt.status) < _progress_rank(heard):
                await self._core.progress(attempt.id, heard, attempt.provider_state)
        except AttemptOver:
            return "late"
        except ContradictoryVerdict:
            log.error("the provider contradicts its verdict on attempt %s; the first one stands", attempt.id)  # noqa: TRY400
            return "contradicted"
        return "progress"

    async def _worker(self) -> None:
        while True:
            attempt = await self._queue.get()
            # Before it is asked about: whoever rings meanwhile may know more than the answer under way.
            self._queued.discard(attempt)
            await self._run_logged(partial(self.poll_one, attempt))

    async def _run_logged(self, do: Callable[[], Awaitable[object]]) -> None:
        try:
            await do()
        except Exception:
            log.exception("a provider's news could not be taken; trying again")


def _progress_rank(status: AttemptStatus) -> int:
    return _IN_PROGRESS.index(status) if status in _IN_PROGRESS else -1
