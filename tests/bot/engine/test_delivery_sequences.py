"""A delivery through random sequences: whatever fails and whenever, the person gets the question they should see.

The machine runs against a small model of everything around it: the store with its two counters, its lease and its note
of who blocked the bot, the chat, and other replicas.
"""

from enum import Enum, auto

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.engine.delivery import advance
from bot.engine.delivery_states import (
    Acquiring,
    BackingOff,
    Blocking,
    DeliveryEvent,
    DeliveryState,
    EffectDone,
    Faulted,
    Inactive,
    LeaseAcquired,
    LeaseNotNeeded,
    LeaseRefused,
    NothingOwed,
    Noting,
    OutageBegan,
    PauseEnded,
    PersonBlocked,
    Reasked,
    Reasking,
    Releasing,
    SendFailed,
    Showing,
    StoreUpdated,
    TurnCommitted,
)
from bot.engine.messages import MessageRef, ReplyContext, Turn, TurnKind
from bot.flow.effects import AskQuestion, Effect, SendText
from tests.bot.engine.runner_fixture import ANNA
from verification.dialogue_store import Lease

MANY_STEPS = 200


class Outcome(Enum):
    """What becomes of the thing at hand."""

    DONE = auto()
    DONE_UNHEARD = auto()
    NOT_DONE = auto()
    FAULT = auto()
    BLOCKED = auto()


class DeliveryMachine(RuleBasedStateMachine):
    """One person's delivery, and the world around it."""

    def __init__(self) -> None:
        super().__init__()
        self.state: DeliveryState = Inactive()
        self.revision = self.shown = self.question = 0
        self.panel, self.blocked, self.has_lease = "", False, False
        self.in_chat: list[str] = []
        self.not_noted: set[str] = set()
        self.crashed = self.given_up = self.lease_kept = False
        self.replicas = False

    @initialize(replicas=st.booleans())
    def begins(self, replicas: bool) -> None:
        self.replicas = replicas
        self.person_acts(asks=True)

    # What happens around the delivery

    @rule(asks=st.booleans())
    def person_acts(self, asks: bool) -> None:
        self.question += asks
        self.happens(TurnKind.ANSWER, self.ask() if asks else SendText("misc.help"))

    @rule(asks=st.booleans())
    def news_comes(self, asks: bool) -> None:
        self.question += asks
        effects = (SendText("misc.help"), self.ask()) if asks else ()
        self.happens(TurnKind.NEWS, *effects)

    @rule()
    def person_returns(self) -> None:
        self.happens(TurnKind.RETURN, self.ask())

    @precondition(lambda self: not isinstance(self.state, Acquiring | Showing | Noting))
    @rule()
    def person_erases_everything(self) -> None:
        self.revision = self.shown = 0
        self.panel, self.blocked, self.has_lease = "", False, False
        self.not_noted.clear()
        self.person_acts(asks=True)

    @rule(resumes=st.booleans())
    def process_crashes(self, resumes: bool) -> None:
        self.state, self.has_lease, self.crashed = Inactive(), False, self.shown < self.revision
        if resumes and self.crashed:
            self.happens(TurnKind.RESUME, self.ask())

    @precondition(lambda self: self.replicas and not self.has_lease and self.shown < self.revision)
    @rule()
    def another_process_shows_more(self) -> None:
        if self.commit(TurnKind.RESUME, self.ask()) is not None:
            self.puts(self.ask().question_id, marked=True)
            self.notes(self.revision, "panel of another process")

    # What the process does, and what comes of it

    @precondition(lambda self: not isinstance(self.state, Inactive))
    @rule(outcome=st.sampled_from(list(Outcome)))
    def goes_on(self, outcome: Outcome) -> None:
        event = self.event_after(outcome)
        assert not isinstance(self.state, Inactive)
        if isinstance(event, Faulted) and not isinstance(advance(self.state, event), BackingOff):
            self.given_up |= not isinstance(self.state, Releasing)
        self.state = advance(self.state, event)

    @precondition(lambda self: not isinstance(self.state, Inactive))
    @rule(outcome=st.sampled_from(list(Outcome)))
    def the_same_goes_on_for_long(self, outcome: Outcome) -> None:
        for _ in range(20):
            if not isinstance(self.state, Inactive):
                self.goes_on(outcome)

    @precondition(lambda self: isinstance(self.state, Reasking) and self.shown < self.revision and not self.blocked)
    @rule()
    def the_question_is_overtaken(self) -> None:
        """Another turn is committed after the question, and heard of before it."""
        asked = self.commit(TurnKind.REASK, self.ask())
        self.person_acts(asks=False)
        assert asked is not None
        self.state = advance(self.state, Reasked(asked))

    @rule()
    def everything_goes_well(self) -> None:
        for _ in range(MANY_STEPS):
            if isinstance(self.state, Inactive):
                break
            self.goes_on(Outcome.DONE)
        assert isinstance(self.state, Inactive)

    # What must hold

    @invariant()
    def an_owed_reply_is_never_forgotten(self) -> None:
        if isinstance(self.state, Inactive) and not self.blocked and not self.crashed and not self.given_up:
            assert self.shown == self.revision
            assert self.in_chat[-1] == self.ask().question_id

    @invariant()
    def replies_are_shown_under_the_lease_and_nobody_idle_keeps_one(self) -> None:
        if self.replicas and isinstance(self.state, Showing):
            assert self.has_lease or self.revision < self.state.turn.revision
        if isinstance(self.state, Inactive) and not self.lease_kept:
            assert not self.has_lease

    def teardown(self) -> None:
        if self.question:
            self.everything_goes_well()
            self.person_acts(asks=False)
            self.everything_goes_well()

            assert self.shown == self.revision
            assert self.in_chat[-1] == self.ask().question_id

    # The store

    def commit(self, kind: TurnKind, *effects: Effect) -> Turn | None:
        unshown = self.shown < self.revision and isinstance(self.state, Inactive)
        self.revision += 1
        if self.blocked and not kind.is_awaited:
            return None
        self.blocked = False
        return Turn(self.revision, ReplyContext(ANNA, "zh", self.panel, MessageRef(), kind=kind), effects, unshown)

    def notes(self, revision: int, panel: str) -> None:
        if self.shown <= revision <= self.revision:
            self.shown, self.panel, self.has_lease = revision, panel, False
            self.not_noted.clear()

    # The process

    def happens(self, kind: TurnKind, *effects: Effect) -> None:
        turn = self.commit(kind, *effects)
        if turn is not None:
            self.crashed = self.given_up = False
            self.state = advance(self.state, TurnCommitted(turn))

    def ask(self) -> AskQuestion:
        return AskQuestion(question_id=f"q{self.question}", text="type.ask")

    def event_after(self, outcome: Outcome) -> DeliveryEvent:
        match self.state, outcome:
            case BackingOff(), _:
                return PauseEnded()
            case Showing() as state, _:
                return self.after_sending(state, outcome)
            case _, Outcome.FAULT:
                self.lease_kept |= isinstance(self.state, Releasing)
                return Faulted()
            case _, Outcome.NOT_DONE:
                self.lease_kept |= isinstance(self.state, Releasing)
                return OutageBegan()
            case _:
                event = self.after_asking_the_store()
                return event if outcome is not Outcome.DONE_UNHEARD else OutageBegan()

    def after_sending(self, state: Showing, outcome: Outcome) -> DeliveryEvent:
        effect, context = state.remaining[0], state.context
        if outcome is Outcome.BLOCKED:
            return PersonBlocked()
        if outcome is Outcome.NOT_DONE:
            return SendFailed(maybe_delivered=False)
        if isinstance(effect, AskQuestion):
            # What the person does may bring the same question, as after a crash; then it is their own doing.
            self.puts(effect.question_id, marked=context.maybe_duplicate or context.kind.is_awaited)
        if outcome is Outcome.FAULT:
            return Faulted()
        return EffectDone("a panel") if outcome is Outcome.DONE else SendFailed(maybe_delivered=True)

    def puts(self, question: str, *, marked: bool) -> None:
        """Let a question stand in the chat; one that does already, without the store's knowledge, must say so."""
        assert marked or question not in self.not_noted
        self.in_chat.append(question)
        self.not_noted.add(question)

    def after_asking_the_store(self) -> DeliveryEvent:
        match self.state:
            case Acquiring() if not self.replicas:
                return LeaseNotNeeded()
            case Acquiring():
                if not self.revision:
                    return LeaseRefused()
                held, self.has_lease = self.has_lease, True
                return LeaseAcquired(Lease(self.shown, self.panel, held))
            case Reasking():
                asked = None if self.shown >= self.revision else self.commit(TurnKind.REASK, self.ask())
                return NothingOwed() if asked is None else Reasked(asked)
            case Noting(queue, turn):
                self.notes(turn.revision, queue.panel or "")
            case Blocking():
                self.blocked, self.has_lease = True, False
            case _:
                self.has_lease = False
        return StoreUpdated()


class ManyDeliveries(DeliveryMachine):
    """More of the same."""


DeliveryMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
ManyDeliveries.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
test_whatever_happens_the_person_gets_the_question_they_should_see = DeliveryMachine.TestCase
test_many_deliveries_lead_to_the_question_that_should_be_seen = pytest.mark.slow("fuzz")(ManyDeliveries.TestCase)
