"""The rules of the table in `delivery`: what each event leads to."""

from math import inf
from typing import TypeVar

from msgspec.structs import replace

from bot.engine.delivery_states import (
    ANY_QUESTION,
    Acquiring,
    BackingOff,
    Blocking,
    Busy,
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
    PersonQueue,
    Reasked,
    Reasking,
    Releasing,
    SendFailed,
    Showing,
    StoreUpdated,
    TurnCommitted,
    question_id,
)
from bot.engine.messages import Turn, TurnKind
from bot.flow.effects import AskQuestion, Effect, OpenAttempt, ReplaceCodeWithPicture, ShowCode

RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds to wait after each failure in a row. A fault of our own is tried once for each of them."""
OUTAGE_PAUSE = 2.0
"""The longest pause in seconds while the store is out of reach: its return is to be noticed soon."""

B = TypeVar("B", bound=Busy)


def started(_: Inactive, event: TurnCommitted) -> DeliveryState:
    """Take up the first turn."""
    return _next_turn(PersonQueue((event.turn,)))


def queued(state: B, event: TurnCommitted) -> B:
    """Let a turn wait behind those of lower revisions."""
    # Revisions begin again after an erasure: the turns that wait belong to a dialogue that is gone.
    before = () if event.turn.revision == 1 else state.queue.waiting
    waiting = sorted((*before, event.turn), key=lambda turn: turn.revision)
    return replace(state, queue=replace(state.queue, waiting=tuple(waiting)))


def lease_acquired(state: Acquiring, event: LeaseAcquired) -> DeliveryState:
    """Show the turn, unless another process has shown as much; the store knows whether the turn before is unshown."""
    lease, turn, queue = event.lease, state.turn, state.queue
    if lease.shown >= turn.revision:
        return Releasing(queue)
    # What this process showed while it held the lease is newer than what the store knows.
    panel = queue.panel if lease.already_held and queue.panel is not None else lease.panel
    turn = replace(turn, previous_unshown=lease.shown < turn.revision - 1)
    return _show(replace(queue, panel=panel), turn, turn.effects)


def lease_not_needed(state: Acquiring, _: LeaseNotNeeded) -> DeliveryState:
    """Show the turn; its commit has seen whether the turn before is unshown."""
    turn, queue = state.turn, state.queue
    panel = turn.context.panel if queue.panel is None else queue.panel
    return _show(replace(queue, panel=panel), turn, turn.effects)


def lease_refused(state: Acquiring, _: LeaseRefused) -> DeliveryState:
    """Drop the turn: there is nobody to show it to, or another process shows more."""
    return Releasing(state.queue)


def effect_done(state: Showing, event: EffectDone) -> DeliveryState:
    """Go on with the next effect; a question that stands in the chat is not noted in the store yet."""
    return _show(replace(_doubted(state), panel=event.panel), state.turn, state.remaining[1:])


def send_failed(state: Showing, event: SendFailed) -> DeliveryState:
    """Ask again after a pause; a question that may have arrived says then that it comes again."""
    return _pause(_doubted(state) if event.maybe_delivered else _inherited(state))


def person_blocked(state: Showing, _: PersonBlocked) -> DeliveryState:
    """End the turn; neither it nor the question is sent again.

    The panel stays in the chat; on the person's return the next question takes it away.
    """
    return Blocking(_next_unshown(state.queue))


def outage_began(state: Busy, _: OutageBegan) -> DeliveryState:
    """Ask again after a pause, as often as it takes: an outage ends."""
    return _pause(_doubted(state), OUTAGE_PAUSE)


def faulted(state: Busy, _: Faulted) -> DeliveryState:
    """Ask again after a pause, and give up after a number of tries: a fault of our own may not pass by itself."""
    queue = _doubted(state)
    if queue.failures + 1 < len(RETRY_DELAYS):
        return _pause(queue)
    return Releasing(_next_unshown(queue))


def turn_noted(state: Noting, _: StoreUpdated) -> DeliveryState:
    """Go on with the next turn: everything up to now is shown and noted."""
    return _next_turn(replace(state.queue, maybe_delivered=None, failures=0))


def turn_ended(state: Blocking | Releasing, _: StoreUpdated | OutageBegan | Faulted) -> DeliveryState:
    """Go on with the next turn: nothing more of this one is shown."""
    return _next_turn(replace(state.queue, failures=0))


def nothing_owed(state: Reasking, _: NothingOwed) -> DeliveryState:
    """Give the lease back, which may still be held from before the failure."""
    return Releasing(replace(state.queue, maybe_delivered=None))


def pause_ended(state: BackingOff, _: PauseEnded) -> DeliveryState:
    """Ask the question in place of everything that waits."""
    return _reask(state.queue)


def reasked(state: Reasking, event: Reasked) -> DeliveryState:
    """Show the question first, and then what was committed after it."""
    newer = (turn for turn in state.queue.waiting if turn.revision > event.turn.revision)
    return _next_turn(replace(state.queue, waiting=(event.turn, *newer)))


def _show(queue: PersonQueue, turn: Turn, remaining: tuple[Effect, ...]) -> DeliveryState:
    """Go on with a turn: its next effect, or what follows its last one."""
    if remaining:
        return Showing(queue, turn, remaining)
    if turn.previous_unshown and not turn.context.kind.asks_again and not _has_question(turn):
        # Not noted as shown: the turn before it would pass for shown, too.
        return _reask(replace(queue, maybe_delivered=ANY_QUESTION, failures=0))
    return Noting(queue, turn)


def _next_turn(queue: PersonQueue) -> DeliveryState:
    if not queue.waiting:
        return Inactive()
    turn, *others = queue.waiting
    return Acquiring(replace(_resumed(queue, turn), waiting=tuple(others)), turn)


def _next_unshown(queue: PersonQueue) -> PersonQueue:
    """The queue after a turn that ends unshown: the next one, if it can be shown, brings the question back."""
    if not queue.waiting:
        return queue
    first, *others = queue.waiting
    return replace(queue, waiting=(replace(first, previous_unshown=True), *others))


def _reask(queue: PersonQueue) -> Reasking:
    return Reasking(replace(_resumed(queue, *queue.waiting), waiting=()))


def _resumed(queue: PersonQueue, *turns: Turn) -> PersonQueue:
    """The queue as it is once one of these turns, or a question in its place, is shown."""
    resumed = any(turn.context.kind is TurnKind.RESUME for turn in turns)
    return replace(queue, maybe_delivered=ANY_QUESTION) if resumed else queue


def _pause(queue: PersonQueue, longest: float = inf) -> BackingOff:
    seconds = RETRY_DELAYS[min(queue.failures, len(RETRY_DELAYS) - 1)]
    return BackingOff(replace(queue, failures=queue.failures + 1), min(seconds, longest))


def _doubted(state: Busy) -> PersonQueue:
    """The queue as it is if the thing at hand is done, and the store does not know."""
    match state:
        case Showing(queue, _, (effect, *_)) if (question := question_id(effect)) is not None:
            return replace(queue, maybe_delivered=question)
        case Noting(queue):
            return replace(queue, maybe_delivered=ANY_QUESTION)
        case _:
            return _inherited(state)


def _inherited(state: Busy) -> PersonQueue:
    """The queue as it is if the turn at hand is dropped: a turn before it may have left its question in the chat."""
    match state:
        case Acquiring(queue, turn) | Showing(queue, turn) if turn.previous_unshown:
            return replace(queue, maybe_delivered=ANY_QUESTION)
        case _:
            return state.queue


def _has_question(turn: Turn) -> bool:
    """Whether a turn asks the whole question, or has the session opened whose code is the question.

    A turn that only reminds of the question relies on what was shown before.
    """
    return any(
        isinstance(effect, ShowCode | ReplaceCodeWithPicture | OpenAttempt)
        or (isinstance(effect, AskQuestion) and not effect.is_short)
        for effect in turn.effects
    )
