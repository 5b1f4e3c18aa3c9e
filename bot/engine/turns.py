"""One turn of one person: load, advance, save, in a single transaction alone with them.

What it commits is whole: the event's id, the facts of the rules, the next state. Nothing is shown here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from bot.engine.messages import Envelope, MessageRef, ReplyContext, Turn, TurnKind
from bot.flow import codec
from bot.flow.codec import SavedDialogue
from bot.flow.effects import (
    CancelAttempt,
    CountQuestion,
    DeleteUserMessage,
    Effect,
    EraseRecords,
    RecordConsent,
    SetLanguage,
    SetSuggestedMethod,
    ShowToast,
)
from bot.flow.events import (
    AttemptRefusal,
    AttemptRefused,
    CodeExpired,
    Event,
    LinkAccepted,
    LinkOpened,
    LinkRejected,
    VerificationRecord,
)
from bot.flow.journey import Journeys, JourneyTurn, update_journeys
from bot.flow.machine import advance
from bot.flow.rows import RuleContext, Step
from bot.flow.states import Idle, State, Verified
from verification.attempts import AttemptId, AttemptStatus, Method
from verification.dialogue_store import Consent, Dialogue, DialogueStore, DialogueUnit, PendingDeletion, Person
from verification.invitations import read_link_token
from verification.support.funnel import FunnelIncrement, beijing_day
from verification.support.store import UnansweredQuestion

Advance = Callable[[State, Event, RuleContext], Step]


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """What a runner takes from outside: the time and fresh ids, which errors pass by themselves, and the customs.

    `language` is for people whose client tells none; `advance` is the machine, or one that notes what it does; `counts`
    says whose journeys the funnel is about.
    """

    new_rule_context: Callable[[], RuleContext]
    is_outage: Callable[[BaseException], bool] = lambda _: False
    language: str = "zh"
    advance: Advance = advance
    count_question: Callable[[str], None] = lambda _: None
    is_counted: Callable[[Person], bool] = lambda _: True


class TurnCommitter:
    """Commits turns; `on_its_way` says whether answers of a person are just being shown."""

    def __init__(self, store: DialogueStore, config: RunnerConfig, is_delivering: Callable[[Person], bool]) -> None:
        self._store = store
        self._config = config
        self._is_delivering = is_delivering

    async def commit(self, envelope: Envelope) -> Turn | None:
        """Commit the turn of an event; None when it was seen before, or nobody is to be shown what it did.

        A question that is asked again by ourselves (`Resumed` without an id) only is while its answer is owed: it may
        have been noted as shown unheard, or arrived since somebody looked.
        """
        moment, person = self._config.new_rule_context(), envelope.person
        async with self._store.unit(person) as unit:
            if envelope.event_id is not None and not await unit.mark_seen(envelope.event_id, moment.now):
                return None
            # Looked at before and after: what is on its way may arrive while this is being committed.
            on_its_way = self._is_delivering(person)
            kept = await unit.dialogue(person)
            if envelope.kind in (TurnKind.REASK, TurnKind.RESUME) and (kept is None or kept.shown >= kept.revision):
                return None
            saved = await self._load(unit, person, kept, moment)
            moment = replace(moment, own_account=person, suggested_method=saved.suggested_method)
            event = await self._resolve_event(unit, envelope, saved.state, moment, known=kept is not None)
            step = self._config.advance(saved.state, event, moment)
            context = self._reply_context(envelope, kept, step)
            for effect in step.effects:
                await self._save_effect(effect, unit, context, step.state, moment)
            journeys, tallies = self._update_journeys(
                person, saved, JourneyTurn(saved.state, event, step, moment.now, context.language)
            )
            text = codec.dump(step.state, journeys, _suggested_method(step, saved.suggested_method))
            revision = await unit.save_dialogue(person, text, context.language, moment.now)
            # Last: many people's turns add to the same rows, and each holds them until it commits.
            for effect in step.effects:
                if isinstance(effect, CountQuestion):
                    await _count(effect, unit, moment)
            await unit.add_to_funnel(tallies)
            if kept is not None and kept.blocked:
                if not envelope.kind.is_awaited:
                    return None
                await unit.mark_unblocked(person)
        on_its_way = on_its_way or self._is_delivering(person)
        previous_unshown = kept is not None and kept.shown < kept.revision and not on_its_way
        return Turn(revision, context, _with_acknowledgement(step.effects, envelope.origin), previous_unshown)

    async def _resolve_event(
        self, unit: DialogueUnit, envelope: Envelope, state: State, rule_context: RuleContext, *, known: bool
    ) -> Event:
        """What an event is, by what the store knows of links."""
        person = envelope.person
        match envelope.event:
            case LinkOpened() as linked:
                return await self._resolve_link(unit, linked, person, rule_context, known=known)
            case CodeExpired(attempt) if state.account != person and not await unit.is_bound(person, state.account):
                # Another code would be refused: whoever waited for this one hears it now.
                return AttemptRefused(attempt, AttemptRefusal.UNBOUND)
            case event:
                return event

    async def _resolve_link(
        self, unit: DialogueUnit, event: LinkOpened, person: Person, rule_context: RuleContext, *, known: bool
    ) -> Event:
        """Whose a link is; what it suggests is no word against what somebody chose here before."""
        link = read_link_token(event.token, self._store.keyed_digest)
        opened = None if link is None else await unit.open_link(link, person, rule_context.now)
        if opened is None:
            return LinkRejected()
        place = await unit.slot_of(opened.account)
        standing = None if place is None else VerificationRecord(place.method, place.at)
        language = None if known else opened.language
        return LinkAccepted(opened.account, opened.method, language, standing, opened.campaign)

    def _update_journeys(
        self, person: Person, saved: SavedDialogue, turn: JourneyTurn
    ) -> tuple[Journeys, Sequence[FunnelIncrement]]:
        return update_journeys(saved.journeys, turn) if self._config.is_counted(person) else (saved.journeys, ())

    def _reply_context(self, envelope: Envelope, kept: Dialogue | None, step: Step) -> ReplyContext:
        language = (kept.language if kept else None) or envelope.language or self._config.language
        return ReplyContext(
            envelope.person,
            _language_after(step, language),
            kept.panel if kept else "",
            envelope.origin,
            kind=envelope.kind,
        )

    async def _load(
        self, unit: DialogueUnit, person: Person, kept: Dialogue | None, rule_context: RuleContext
    ) -> SavedDialogue:
        saved = (
            SavedDialogue(Idle(account=person, question_id=rule_context.question_id))
            if kept is None
            else codec.load_all(kept.text)
        )
        state = saved.state
        place = await unit.slot_of(state.account) if isinstance(state, Idle) else None
        if place is None:
            return saved
        return replace(
            saved,
            state=Verified(
                account=state.account,
                question_id=state.question_id,
                method=place.method,
                attempt=AttemptId(""),
                at=place.at,
            ),
        )

    async def _save_effect(
        self, effect: Effect, unit: DialogueUnit, reply_context: ReplyContext, state: State, rule_context: RuleContext
    ) -> None:
        match effect:
            case RecordConsent(kind, version):
                await unit.record_consent(
                    Consent(
                        reply_context.person, state.account, kind, version, reply_context.language, rule_context.now
                    )
                )
            case EraseRecords(account):
                await unit.erase(reply_context.person, account)
            case DeleteUserMessage() if reply_context.origin.message_id is not None:
                await unit.schedule_deletion(
                    PendingDeletion(reply_context.person, reply_context.origin.message_id, rule_context.now)
                )
            case CancelAttempt(attempt):
                dropped = await unit.attempt(attempt)
                if dropped is not None and dropped.live:
                    await unit.save_attempt(dropped.with_status(AttemptStatus.CANCELLED))
            case _:
                pass


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
        # Neither the turn's own id nor its time: they would lead from the question to whoever asked it.
        of_nobody = blake2b(rule_context.fresh_id.encode(), digest_size=16).hexdigest()
        await unit.keep_unanswered(
            UnansweredQuestion(
                of_nobody, count.redacted_question, rule_context.now.replace(minute=0, second=0, microsecond=0)
            )
        )


def _language_after(step: Step, language: str) -> str:
    return next((effect.language for effect in step.effects if isinstance(effect, SetLanguage)), language)
