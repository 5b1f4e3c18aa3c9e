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

from verification.attempts import Attempt, AttemptId, Method, Outcome, Status
from verification.core import Core
from verification.errors import AttemptOver, ContradictedOutcome, ProviderUnavailable
from verification.ports import Askable, Store

log = logging.getLogger(__name__)

SPACING = timedelta(seconds=5)
"""Between two questions about one attempt that nobody rang for, from all programs together."""
_PULSE = 1.0
_AT_ONCE = 8
_PENDING = 1000

_UNDER_WAY = (Status.OPENED, Status.CONFIRMING)
_TO_ASK = frozenset({*_UNDER_WAY, Status.SUCCEEDED, Status.FAILED})
"""An attempt with a verdict is asked about when somebody rings: a contradiction must not go unnoticed."""


class Asking:
    """The loop that asks, and the bell that wakes it; `count` hears what came of each question."""

    def __init__(
        self,
        store: Store,
        core: Core,
        providers: Mapping[Method, Askable],
        clock: Callable[[], datetime],
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._core = core
        self._providers = providers
        self._clock = clock
        self._count = count
        self._pending = set[AttemptId]()
        self._rung = asyncio.Queue[AttemptId]()

    def ring(self, attempt: AttemptId) -> None:
        """There may be news of this attempt. Beyond a bound the ring is dropped: the next round finds it."""
        if attempt not in self._pending and len(self._pending) < _PENDING:
            self._pending.add(attempt)
            self._rung.put_nowait(attempt)

    async def run(self) -> None:
        """Ask for ever; a fault is logged, and tried again."""
        if not self._providers:
            return
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(self._work())
            while True:
                await self._try(self.round)
                await asyncio.sleep(_PULSE)

    async def round(self) -> int:
        """Ring for everybody who is under way and was not asked about lately; says for how many."""
        now, found = self._clock(), 0
        for method in self._providers:
            async with self._store.unit("asks") as unit:
                due = await unit.take_asks(method, now, now - SPACING, _PENDING - len(self._pending))
            for attempt in due:
                self.ring(attempt)
            found += len(due)
        return found

    async def look(self, attempt_id: AttemptId) -> None:
        """Ask about one attempt, and believe the answer as far as the rules allow."""
        async with self._store.unit(attempt_id) as unit:
            attempt = await unit.attempt(attempt_id)
        provider = None if attempt is None else self._providers.get(attempt.method)
        if attempt is None or provider is None or attempt.status not in _TO_ASK:
            self._count("ignored")
            return
        try:
            heard = await provider.ask(attempt_id)
        except ProviderUnavailable as error:
            log.info("no answer about attempt %s: %s", attempt_id, error)
            self._count("unavailable")
            return
        self._count(await self._believed(attempt, heard))

    async def _believed(self, attempt: Attempt, heard: Status | Outcome) -> str:
        try:
            if not isinstance(heard, Status):
                await self._core.complete(attempt.id, heard)
                return "verdict"
            if attempt.live and _UNDER_WAY.index(attempt.status) < _place(heard):
                await self._core.progress(attempt.id, heard, attempt.page)
        except AttemptOver:
            return "late"
        except ContradictedOutcome:
            log.error("the provider contradicts its verdict on attempt %s; the first one stands", attempt.id)  # noqa: TRY400
            return "contradicted"
        return "progress"

    async def _work(self) -> None:
        while True:
            attempt = await self._rung.get()
            # Before it is asked about: whoever rings meanwhile may know more than the answer under way.
            self._pending.discard(attempt)
            await self._try(partial(self.look, attempt))

    async def _try(self, do: Callable[[], Awaitable[object]]) -> None:
        try:
            await do()
        except Exception:
            log.exception("a provider's news could not be taken; trying again")


def _place(status: Status) -> int:
    return _UNDER_WAY.index(status) if status in _UNDER_WAY else -1
