"""Runs a person's dialogue: commits the turn of each event, shows what the turn says, and has attempts opened.

A turn is committed before anything of it is shown, and the event's id is committed with it, so nothing happens twice.
`turns` commits, `delivery` decides what is shown and when, and this module carries that out in the store and the chat.
"""

import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from msgspec.structs import replace

from bot.engine.delivery_queue import DeliveryQueues
from bot.engine.delivery_states import (
    Acquiring,
    Blocking,
    Busy,
    DeliveryEvent,
    EffectDone,
    LeaseAcquired,
    LeaseNotNeeded,
    LeaseRefused,
    NothingOwed,
    Noting,
    PersonQueue,
    Reasked,
    Reasking,
    Releasing,
    Showing,
    StoreUpdated,
)
from bot.engine.messages import FRONT_END, Envelope, ReplyContext, Turn, TurnKind
from bot.engine.replicas import IsOrphaned, Replicas
from bot.engine.session_opener import SessionOpener
from bot.engine.turns import RunnerConfig, TurnCommitter
from bot.flow.effects import (
    CancelAttempt,
    CheckQuota,
    CountQuestion,
    DeleteUserMessage,
    Effect,
    EraseRecords,
    OpenAttempt,
    RecordConsent,
    RecordDispute,
    Reply,
    SendExport,
    SendText,
    SetLanguage,
    SetSuggestedMethod,
    ShowRecords,
    StopReminders,
)
from bot.flow.events import ReaskRequested
from verification.core import Core
from verification.dialogue_store import DialogueStore, DialogueUnit, PendingReply, PersonRecords
from verification.errors import describe_error
from verification.ids import Account, PersonId

log = logging.getLogger(__name__)

_PENDING_BATCH = 100


class ReplyDelivery(Protocol):
    """Shows replies in a chat."""

    async def deliver(self, reply: Reply, context: ReplyContext) -> str:
        """Show a reply and return where the panel is now.

        Raises `DeliveryFailed` if the reply is not known to have arrived, and `BotBlocked` if the person cannot be
        written to.
        """


class Runner:
    """Runs dialogues on a store, a core and a chat; with `replicas`, next to other processes on the same store."""

    def __init__(
        self,
        store: DialogueStore,
        core: Core,
        delivery: ReplyDelivery,
        config: RunnerConfig,
        replicas: Replicas | None = None,
    ) -> None:
        self._store = store
        self._core = core
        self._delivery = delivery
        self._config = config
        self._replicas = replicas
        self._replies_maybe_lost = False
        # Noted with the shown reply. What a crash or an outage hides is deleted once more, which does no harm.
        self._deleted: defaultdict[PersonId, list[int]] = defaultdict(list)
        self._queues = DeliveryQueues(self._carry_out, config.is_outage)
        self._committer = TurnCommitter(store, core, config, self._queues.is_delivering)
        self._opener = SessionOpener(store, core, self.handle)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Show what is committed, until left."""
        try:
            async with self._queues.running():
                yield
        finally:
            await self._opener.close()

    async def wait_until_idle(self, seconds: float) -> bool:
        """Wait at most so many seconds until everything committed is shown, and say whether that is so."""
        return await self._queues.wait_until_idle(seconds)

    async def handle(self, envelope: Envelope) -> None:
        """Commit the turn of an event. Its replies are shown later, in the order of the person's turns."""
        try:
            turn = await self._committer.commit(envelope)
        except Exception as error:
            # The turn may be committed, with only the answer lost: the event's repetition will show nothing.
            self._replies_maybe_lost |= self._config.is_outage(error)
            raise
        if turn is not None:
            self._queues.add(turn)

    async def resume_after_outage(self) -> None:
        """Ask again what an outage may have hidden. Replicas need no such call: each looks for owed replies anyway."""
        if self._replies_maybe_lost and self._replicas is None:
            # People with a turn on its way are passed over, so there is another round for them.
            nobody_passed_over = await self._queues.wait_until_idle(0)
            await self.resume_pending()
            self._replies_maybe_lost = not nobody_passed_over

    async def resume_pending(self, is_orphaned: IsOrphaned = lambda _: True) -> None:
        """Ask again wherever a committed reply may not have reached the chat, and no process is showing it."""
        limit, tried = _PENDING_BATCH, set[PersonId]()
        while True:
            owed = await self._store.pending_replies(FRONT_END, limit)
            fresh = [one for one in owed if one.person not in tried]
            for one in fresh:
                if not self._queues.is_delivering(one.person) and is_orphaned(one):
                    await self._resume(one)
            tried.update(one.person for one in fresh)
            if len(owed) < limit:
                return
            # Those who were tried may still be owed: the people after them must not wait for their chats.
            limit *= 2

    async def _resume(self, owed: PendingReply) -> None:
        try:
            if self._replicas is not None and not await self._replicas.take_over(owed):
                return
            turn = await self._reask(owed.person, TurnKind.RESUME)
            if turn is not None:
                self._queues.add(turn)
        except Exception as error:
            if self._config.is_outage(error):
                raise
            # A dialogue that cannot be read must not keep the process from serving everybody else.
            log.error("what %s is owed cannot be asked again: %s", owed.person, describe_error(error))  # noqa: TRY400

    async def _reask(self, person: PersonId, kind: TurnKind) -> Turn | None:
        return await self._committer.commit(Envelope(person, ReaskRequested(), None, kind=kind))

    async def _carry_out(self, person: PersonId, state: Busy) -> DeliveryEvent:
        """Do what a state of the delivery stands for, and return what came of it."""
        match state:
            case Acquiring(turn=turn):
                return await self._acquire_lease(person, turn)
            case Showing(remaining=(effect, *_)):
                return EffectDone(await self._perform(effect, state.context))
            case Reasking():
                question = await self._reask(person, TurnKind.REASK)
                return NothingOwed() if question is None else Reasked(question)
            case Noting(queue, turn):
                await self._note(person, queue, turn)
            case Blocking(queue):
                await self._store.mark_blocked(person, queue.panel or "")
            case Releasing() if self._replicas is not None:
                await self._replicas.release(person)
        return StoreUpdated()

    async def _note(self, person: PersonId, queue: PersonQueue, turn: Turn) -> None:
        """Note a turn as shown; one whose session is still being opened stays owed, and the lease is free."""
        is_opening = self._opener.is_opening(turn.opening)
        await self._store.mark_shown(
            person,
            turn.revision - 1 if is_opening else turn.revision,
            queue.panel or "",
            self._deleted.pop(person, ()),
            # Otherwise the mark may wait for other commits: nobody waits for it.
            soon=bool(queue.waiting) or self._queues.is_awaited,
            worker=self._replicas.program if is_opening and self._replicas is not None else None,
        )

    async def _acquire_lease(self, person: PersonId, turn: Turn) -> DeliveryEvent:
        if self._replicas is None:
            return LeaseNotNeeded()
        lease = await self._replicas.acquire(person, turn.revision)
        return LeaseRefused() if lease is None else LeaseAcquired(lease)

    async def _perform(self, effect: Effect, context: ReplyContext) -> str:
        """Carry out an effect and return where the panel is now."""
        match effect:
            case OpenAttempt():
                return await self._open_attempt(effect, context)
            case CountQuestion(topic):
                self._config.count_question(topic)
            case (
                CheckQuota()
                | CancelAttempt()
                | RecordConsent()
                | RecordDispute()
                | EraseRecords()
                | StopReminders()
                | SetLanguage()
                | SetSuggestedMethod()
            ):
                # Done in the transaction of the turn.
                pass
            case ShowRecords() | SendExport():
                records = await self._records(context.person, effect.account)
                return await self._delivery.deliver(effect, replace(context, records=records))
            case DeleteUserMessage() if context.origin.message_id is not None:
                panel = await self._delivery.deliver(effect, context)
                self._deleted[context.person].append(context.origin.message_id)
                return panel
            case _:
                return await self._delivery.deliver(effect, context)
        return context.panel

    async def _records(self, person: PersonId, account: Account) -> PersonRecords:
        async def body(unit: DialogueUnit) -> PersonRecords:
            return replace(await unit.records(person), quota_slot=await unit.slot_of(account))

        return await self._store.transact(person, body)

    async def _open_attempt(self, request: OpenAttempt, context: ReplyContext) -> str:
        """Have the provider's session opened; the person is told when that takes a while."""
        if await self._opener.open(context.person, request.attempt):
            return context.panel
        return await self._delivery.deliver(SendText("provider.slow"), context)
