"""One turn of one person: load, advance, save, in a single transaction alone with them.

What it commits is whole: the event's id, the facts of the rules, the next state. Nothing is shown here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from bot.engine.messages import Envelope, Turn, View
from bot.flow import codec
from bot.flow.codec import Saved
from bot.flow.effects import Count, Discard, Drop, Effect, Erase, Record, Speak, Suggest
from bot.flow.events import Declined, Event, Invited, Lapsed, Linked, Refusal, Resumed, Standing, Uninvited
from bot.flow.journey import Journeys, Passage, went
from bot.flow.machine import advance
from bot.flow.rows import Moment, Step
from bot.flow.states import Idle, State, Verified
from verification.attempts import AttemptId, Method, Status
from verification.dialogue_store import Consent, Dialogue, DialogueStore, DialogueUnit, Litter, Person
from verification.invitations import read_token
from verification.support.funnel import Tally, day_of
from verification.support.store import Missed

Advance = Callable[[State, Event, Moment], Step]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a runner takes from outside: the time and fresh ids, which errors pass by themselves, and the customs.

    `language` is for people whose client tells none; `advance` is the machine, or one that notes what it does; `counts`
    says whose journeys the funnel is about.
    """

    moment: Callable[[], Moment]
    is_outage: Callable[[BaseException], bool] = lambda _: False
    language: str = "zh"
    advance: Advance = advance
    count: Callable[[str], None] = lambda _: None
    counts: Callable[[Person], bool] = lambda _: True


class Turns:
    """Commits turns; `on_its_way` says whether answers of a person are just being shown."""

    def __init__(self, store: DialogueStore, surroundings: Surroundings, on_its_way: Callable[[Person], bool]) -> None:
        self._store = store
        self._surroundings = surroundings
        self._on_its_way = on_its_way

    async def commit(self, envelope: Envelope) -> Turn | None:
        """Commit the turn of an event; None when it was seen before, or nobody is to be shown what it did.

        A question that is asked again by ourselves (`Resumed` without an id) only is while its answer is owed: it may
        have been noted as shown unheard, or arrived since somebody looked.
        """
        moment, person = self._surroundings.moment(), envelope.person
        async with self._store.unit(person) as unit:
            if envelope.event_id is not None and not await unit.first_sight(envelope.event_id, moment.now):
                return None
            # Looked at before and after: what is on its way may arrive while this is being committed.
            on_its_way = self._on_its_way(person)
            kept = await unit.dialogue(person)
            if _is_reminder(envelope) and (kept is None or kept.shown >= kept.revision):
                return None
            saved = await self._loaded(unit, person, kept, moment)
            moment = replace(moment, own=person, way=saved.way)
            event = await self._meant(unit, envelope, saved.state, moment, known=kept is not None)
            step = self._surroundings.advance(saved.state, event, moment)
            view = self._view(envelope, kept, step)
            for effect in step.effects:
                await self._keep(effect, unit, view, step.state, moment)
            journeys, tallies = self._went(person, saved, Passage(saved.state, event, step, moment.now, view.language))
            text = codec.dump(step.state, journeys, _way(step, saved.way))
            revision = await unit.save_dialogue(person, text, view.language, moment.now)
            # Last: many people's turns add to the same rows, and each holds them until it commits.
            for effect in step.effects:
                if isinstance(effect, Count):
                    await _count(effect, unit, moment)
            await unit.tally(tallies)
            if kept is not None and kept.blocked:
                if envelope.unasked:
                    return None
                await unit.welcome_back(person)
        on_its_way = on_its_way or self._on_its_way(person)
        behind = kept is not None and kept.shown < kept.revision and not on_its_way
        return Turn(revision, view, step.effects, behind)

    async def _meant(
        self, unit: DialogueUnit, envelope: Envelope, state: State, moment: Moment, *, known: bool
    ) -> Event:
        """What an event is, by what the store knows of links."""
        person = envelope.person
        match envelope.event:
            case Linked() as linked:
                return await self._resolved(unit, linked, person, moment, known=known)
            case Lapsed(attempt) if state.account != person and not await unit.is_bound(person, state.account):
                # Another code would be refused: whoever waited for this one hears it now.
                return Declined(attempt, Refusal.UNBOUND)
            case event:
                return event

    async def _resolved(
        self, unit: DialogueUnit, event: Linked, person: Person, moment: Moment, *, known: bool
    ) -> Event:
        """Whose a link is; what it suggests is no word against what somebody chose here before."""
        link = read_token(event.token, self._store.keyed)
        opened = None if link is None else await unit.open_link(link, person, moment.now)
        if opened is None:
            return Uninvited()
        place = await unit.verified(opened.account)
        standing = None if place is None else Standing(place.method, place.at)
        language = None if known else opened.language
        return Invited(opened.account, opened.method, language, standing, opened.campaign)

    def _went(self, person: Person, saved: Saved, passage: Passage) -> tuple[Journeys, Sequence[Tally]]:
        return went(saved.journeys, passage) if self._surroundings.counts(person) else (saved.journeys, ())

    def _view(self, envelope: Envelope, kept: Dialogue | None, step: Step) -> View:
        language = (kept.language if kept else None) or envelope.language or self._surroundings.language
        return View(
            envelope.person,
            _spoken(step, language),
            kept.panel if kept else "",
            envelope.origin,
            again=isinstance(envelope.event, Resumed),
            unasked=envelope.unasked,
        )

    async def _loaded(self, unit: DialogueUnit, person: Person, kept: Dialogue | None, moment: Moment) -> Saved:
        saved = Saved(Idle(account=person, mark=moment.mark)) if kept is None else codec.load_all(kept.text)
        state = saved.state
        place = await unit.verified(state.account) if isinstance(state, Idle) else None
        if place is None:
            return saved
        return replace(
            saved,
            state=Verified(
                account=state.account, mark=state.mark, method=place.method, attempt=AttemptId(""), at=place.at
            ),
        )

    async def _keep(self, effect: Effect, unit: DialogueUnit, view: View, state: State, moment: Moment) -> None:
        match effect:
            case Record(kind, version):
                await unit.record_consent(Consent(view.person, state.account, kind, version, view.language, moment.now))
            case Erase(account):
                await unit.erase(view.person, account)
            case Discard() if view.origin.message_id is not None:
                await unit.litter(Litter(view.person, view.origin.message_id, moment.now))
            case Drop(attempt):
                dropped = await unit.attempt(attempt)
                if dropped is not None and dropped.live:
                    await unit.save_attempt(dropped.moved(Status.CANCELLED))
            case _:
                pass


def _is_reminder(envelope: Envelope) -> bool:
    return envelope.event_id is None and isinstance(envelope.event, Resumed)


def _way(step: Step, before: Method | None) -> Method | None:
    return next((effect.method for effect in step.effects if isinstance(effect, Suggest)), before)


async def _count(count: Count, unit: DialogueUnit, moment: Moment) -> None:
    await unit.count_question(count.topic, day_of(moment.now))
    if count.kept is not None:
        # Neither the turn's own id nor its time: they would lead from the question to whoever asked it.
        of_nobody = blake2b(moment.fresh_id.encode(), digest_size=16).hexdigest()
        await unit.keep_missed(Missed(of_nobody, count.kept, moment.now.replace(minute=0, second=0, microsecond=0)))


def _spoken(step: Step, language: str) -> str:
    return next((effect.language for effect in step.effects if isinstance(effect, Speak)), language)
