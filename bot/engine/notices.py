"""Sends the core's notices to people: claims them under a lease, commits their turns, and settles them.

If the process crashes in between, the lease ends, and the notice comes again; its id then shows that its turn is
committed already.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from bot.engine.messages import Envelope, TurnKind
from bot.engine.runner import Runner
from bot.flow.events import AttemptFailed, AttemptPassed, AttemptProgressed, CodeExpired, CodeExpiring, Event
from bot.flow.states import PhoneStage
from verification.attempts import AttemptStatus, Reason
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.ids import PersonId
from verification.ports import Notice, NoticeKind

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=5)
POLL_INTERVAL = 0.5
"""Seconds between two rounds: attempts expire by the clock, and other processes leave notices."""
_BATCH_SIZE = 50


class NoticeDispatcher:
    """The loop that lets attempts expire and sends notices."""

    def __init__(self, store: DialogueStore, core: Core, runner: Runner, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._core = core
        self._runner = runner
        self._clock = clock
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Start the next round at once: there is news."""
        self._wake.set()

    async def run(self) -> None:
        """Run round after round; a part that fails is logged and tried again in the next round."""
        while True:
            # Each part fails by itself: an attempt that cannot be read must not keep results from people.
            await self._try(self._core.expire_due, "attempts could not be expired; trying again")
            await self._try(self._dispatch_all, "notices could not be sent; trying again")
            await self._try(self._runner.resume_after_outage, "what is owed could not be asked again; trying again")
            try:
                async with asyncio.timeout(POLL_INTERVAL):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def dispatch_batch(self) -> int:
        """Send one batch of notices and return how many there were."""
        now = self._clock()
        notices = await self._store.claim_notices(now, until=now + LEASE, limit=_BATCH_SIZE)
        for notice in notices:
            # It stays under its lease and comes again; the notices after it do not wait for it.
            await self._try(partial(self._dispatch_one, notice), f"notice {notice.id} could not be sent; trying again")
        return len(notices)

    async def _dispatch_one(self, notice: Notice) -> None:
        event = event_of(notice)
        if event is not None:
            await self._runner.handle(
                Envelope(PersonId(notice.contact), event, f"notice:{notice.id}", kind=TurnKind.NEWS)
            )
        await self._store.settle_notice(notice)

    async def _dispatch_all(self) -> None:
        while await self.dispatch_batch():
            pass

    async def _try(self, do: Callable[[], Awaitable[object]], otherwise: str) -> None:
        try:
            await do()
        except Exception:
            log.exception(otherwise)


def event_of(notice: Notice) -> Event | None:
    """What a notice means to a dialogue; None when there is nothing to say."""
    match notice.kind, notice.status:
        case NoticeKind.EXPIRING_SOON, _:
            return CodeExpiring(notice.attempt)
        case NoticeKind.PROGRESS, AttemptStatus.OPENED | AttemptStatus.CONFIRMING:
            return AttemptProgressed(notice.attempt, PhoneStage(notice.status.value), notice.expires_at)
        case NoticeKind.ENDED, AttemptStatus.SUCCEEDED:
            return AttemptPassed(notice.attempt, notice.account, notice.method)
        case NoticeKind.ENDED, AttemptStatus.FAILED:
            return AttemptFailed(notice.attempt, notice.reason or Reason.UNAVAILABLE)
        case NoticeKind.ENDED, AttemptStatus.EXPIRED | AttemptStatus.CANCELLED:
            # Cancelled from elsewhere: a link was revoked, or another chat verifies the account now.
            return CodeExpired(notice.attempt)
        case _:
            return None
