"""The hall every event goes through: load, advance, save in one transaction; then show, and ask the core.

A turn is committed before anything of it is shown, and an event's id is committed with it, so nothing happens twice. A
process that dies in between leaves its debt in the store (`revision` ahead of `shown`), paid at the next start.
"""

import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol

from bot.engine.delivery_queue import Lane, Lanes
from bot.engine.messages import Envelope, Turn, Undelivered, Unreachable, View
from bot.engine.replicas import Left, Replicas
from bot.engine.turns import Surroundings, Turns
from bot.flow import codec
from bot.flow.effects import (
    Ask,
    Begin,
    Caption,
    Count,
    Discard,
    Drop,
    Effect,
    Erase,
    Export,
    Record,
    Reply,
    ShowCode,
    ShowRecords,
    Speak,
    Stamp,
    Suggest,
    Toast,
)
from bot.flow.events import Declined, Event, Opened, Refusal, Resumed
from bot.flow.states import Opening
from verification.core import Core, Wish
from verification.dialogue_store import DialogueStore, Litter, Owed, Person, Records
from verification.errors import AlreadyVerified, ProviderUnavailable, QuotaReached, Refused, TooMany

log = logging.getLogger(__name__)

_OWED_AT_ONCE = 100
_ANY = "*"
"""No question's mark: a process that died owing it may have asked whichever it is."""


class Deliver(Protocol):
    """Shows replies in a chat."""

    async def deliver(self, reply: Reply, view: View) -> str:
        """Show a reply and say where the panel is now; raises `Undelivered` or `Unreachable`."""


class Runner:
    """Runs dialogues over a store, a core and a chat; with `replicas`, beside other programs on the same store."""

    def __init__(
        self,
        store: DialogueStore,
        core: Core,
        deliver: Deliver,
        surroundings: Surroundings,
        replicas: Replicas | None = None,
    ) -> None:
        self._store = store
        self._core = core
        self._deliver = deliver
        self._surroundings = surroundings
        self._replicas = replicas
        self._unheard = False
        given_up = None if replicas is None else replicas.let_go
        self._lanes = Lanes(self._show, self._ask_again, surroundings.is_outage, given_up=given_up)
        self._turns = Turns(store, surroundings, self._lanes.has)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Show what is committed, until left."""
        return self._lanes.running()

    async def settled(self, patience: float) -> bool:
        """Wait until everything committed is shown, at most so many seconds; says whether it is."""
        return await self._lanes.settled(patience)

    async def handle(self, envelope: Envelope) -> None:
        """Commit the turn of an event; what it shows follows in the person's lane."""
        try:
            turn = await self._turns.commit(envelope)
        except Exception as error:
            # Perhaps it is committed and only the answer is lost: its repetition will show nothing.
            self._unheard |= self._surroundings.is_outage(error)
            raise
        if turn is not None:
            self._lanes.add(turn)

    async def resume_unheard(self) -> None:
        """Ask again what an outage may have hidden; beside other programs, all of them look for that anyway."""
        if self._unheard and self._replicas is None:
            # Whoever has a turn on its way is passed over, and looked at again.
            nobody_passed_over = await self._lanes.settled(0)
            await self.resume_owed()
            self._unheard = not nobody_passed_over

    async def resume_owed(self, is_left: Left = lambda _: True) -> None:
        """Ask again wherever a committed answer may never have reached the chat, and nobody is at it."""
        limit, tried = _OWED_AT_ONCE, set[Person]()
        while True:
            owed = await self._store.owed(limit)
            fresh = [one for one in owed if one.person not in tried]
            for one in fresh:
                if not self._lanes.has(one.person) and is_left(one):
                    await self._resume(one)
            tried.update(one.person for one in fresh)
            if len(owed) < limit:
                return
            if not fresh:
                # All of them are on their way: whoever comes behind them must not wait for their chats.
                limit *= 2

    async def _resume(self, owed: Owed) -> None:
        try:
            if self._replicas is not None and not await self._replicas.take_over(owed):
                return
            turn = await self._ask_again(owed.person)
            if turn is not None:
                # Nobody knows how far the process came that owed this.
                self._lanes.add(replace(turn, view=replace(turn.view, repeated=True)))
        except Exception as error:
            if self._surroundings.is_outage(error):
                raise
            # A dialogue that cannot be read must not keep the program from serving everybody else.
            log.error("what %s is owed cannot be asked again: %s", owed.person, type(error).__name__)  # noqa: TRY400

    async def _ask_again(self, person: Person) -> Turn | None:
        return await self._turns.commit(Envelope(person, Resumed(), None, unasked=True))

    async def _show(self, turn: Turn, lane: Lane) -> None:
        person = turn.view.person
        if lane.panel is None:
            lane.panel = turn.view.panel
        if self._replicas is not None:
            held = await self._replicas.hold(person, turn.revision)
            if held is None or held.shown >= turn.revision:
                # Erased, or another program has shown more than this.
                return await self._replicas.let_go(person)
            lane.panel = lane.panel if held.mine else held.panel
            turn = replace(turn, behind=held.shown < turn.revision - 1)
        try:
            for effect in _acknowledged(turn):
                await self._perform(effect, turn.view, lane)
        except Unreachable:
            # The panel is still in their chat: on their return the next question takes it away.
            return await self._store.mark_blocked(person, lane.panel or "")
        lane.owing = turn.behind and not turn.view.again and not _asks(turn)
        # Should the next line fail, all of this stands in the chat, and what is asked in its place must say so.
        doubtful, lane.doubtful = lane.doubtful, _ANY
        if not lane.owing:
            await self._store.mark_shown(person, turn.revision, lane.panel or "")
            lane.doubtful = doubtful
        return None

    async def _perform(self, effect: Effect, view: View, lane: Lane) -> None:
        match effect:
            case Begin() if await self._still_opening(view.person, effect):
                await self.handle(Envelope(view.person, await self._begun(view.person, effect), None))
            case Count(topic):
                self._surroundings.count(topic)
            case Begin() | Drop() | Record() | Erase() | Speak() | Suggest():
                pass
            case ShowRecords() | Export():
                records = await self._records(view.person, effect.account)
                lane.panel = await self._deliver.deliver(effect, replace(view, panel=lane.panel or "", records=records))
            case Ask() | ShowCode() | Stamp() | Caption():
                await self._ask(effect, view, lane)
            case _:
                lane.panel = await self._deliver.deliver(effect, replace(view, panel=lane.panel or ""))
                if isinstance(effect, Discard) and view.origin.message_id is not None:
                    await self._store.swept(
                        Litter(view.person, view.origin.message_id, self._surroundings.moment().now)
                    )

    async def _ask(self, question: Ask | ShowCode | Stamp | Caption, view: View, lane: Lane) -> None:
        repeated = view.repeated or lane.doubtful in (question.mark, _ANY)
        try:
            lane.panel = await self._deliver.deliver(question, replace(view, panel=lane.panel or "", repeated=repeated))
        except Undelivered as error:
            if error.perhaps:
                lane.doubtful = question.mark
            raise
        lane.doubtful = None

    async def _records(self, person: Person, account: str) -> Records:
        async with self._store.unit(person) as unit:
            return replace(await unit.records(person), place=await unit.verified(account))

    async def _still_opening(self, person: Person, begin: Begin) -> bool:
        """Whether the attempt is still wanted: while this turn waited, the person may have gone on, or erased all."""
        async with self._store.unit(person) as unit:
            kept = await unit.dialogue(person)
        state = None if kept is None else codec.load(kept.text)
        return isinstance(state, Opening) and state.attempt == begin.attempt

    async def _begun(self, person: Person, begin: Begin) -> Event:
        """Begin it, unless the account's link was taken back, before or meanwhile."""
        if not await self._is_bound(person, begin.account):
            return Declined(begin.attempt, Refusal.UNBOUND)
        begun = await self._asked(person, begin)
        if await self._is_bound(person, begin.account):
            return begun
        await self._core.cancel(begin.attempt)
        return Declined(begin.attempt, Refusal.UNBOUND)

    async def _is_bound(self, person: Person, account: str) -> bool:
        if account == person:
            return True
        async with self._store.unit(person) as unit:
            return await unit.is_bound(person, account)

    async def _asked(self, person: Person, begin: Begin) -> Event:
        try:
            opening = await self._core.begin(Wish(begin.attempt, begin.account, person, begin.identity, begin.method))
        except QuotaReached:
            return Declined(begin.attempt, Refusal.QUOTA)
        except AlreadyVerified:
            return Declined(begin.attempt, Refusal.VERIFIED)
        except TooMany as error:
            refusal = Refusal.BUSY if error.everybody else Refusal.TOO_MANY
            return Declined(begin.attempt, refusal, error.until)
        except ProviderUnavailable:
            return Declined(begin.attempt, Refusal.UNAVAILABLE)
        except Refused:
            return Declined(begin.attempt, Refusal.OVER)
        return Opened(opening.attempt, opening.link, opening.match_code, opening.expires_at)


def _asks(turn: Turn) -> bool:
    return any(isinstance(effect, Ask | ShowCode | Stamp) for effect in turn.effects)


def _acknowledged(turn: Turn) -> tuple[Effect, ...]:
    """The effects of a turn; a pressed button that gets no word of its own is answered silently, and first."""
    if turn.view.origin.query_id is None or any(isinstance(effect, Toast) for effect in turn.effects):
        return turn.effects
    return (Toast(""), *turn.effects)
