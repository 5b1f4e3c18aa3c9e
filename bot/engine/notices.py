"""Sends the core's notices to people: each notice is settled in the turn that tells it.

A notice that this process has posted is handed over as soon as it is committed, with its lease taken already. All other
notices, and those of a crashed process, are claimed from the store when their lease is over. Notices to different
people go out side by side, those to one person in order.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

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
        self._in_flight = set[asyncio.Task[None]]()
        self._unclaimed = False
        """Whether a notice may wait for one that is in flight."""

    def announce(self, notice: Notice | None) -> None:
        """Send a notice that is leased to this process; with None, look at once whether there are others."""
        if notice is None:
            self._unclaimed = True
            self._wake.set()
            return
        task = asyncio.get_running_loop().create_task(self._dispatch(notice))
        self._in_flight.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if self._unclaimed:
            self._wake.set()

    async def run(self) -> None:
        """Run round after round; a part that fails is logged and tried again in the next round."""
        try:
            while True:
                self._unclaimed = bool(self._in_flight) and self._unclaimed
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
        finally:
            # A turn that is cancelled after its commit would send nothing.
            await asyncio.gather(*self._in_flight)

    async def dispatch_batch(self) -> int:
        """Send one batch of notices side by side and return how many there were; there is one for each person."""
        now = self._clock()
        notices = await self._store.claim_notices(now, until=now + LEASE, limit=_BATCH_SIZE)
        await asyncio.gather(*map(self._dispatch, notices))
        return len(notices)

    async def _dispatch(self, notice: Notice) -> None:
        """Commit the turn that tells a notice; one that fails comes again when its lease is over."""
        event = event_of(notice)
        try:
            if event is None:
                await self._store.transact(notice.contact, lambda unit: unit.settle_notice(notice))
            else:
                await self._runner.handle(
                    Envelope(PersonId(notice.contact), event, None, kind=TurnKind.NEWS, notice=notice)
                )
        except Exception:
            log.exception("notice %s could not be sent; trying again", notice.id)

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
