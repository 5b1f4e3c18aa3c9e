"""The hall every event goes through: load, advance, save in one transaction; then show, and ask the core.

A turn is committed before anything of it is shown, and an event's id is committed with it, so nothing happens twice. A
process that dies in between leaves its debt in the store (`revision` ahead of `shown`), paid at the next start.
"""

import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol

from bot.engine.delivery_queue import DeliveryQueues, PersonQueue
from bot.engine.messages import BotBlocked, DeliveryFailed, Envelope, ReplyContext, Turn
from bot.engine.replicas import IsOrphaned, Replicas
from bot.engine.turns import RunnerConfig, TurnCommitter
from bot.flow import codec
from bot.flow.effects import (
    AskQuestion,
    CancelAttempt,
    CountQuestion,
    DeleteUserMessage,
    EditCaption,
    Effect,
    EraseRecords,
    OpenAttempt,
    RecordConsent,
    ReplaceCodeWithPicture,
    Reply,
    SendExport,
    SetLanguage,
    SetSuggestedMethod,
    ShowCode,
    ShowRecords,
    ShowToast,
)
from bot.flow.events import AttemptOpened, AttemptRefusal, AttemptRefused, Event, ReaskRequested
from bot.flow.states import Opening
from verification.core import AttemptRequest, Core
from verification.dialogue_store import DialogueStore, PendingDeletion, PendingReply, PersonRecords
from verification.errors import AlreadyVerified, ProviderUnavailable, QuotaReached, RequestRefused, TooManyAttempts
from verification.ids import Account, PersonId, contact_of, own_account

log = logging.getLogger(__name__)

_PENDING_BATCH = 100
_ANY_QUESTION = "*"
"""No question's mark: a process that died owing it may have asked whichever it is."""


class ReplyDelivery(Protocol):
    """Shows replies in a chat."""

    async def deliver(self, reply: Reply, context: ReplyContext) -> str:
        """Show a reply and say where the panel is now; raises `Undelivered` or `Unreachable`."""


class Runner:
    """Runs dialogues over a store, a core and a chat; with `replicas`, beside other programs on the same store."""

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
        given_up = None if replicas is None else replicas.release
        self._queues = DeliveryQueues(self._show, self._reask, config.is_outage, on_abandoned=given_up)
        self._committer = TurnCommitter(store, config, self._queues.is_delivering)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Show what is committed, until left."""
        return self._queues.running()

    async def wait_until_idle(self, seconds: float) -> bool:
        """Wait until everything committed is shown, at most so many seconds; says whether it is."""
        return await self._queues.wait_until_idle(seconds)

    async def handle(self, envelope: Envelope) -> None:
        """Commit the turn of an event; what it shows follows in the person's lane."""
        try:
            turn = await self._committer.commit(envelope)
        except Exception as error:
            # Perhaps it is committed and only the answer is lost: its repetition will show nothing.
            self._replies_maybe_lost |= self._config.is_outage(error)
            raise
        if turn is not None:
            self._queues.add(turn)

    async def resume_after_outage(self) -> None:
        """Ask again what an outage may have hidden; beside other programs, all of them look for that anyway."""
        if self._replies_maybe_lost and self._replicas is None:
            # Whoever has a turn on its way is passed over, and looked at again.
            nobody_passed_over = await self._queues.wait_until_idle(0)
            await self.resume_pending()
            self._replies_maybe_lost = not nobody_passed_over

    async def resume_pending(self, is_orphaned: IsOrphaned = lambda _: True) -> None:
        """Ask again wherever a committed answer may never have reached the chat, and nobody is at it."""
        limit, tried = _PENDING_BATCH, set[PersonId]()
        while True:
            owed = await self._store.pending_replies(limit)
            fresh = [one for one in owed if one.person not in tried]
            for one in fresh:
                if not self._queues.is_delivering(one.person) and is_orphaned(one):
                    await self._resume(one)
            tried.update(one.person for one in fresh)
            if len(owed) < limit:
                return
            if not fresh:
                # All of them are on their way: whoever comes behind them must not wait for their chats.
                limit *= 2

    async def _resume(self, owed: PendingReply) -> None:
        try:
            if self._replicas is not None and not await self._replicas.take_over(owed):
                return
            turn = await self._reask(owed.person)
            if turn is not None:
                # Nobody knows how far the process came that owed this.
                self._queues.add(replace(turn, context=replace(turn.context, maybe_duplicate=True)))
        except Exception as error:
            if self._config.is_outage(error):
                raise
            # A dialogue that cannot be read must not keep the program from serving everybody else.
            log.error("what %s is owed cannot be asked again: %s", owed.person, type(error).__name__)  # noqa: TRY400

    async def _reask(self, person: PersonId) -> Turn | None:
        return await self._committer.commit(Envelope(person, ReaskRequested(), None, proactive=True))

    async def _show(self, turn: Turn, queue: PersonQueue) -> None:
        person = turn.context.person
        if queue.panel is None:
            queue.panel = turn.context.panel
        if self._replicas is not None:
            held = await self._replicas.acquire(person, turn.revision)
            if held is None or held.shown >= turn.revision:
                # Erased, or another program has shown more than this.
                return await self._replicas.release(person)
            queue.panel = queue.panel if held.already_held else held.panel
            turn = replace(turn, previous_unshown=held.shown < turn.revision - 1)
        try:
            for effect in _with_acknowledgement(turn):
                await self._perform(effect, turn.context, queue)
        except BotBlocked:
            # The panel is still in their chat: on their return the next question takes it away.
            return await self._store.mark_blocked(person, queue.panel or "")
        queue.must_reask = turn.previous_unshown and not turn.context.after_crash and not _has_question(turn)
        # Should the next line fail, all of this stands in the chat, and what is asked in its place must say so.
        doubtful, queue.maybe_delivered_question = queue.maybe_delivered_question, _ANY_QUESTION
        if not queue.must_reask:
            await self._store.mark_shown(person, turn.revision, queue.panel or "")
            queue.maybe_delivered_question = doubtful
        return None

    async def _perform(self, effect: Effect, context: ReplyContext, queue: PersonQueue) -> None:
        match effect:
            case OpenAttempt() if await self._still_opening(context.person, effect):
                await self.handle(Envelope(context.person, await self._open_attempt(context.person, effect), None))
            case CountQuestion(topic):
                self._config.count_question(topic)
            case (
                OpenAttempt()
                | CancelAttempt()
                | RecordConsent()
                | EraseRecords()
                | SetLanguage()
                | SetSuggestedMethod()
            ):
                pass
            case ShowRecords() | SendExport():
                records = await self._records(context.person, effect.account)
                queue.panel = await self._delivery.deliver(
                    effect, replace(context, panel=queue.panel or "", records=records)
                )
            case AskQuestion() | ShowCode() | ReplaceCodeWithPicture() | EditCaption():
                await self._ask(effect, context, queue)
            case _:
                queue.panel = await self._delivery.deliver(effect, replace(context, panel=queue.panel or ""))
                if isinstance(effect, DeleteUserMessage) and context.origin.message_id is not None:
                    await self._store.deletion_done(
                        PendingDeletion(context.person, context.origin.message_id, self._config.new_rule_context().now)
                    )

    async def _ask(
        self,
        question: AskQuestion | ShowCode | ReplaceCodeWithPicture | EditCaption,
        context: ReplyContext,
        queue: PersonQueue,
    ) -> None:
        repeated = context.maybe_duplicate or queue.maybe_delivered_question in (question.question_id, _ANY_QUESTION)
        try:
            queue.panel = await self._delivery.deliver(
                question, replace(context, panel=queue.panel or "", maybe_duplicate=repeated)
            )
        except DeliveryFailed as error:
            if error.maybe_delivered:
                queue.maybe_delivered_question = question.question_id
            raise
        queue.maybe_delivered_question = None

    async def _records(self, person: PersonId, account: Account) -> PersonRecords:
        async with self._store.unit(person) as unit:
            return replace(await unit.records(person), quota_slot=await unit.slot_of(account))

    async def _still_opening(self, person: PersonId, request: OpenAttempt) -> bool:
        """Whether the attempt is still wanted: while this turn waited, the person may have gone on, or erased all."""
        async with self._store.unit(person) as unit:
            kept = await unit.dialogue(person)
        state = None if kept is None else codec.load(kept.text)
        return isinstance(state, Opening) and state.attempt == request.attempt

    async def _open_attempt(self, person: PersonId, request: OpenAttempt) -> Event:
        """Begin it, unless the account's link was taken back, before or meanwhile."""
        if not await self._is_bound(person, request.account):
            return AttemptRefused(request.attempt, AttemptRefusal.UNBOUND)
        begun = await self._ask_core(person, request)
        if await self._is_bound(person, request.account):
            return begun
        await self._core.cancel(request.attempt)
        return AttemptRefused(request.attempt, AttemptRefusal.UNBOUND)

    async def _is_bound(self, person: PersonId, account: Account) -> bool:
        if account == own_account(person):
            return True
        async with self._store.unit(person) as unit:
            return await unit.is_bound(person, account)

    async def _ask_core(self, person: PersonId, request: OpenAttempt) -> Event:
        try:
            opening = await self._core.begin(
                AttemptRequest(request.attempt, request.account, contact_of(person), request.identity, request.method)
            )
        except QuotaReached:
            return AttemptRefused(request.attempt, AttemptRefusal.QUOTA)
        except AlreadyVerified:
            return AttemptRefused(request.attempt, AttemptRefusal.VERIFIED)
        except TooManyAttempts as error:
            refusal = AttemptRefusal.BUSY if error.is_overall else AttemptRefusal.TOO_MANY
            return AttemptRefused(request.attempt, refusal, error.until)
        except ProviderUnavailable:
            return AttemptRefused(request.attempt, AttemptRefusal.UNAVAILABLE)
        except RequestRefused:
            return AttemptRefused(request.attempt, AttemptRefusal.OVER)
        return AttemptOpened(
            attempt=opening.attempt,
            link=opening.phone_url,
            match_code=opening.match_code,
            expires_at=opening.expires_at,
        )


def _has_question(turn: Turn) -> bool:
    return any(isinstance(effect, AskQuestion | ShowCode | ReplaceCodeWithPicture) for effect in turn.effects)


def _with_acknowledgement(turn: Turn) -> tuple[Effect, ...]:
    """The effects of a turn; a pressed button that gets no word of its own is answered silently, and first."""
    if turn.context.origin.query_id is None or any(isinstance(effect, ShowToast) for effect in turn.effects):
        return turn.effects
    return (ShowToast(""), *turn.effects)
