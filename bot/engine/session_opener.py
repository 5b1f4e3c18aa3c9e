"""Opens providers' sessions in tasks of their own, so that a slow provider delays no chat.

The delivery of a turn that asks for a code waits only `PATIENCE` for its session. After that the person is told, and
their other turns are shown while the opening goes on. Until its outcome is committed, the turn stays owed: after a
crash it is resumed, and the opening is repeated, which is harmless.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.engine.delivery_rules import RETRY_DELAYS
from bot.engine.messages import Envelope, SessionOpened
from bot.flow.events import AttemptRefusal, AttemptRefused
from verification.attempts import AttemptId, AttemptStatus
from verification.core import Core
from verification.dialogue_store import DialogueStore
from verification.errors import ProviderUnavailable
from verification.ids import PersonId

log = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds after which a person notices that nothing comes."""


@dataclass(slots=True)
class _Opening:
    """One session that is being opened; with `is_slow` nobody waits for the task."""

    task: asyncio.Task[None]
    is_slow: bool = False


class SessionOpener:
    """Opens sessions; `commit` commits the turn of what comes of it."""

    def __init__(
        self,
        store: DialogueStore,
        core: Core,
        commit: Callable[[Envelope], Awaitable[None]],
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self._store = store
        self._core = core
        self._commit = commit
        self._retry_delays = retry_delays
        self._openings: dict[AttemptId, _Opening] = {}

    def is_opening(self, attempt_id: AttemptId | None) -> bool:
        """Whether the session of this attempt is being opened here."""
        return attempt_id in self._openings

    async def open(self, person: PersonId, attempt_id: AttemptId) -> bool:
        """Open the session of an attempt that a turn has reserved; False when it takes longer than `PATIENCE`.

        An attempt whose session is being opened already is not opened again, and nobody waits for it twice.
        """
        if attempt_id in self._openings:
            return True
        task = asyncio.get_running_loop().create_task(self._open(person, attempt_id))
        self._openings[attempt_id] = opening = _Opening(task)
        task.add_done_callback(lambda _: self._openings.pop(attempt_id))
        await asyncio.wait((task,), timeout=PATIENCE)
        if task.done():
            task.result()
            return True
        opening.is_slow = True
        return False

    async def close(self) -> None:
        """Stop opening; what is not done is done after the next start."""
        tasks = [opening.task for opening in self._openings.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, person: PersonId, attempt_id: AttemptId) -> None:
        for delay in self._retry_delays:
            try:
                await self._open_once(person, attempt_id)
            except Exception:
                if not self._openings[attempt_id].is_slow:
                    # The delivery that waits for it asks again.
                    raise
                log.exception("the session of attempt %s could not be opened; trying again", attempt_id)
                await asyncio.sleep(delay)
            else:
                return

    async def _open_once(self, person: PersonId, attempt_id: AttemptId) -> None:
        attempt = await self._store.transact(person, lambda unit: unit.attempt(attempt_id))
        if attempt is None or attempt.status is not AttemptStatus.RESERVED:
            # The person may have gone on or erased everything since the commit.
            return
        event: AttemptRefused | SessionOpened
        try:
            session = await self._core.open_session(attempt)
        except ProviderUnavailable:
            event = AttemptRefused(attempt_id, AttemptRefusal.UNAVAILABLE)
        else:
            event = SessionOpened(attempt_id, attempt.account, session)
        await self._commit(Envelope(person, event, None))
