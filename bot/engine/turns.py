"""Commits one turn of one person: load, advance, save, in a single transaction that holds the person's lock.

The transaction commits the event's id, what the rules record, and the next state together. Nothing is shown here.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from hashlib import blake2b

from msgspec.structs import replace

from bot.engine.messages import Envelope, MessageRef, ReplyContext, SessionOpened, Turn, TurnKind
from bot.flow import codec
from bot.flow.codec import SavedDialogue
from bot.flow.effects import (
    AskQuestion,
    CancelAttempt,
    CheckQuota,
    CountQuestion,
    DeleteUserMessage,
    Effect,
    EraseRecords,
    OpenAttempt,
    RecordConsent,
    RecordDispute,
    SetLanguage,
    SetSuggestedMethod,
    ShowToast,
)
from bot.flow.events import (
    AttemptOpened,
    AttemptRefusal,
    AttemptRefused,
    CodeExpired,
    Event,
    LinkAccepted,
    LinkOpened,
    LinkRejected,
    QuotaChecked,
    ReminderDue,
    VerificationRecord,
)
from bot.flow.journey import Journeys, JourneyTurn, reminder_increments, update_journeys
from bot.flow.machine import advance
from bot.flow.reminders import ReminderTimes, next_reminder, update_reminders
from bot.flow.rows import RuleContext, Step
from bot.flow.states import Idle, Opening, State, Verified
from verification.attempts import AttemptId, AttemptStatus, Method
from verification.core import AttemptRequest, Core
from verification.dialogue_store import Consent, Dialogue, DialogueStore, DialogueUnit, PendingDeletion, TurnRecords
from verification.errors import AlreadyVerified, MethodOff, QuotaReached, RequestRefused, TooManyAttempts
from verification.ids import Account, PersonId, contact_of, own_account
from verification.invitations import read_link_token
from verification.record import Record
from verification.support.funnel import FunnelIncrement, beijing_day
from verification.support.store import Dispute, UnansweredQuestion

Advance = Callable[[State, Event, RuleContext], Step]


class RunnerConfig(Record):
    """What a runner takes from outside.

    `new_rule_context` gives the time and fresh ids. `is_outage` knows the errors of the store that pass by themselves.
    `language` is for people whose client reports none. `advance` is the dialogue's machine, or one that also records
    what it does. `count_question` counts a question by its topic. `is_counted` says whose journeys the funnel counts.
    `reminders` is when people who stopped are reminded; None for never.
    """

    new_rule_context: Callable[[], RuleContext]
    is_outage: Callable[[BaseException], bool] = lambda _: False
    language: str = "zh"
    advance: Advance = advance
    count_question: Callable[[str], None] = lambda _: None
    is_counted: Callable[[PersonId], bool] = lambda _: True
    reminders: ReminderTimes | None = None


class TurnCommitter:
    """Commits turns. `is_delivering` says whether replies to a person are on their way."""

    def __init__(
        self, store: DialogueStore, core: Core, config: RunnerConfig, is_delivering: Callable[[PersonId], bool]
    ) -> None:
        self._store = store
        self._core = core
        self._config = config
        self._is_delivering = is_delivering

    async def commit(self, envelope: Envelope) -> Turn | None:
        """Commit the turn of an event; None when the event was seen before, or its turn is not to be shown.

        A question that the bot asks again by itself is asked only while a reply is owed: the reply may have been noted
        as shown while the store's answer was lost, or shown since somebody looked.
        """
        body = partial(self._turn, envelope=envelope, rule_context=self._config.new_rule_context())
        turn = await self._store.transact(envelope.person, body)
        # Looked at again: what was on its way while the turn was committed may have arrived since.
        if turn is not None and turn.previous_unshown and self._is_delivering(envelope.person):
            return replace(turn, previous_unshown=False)
        return turn

    async def _turn(self, unit: DialogueUnit, envelope: Envelope, rule_context: RuleContext) -> Turn | None:
        """The body of the transaction. It may run in the database's thread: it changes nothing but the unit."""
        person, now = envelope.person, rule_context.now
        is_delivering = self._is_delivering(person)
        records = await unit.begin_turn(person, envelope.event_id, own_account(person))
        if records.is_seen or not await self._is_due(unit, envelope, now):
            return None
        dialogue = records.dialogue
        is_owed = dialogue is not None and dialogue.shown < dialogue.revision
        if envelope.kind in (TurnKind.REASK, TurnKind.RESUME) and not is_owed:
            return None
        saved = await self._load(unit, person, records, rule_context)
        rule_context = replace(rule_context, own_account=own_account(person), suggested_method=saved.suggested_method)
        event = await self._resolve_event(unit, envelope, saved.state, rule_context, known=dialogue is not None)
        step = self._config.advance(saved.state, event, rule_context)
        reply_context = self._reply_context(envelope, dialogue, step)
        journeys, increments = self._update_journeys(saved.journeys, saved.state, event, step, reply_context, now)
        await _save_effects(unit, step, reply_context, now)
        answer = await self._ask_core(unit, person, step)
        if answer is not None:
            # The core answers in the turn that asks it: nothing is asked of a provider.
            after = self._config.advance(step.state, answer, rule_context)
            journeys, more = self._update_journeys(journeys, step.state, answer, after, reply_context, now)
            await _save_effects(unit, after, reply_context, now)
            increments = (*increments, *more)
            # A question of the answer takes the place of the step's own.
            replaced = OpenAttempt | CheckQuota | AskQuestion if _asks(after) else OpenAttempt | CheckQuota
            kept = (effect for effect in step.effects if not isinstance(effect, replaced))
            step = Step(after.state, (*kept, *after.effects))
        reminders = update_reminders(saved.reminders, event, step)
        if self._config.is_counted(person):
            more = reminder_increments(journeys, step.state, saved.reminders, reminders)
            increments = (*increments, *more)
        text = codec.dump(step.state, journeys, _suggested_method(step, saved.suggested_method), reminders)
        remind_at = next_reminder(reminders, step.state, now, self._config.reminders)
        revision = await unit.save_dialogue(person, text, language=reply_context.language, now=now, remind_at=remind_at)
        # Last, because the turns of many people add to the same rows, and each locks them until its commit.
        for effect in step.effects:
            if isinstance(effect, CountQuestion):
                await _count(effect, unit, rule_context)
        await unit.add_to_funnel(increments)
        if dialogue is not None and dialogue.blocked:
            if not envelope.kind.is_awaited:
                return None
            await unit.mark_unblocked(person)
        effects = _with_acknowledgement(step.effects, envelope.origin)
        opening = step.state.attempt if isinstance(step.state, Opening) else None
        return Turn(revision, reply_context, effects, previous_unshown=is_owed and not is_delivering, opening=opening)

    async def _is_due(self, unit: DialogueUnit, envelope: Envelope, now: datetime) -> bool:
        """Whether nobody else has taken the event, its notice or its reminder; takes it with this turn."""
        if envelope.event_id is not None:
            await unit.mark_seen(envelope.event_id, now)
        if envelope.notice is not None:
            return await unit.settle_notice(envelope.notice)
        return not isinstance(envelope.event, ReminderDue) or await self._take_reminder(unit, envelope.person, now)

    async def _take_reminder(self, unit: DialogueUnit, person: PersonId, now: datetime) -> bool:
        """Take a reminder that is due; one that comes late, at night, waits for the morning."""
        by_day = None if self._config.reminders is None else self._config.reminders.by_day(now)
        is_night = by_day is not None and by_day > now
        return await unit.take_reminder(person, now, by_day if is_night else None) and by_day == now

    async def _ask_core(self, unit: DialogueUnit, person: PersonId, step: Step) -> AttemptRefused | QuotaChecked | None:
        """What the core answers at once to what a step asks of it, if anything."""
        for effect in step.effects:
            match effect:
                case OpenAttempt():
                    return await self._reserve(unit, person, effect)
                case CheckQuota(attempt, account, identity):
                    # The core does not look at the method, which is not chosen yet.
                    request = AttemptRequest(attempt, account, contact_of(person), identity, Method.WECHAT)
                    return QuotaChecked(await self._core.is_quota_reached(unit, request))
                case _:
                    pass
        return None

    async def _reserve(self, unit: DialogueUnit, person: PersonId, request: OpenAttempt) -> AttemptRefused | None:
        """Reserve an attempt; returns the refusal, if the core or a revoked link refuses it."""
        if not await _is_bound(unit, person, request.account):
            return AttemptRefused(request.attempt, AttemptRefusal.UNBOUND)
        try:
            await self._core.reserve(unit, attempt_request(person, request))
        except RequestRefused as error:
            return refusal_of(request.attempt, error)
        return None

    async def _resolve_event(
        self, unit: DialogueUnit, envelope: Envelope, state: State, rule_context: RuleContext, *, known: bool
    ) -> Event:
        """What an event means, with what the store knows of links."""
        person = envelope.person
        match envelope.event:
            case LinkOpened() as linked:
                return await self._resolve_link(unit, linked, person, rule_context, known=known)
            case SessionOpened() as opened:
                return await self._start_attempt(unit, opened, person)
            case CodeExpired(attempt) if not await _is_bound(unit, person, state.account):
                # A new code would be refused, so the person learns now that the link was revoked.
                return AttemptRefused(attempt, AttemptRefusal.UNBOUND)
            case event:
                return event

    async def _resolve_link(
        self, unit: DialogueUnit, event: LinkOpened, person: PersonId, rule_context: RuleContext, *, known: bool
    ) -> Event:
        """Which account a link is for. Its language does not replace the one that a known person has."""
        link = read_link_token(event.token, self._store.keyed_digest)
        opened = None if link is None else await unit.open_link(link, person, rule_context.now)
        if opened is None:
            return LinkRejected()
        slot = await unit.slot_of(opened.account)
        verified = None if slot is None else VerificationRecord(slot.method, slot.at, slot.simulated)
        language = None if known else opened.language
        return LinkAccepted(opened.account, opened.method, language, verified, opened.campaign)

    async def _start_attempt(self, unit: DialogueUnit, opened: SessionOpened, person: PersonId) -> Event:
        """What an opened session means: the attempt starts, unless it has ended or the account's link was revoked."""
        if not await _is_bound(unit, person, opened.account):
            await _cancel_attempt(unit, opened.attempt)
            return AttemptRefused(opened.attempt, AttemptRefusal.UNBOUND)
        try:
            code = await self._core.start(unit, opened.attempt, opened.session)
        except RequestRefused as error:
            return refusal_of(opened.attempt, error)
        return AttemptOpened(
            attempt=code.attempt,
            link=code.phone_url,
            match_code=code.match_code,
            expires_at=code.expires_at,
            simulated=code.simulated,
            app=code.app,
        )

    def _update_journeys(
        self, journeys: Journeys, before: State, event: Event, step: Step, reply_context: ReplyContext, now: datetime
    ) -> tuple[Journeys, Sequence[FunnelIncrement]]:
        if not self._config.is_counted(reply_context.person):
            return journeys, ()
        return update_journeys(journeys, JourneyTurn(before, event, step, now, reply_context.language))

    def _reply_context(self, envelope: Envelope, dialogue: Dialogue | None, step: Step) -> ReplyContext:
        language = (dialogue.language if dialogue else None) or envelope.language or self._config.language
        return ReplyContext(
            envelope.person,
            _language_after(step, language),
            dialogue.panel if dialogue else "",
            envelope.origin,
            kind=envelope.kind,
        )

    async def _load(
        self, unit: DialogueUnit, person: PersonId, records: TurnRecords, rule_context: RuleContext
    ) -> SavedDialogue:
        saved = (
            SavedDialogue(Idle(account=own_account(person), question_id=rule_context.question_id))
            if records.dialogue is None
            else codec.load_all(records.dialogue.text)
        )
        state = saved.state
        if not isinstance(state, Idle):
            return saved
        is_own = state.account == own_account(person)
        slot = records.slot if is_own else await unit.slot_of(state.account)
        if slot is None:
            return saved
        return replace(
            saved,
            state=Verified(
                account=state.account,
                question_id=state.question_id,
                method=slot.method,
                attempt=AttemptId(""),
                at=slot.at,
                simulated=slot.simulated,
            ),
        )


def attempt_request(person: PersonId, request: OpenAttempt) -> AttemptRequest:
    """The request to the core that an effect stands for."""
    return AttemptRequest(request.attempt, request.account, contact_of(person), request.identity, request.method)


def refusal_of(attempt: AttemptId, error: RequestRefused) -> AttemptRefused:
    """What the core's refusal means to the dialogue."""
    match error:
        case QuotaReached():
            return AttemptRefused(attempt, AttemptRefusal.QUOTA)
        case MethodOff():
            return AttemptRefused(attempt, AttemptRefusal.METHOD_OFF)
        case AlreadyVerified():
            return AttemptRefused(attempt, AttemptRefusal.VERIFIED)
        case TooManyAttempts(until=until, is_overall=is_overall):
            return AttemptRefused(attempt, AttemptRefusal.BUSY if is_overall else AttemptRefusal.TOO_MANY, until)
        case _:
            return AttemptRefused(attempt, AttemptRefusal.OVER)


def _asks(step: Step) -> bool:
    return any(isinstance(effect, AskQuestion) for effect in step.effects)


async def _is_bound(unit: DialogueUnit, person: PersonId, account: Account) -> bool:
    return account == own_account(person) or await unit.is_bound(person, account)


async def _save_effects(unit: DialogueUnit, step: Step, reply_context: ReplyContext, now: datetime) -> None:
    """Do in the transaction what the effects of a step record."""
    person, message_id = reply_context.person, reply_context.origin.message_id
    for effect in step.effects:
        match effect:
            case RecordConsent(kind=kind, version=version):
                await unit.record_consent(
                    Consent(
                        person=person,
                        account=step.state.account,
                        kind=kind,
                        version=version,
                        language=reply_context.language,
                        at=now,
                    )
                )
            case RecordDispute(attempt, reason, method):
                await unit.add_dispute(Dispute(attempt=attempt, reason=reason, method=method, at=now))
            case EraseRecords(account):
                await unit.erase(person, account)
            case DeleteUserMessage() if message_id is not None:
                await unit.schedule_deletion(PendingDeletion(person, message_id, now))
            case CancelAttempt(attempt):
                await _cancel_attempt(unit, attempt)
            case _:
                pass


async def _cancel_attempt(unit: DialogueUnit, attempt: AttemptId) -> None:
    cancelled = await unit.attempt(attempt)
    if cancelled is not None and cancelled.live:
        await unit.save_attempt(cancelled.with_status(AttemptStatus.CANCELLED))


def _with_acknowledgement(effects: tuple[Effect, ...], origin: MessageRef) -> tuple[Effect, ...]:
    """The effects of a turn; a pressed button that gets no toast of its own is acknowledged without one, and first."""
    if origin.query_id is None or any(isinstance(effect, ShowToast) for effect in effects):
        return effects
    return (ShowToast(""), *effects)


def _suggested_method(step: Step, before: Method | None) -> Method | None:
    return next((effect.method for effect in step.effects if isinstance(effect, SetSuggestedMethod)), before)


async def _count(count: CountQuestion, unit: DialogueUnit, rule_context: RuleContext) -> None:
    await unit.count_question(count.topic, beijing_day(rule_context.now))
    if count.redacted_question is not None:
        # Neither the turn's id nor its exact time: they would lead from the question to the person who asked it.
        unlinked_id = blake2b(rule_context.fresh_id.encode(), digest_size=16).hexdigest()
        await unit.add_unanswered(
            UnansweredQuestion(
                id=unlinked_id,
                text=count.redacted_question,
                at=rule_context.now.replace(minute=0, second=0, microsecond=0),
            )
        )


def _language_after(step: Step, language: str) -> str:
    return next((effect.language for effect in step.effects if isinstance(effect, SetLanguage)), language)
